// What a generator and a request are refused for.

#include <algorithm>
#include <cmath>
#include <string>

#include "candidates/candidate_generator.hpp"

namespace segue {
namespace {

std::string number(double x) {
  std::string text = std::to_string(x);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string list(const std::vector<ColumnSpec>& columns) {
  std::string text;
  for (const ColumnSpec& c : columns) text += (text.empty() ? "" : ", ") + c.name + " (" + std::string(to_string(c.type)) + ")";
  return text.empty() ? "none" : text;
}

// That the catalog has the column, and `fits` its type.
template <class Fits>
Status check_column(const Catalog* catalog, const std::string& what, const std::string& column, const char* types,
                    const Fits& fits) {
  if (catalog == nullptr) {
    return invalid_argument(what + " needs column '" + column + "' of a catalog, and the generator has none");
  }
  const std::vector<ColumnSpec> columns = catalog->columns();
  const auto found = std::find_if(columns.begin(), columns.end(), [&](const ColumnSpec& c) { return c.name == column; });
  if (found == columns.end()) {
    return invalid_argument(what + " needs column '" + column + "', which the catalog does not have; it has " + list(columns));
  }
  if (fits(found->type)) return {};
  return invalid_argument(what + " needs a column of " + types + ", and '" + column + "' is of type " +
                          std::string(to_string(found->type)));
}

Status check_sources(const GeneratorOptions& options) {
  if (options.sources.empty()) return invalid_argument("a generator came without sources; give at least one");
  if (options.sources.size() > 1024) {
    return invalid_argument("a generator came with " + std::to_string(options.sources.size()) + " sources; at most 1024 are taken");
  }
  double shares = 0;
  for (std::size_t i = 0; i < options.sources.size(); ++i) {
    const SourceSpec& spec = options.sources[i];
    const std::string who = "source '" + spec.name + "'";
    if (spec.source == nullptr) return invalid_argument(who + " is null");
    for (std::size_t j = 0; j < i; ++j) {
      if (options.sources[j].name == spec.name) return invalid_argument("two sources are named '" + spec.name + "'");
    }
    if (!(spec.weight >= 0) || !std::isfinite(spec.weight)) {
      return invalid_argument(who + " has weight " + number(spec.weight) + "; it must be a number of at least 0");
    }
    if (!(spec.share >= 0) || spec.share > 1) {
      return invalid_argument(who + " has share " + number(spec.share) + "; it must be from 0 to 1");
    }
    if (spec.share > 0 && options.blend != Blend::kShares) {
      return invalid_argument(who + " has a share, which only the blend 'shares' looks at; the blend is '" +
                              std::string(to_string(options.blend)) + "'");
    }
    shares += static_cast<double>(spec.share);
  }
  if (shares > 1 + 1e-5) return invalid_argument("the shares of all sources add up to " + number(shares) + "; at most 1 is there");
  if (options.blend == Blend::kShares && shares == 0) {
    return invalid_argument("the blend is 'shares' and no source has one; give at least one source a share");
  }
  return {};
}

Status check_mmr(const GeneratorOptions& options) {
  if (!options.mmr) return {};
  const Mmr& mmr = *options.mmr;
  if (options.blend == Blend::kShares) {
    return invalid_argument("mmr picks by scores and the blend 'shares' by turns; use one of them");
  }
  if (mmr.index == nullptr) return invalid_argument("mmr came without an index whose vectors say what is alike");
  if (!(mmr.lambda >= 0 && mmr.lambda <= 1)) {
    return invalid_argument("mmr has lambda " + number(mmr.lambda) + "; it must be from 0 (unlike) to 1 (relevant)");
  }
  if (mmr.pool == 0) return invalid_argument("mmr has a pool of 0; give at least k");
  return {};
}

}  // namespace

Status CandidateGeneratorBody::check(const GeneratorOptions& options) {
  SEGUE_RETURN_IF_ERROR(check_sources(options));
  SEGUE_RETURN_IF_ERROR(check_mmr(options));
  const Catalog* catalog = options.catalog.get();
  for (const GroupCap& cap : options.caps) {
    const std::string what = "the cap on '" + cap.column + "'";
    if (cap.at_most == 0) return invalid_argument(what + " is 0, which lets nothing through; it must be at least 1");
    SEGUE_RETURN_IF_ERROR(check_column(catalog, what, cap.column, "categories, sets, integers, booleans or dates",
                                       [](ColumnType type) { return type != ColumnType::kFloat; }));
  }
  if (options.minimums.size() > Places::kMostQuotas) {
    return invalid_argument("a generator came with " + std::to_string(options.minimums.size()) + " minimum quotas; at most " +
                            std::to_string(Places::kMostQuotas) + " are taken");
  }
  for (const MinimumQuota& minimum : options.minimums) {
    const std::string what = "the minimum quota of '" + minimum.expression.to_string() + "'";
    if (minimum.at_least == 0) return invalid_argument(what + " is 0; it must be at least 1");
    if (catalog == nullptr) return invalid_argument(what + " needs a catalog, and the generator has none");
    if (const Result<IdSet> valid = catalog->select(minimum.expression); !valid.ok()) {
      return invalid_argument(what + ": " + valid.status().message());
    }
  }
  if (const auto& f = options.freshness) {
    SEGUE_RETURN_IF_ERROR(check_column(catalog, "freshness", f->column, "dates", [](ColumnType t) { return t == ColumnType::kDate; }));
    if (!(f->half_life_days > 0) || !std::isfinite(f->half_life_days)) {
      return invalid_argument("freshness has a half-life of " + number(f->half_life_days) + " days; it must be above 0");
    }
    if (!(f->weight >= 0 && f->weight <= 1)) {
      return invalid_argument("freshness has weight " + number(f->weight) + "; it must be from 0 to 1");
    }
  }
  if (const auto& p = options.popularity) {
    SEGUE_RETURN_IF_ERROR(check_column(catalog, "popularity", p->column, "integers or floats", [](ColumnType t) {
      return t == ColumnType::kInteger || t == ColumnType::kFloat;
    }));
    if (!std::isfinite(p->strength)) return invalid_argument("popularity has a strength that is not a number");
  }
  return {};
}

Status CandidateGeneratorBody::check_request(const Request& request) const {
  if (request.k == 0) return invalid_argument("a request came with k of 0; it must be at least 1");
  if (request.k > (std::size_t{1} << 20)) {
    return invalid_argument("a request came with k of " + std::to_string(request.k) + "; at most 1048576 are taken");
  }
  if (request.deadline_us < 0) {
    return invalid_argument("a request came with a deadline of " + std::to_string(request.deadline_us) +
                            " us; it must be above 0, or 0 for none");
  }
  const MatrixView vectors = request.vectors;
  if (!request.weights.empty() && request.weights.size() != vectors.rows()) {
    return invalid_argument("a request came with " + std::to_string(vectors.rows()) + " vectors and " +
                            std::to_string(request.weights.size()) + " weights; give one each, or none");
  }
  for (const float weight : request.weights) {
    if (!(weight > 0) || !std::isfinite(weight)) {
      return invalid_argument("a request came with a vector of weight " + number(weight) + "; weights must be above 0");
    }
  }
  for (std::size_t i = 0; i < vectors.rows(); ++i) {
    if (!std::all_of(vectors.row(i), vectors.row(i) + vectors.cols(), [](float x) { return std::isfinite(x); })) {
      return invalid_argument("vector " + std::to_string(i) + " of a request has a number that is not finite");
    }
  }
  if (!(request.seed_half_life > 0)) {
    return invalid_argument("a request came with a seed_half_life of " + number(request.seed_half_life) + "; it must be above 0");
  }
  if (request.filter && options_.catalog == nullptr) {
    return invalid_argument("a request came with the filter '" + request.filter->to_string() +
                            "', and the generator has no catalog to look it up in");
  }
  std::size_t minimums = 0;
  for (const MinimumQuota& minimum : options_.minimums) minimums = std::max(minimums, minimum.at_least);
  if (minimums > request.k) {
    return invalid_argument("a minimum quota asks for " + std::to_string(minimums) + " and a request for k of " +
                            std::to_string(request.k) + " in all");
  }
  for (const SourceSpec& spec : options_.sources) {
    if (const Status fits = spec.source->check(request); !fits.ok()) {
      return {fits.code(), "source '" + spec.name + "': " + fits.message()};
    }
  }
  return {};
}

}  // namespace segue
