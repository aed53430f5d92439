#include "candidates/candidate_generator.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <utility>

#include "items/check_input.hpp"
#include "segue/core/parallel_for.hpp"

namespace segue {
namespace {

// A second pass asks for what the first one's yield says, twice over, and half as many again at least; at most for this many
// times as many, as each later one does.
constexpr double kWider = 4;
constexpr double kSpareYield = 2;
constexpr double kLeastWider = 1.5;
constexpr std::size_t kLongestPass = std::size_t{1} << 24;
// So many requests of a batch are on their way together, in each thread.
constexpr std::size_t kTogether = 64;
constexpr double kSecondsADay = 86400;

std::size_t column_of(const Catalog& catalog, const std::string& name) {
  const std::vector<ColumnSpec> columns = catalog.columns();
  return static_cast<std::size_t>(
      std::find_if(columns.begin(), columns.end(), [&](const ColumnSpec& c) { return c.name == name; }) - columns.begin());
}

// After n of each source have filled so many of k places.
std::size_t wider(std::size_t n, std::size_t filled, std::size_t k, bool first) {
  const double empty = static_cast<double>(k - filled) / std::max(1.0, static_cast<double>(filled));
  const double times = first ? std::clamp(1 + kSpareYield * empty, kLeastWider, kWider) : kWider;
  return static_cast<std::size_t>(std::ceil(times * static_cast<double>(n)));
}

std::int64_t seconds_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

}  // namespace

Result<std::unique_ptr<const CandidateGenerator>> CandidateGenerator::create(GeneratorOptions options) {
  std::unique_ptr<const CandidateGenerator> generator;
  const Status status = guard_memory([&]() -> Status {
    SEGUE_RETURN_IF_ERROR(CandidateGeneratorBody::check(options));
    generator = std::make_unique<CandidateGeneratorBody>(std::move(options));
    return {};
  });
  if (!status.ok()) return status;
  return generator;
}

CandidateGeneratorBody::CandidateGeneratorBody(GeneratorOptions options) : options_(std::move(options)) {
  for (const GroupCap& cap : options_.caps) caps_.push_back({column_of(*options_.catalog, cap.column), cap.at_most});
  if (options_.freshness) freshness_column_ = column_of(*options_.catalog, options_.freshness->column);
  if (options_.popularity) popularity_column_ = column_of(*options_.catalog, options_.popularity->column);
  order_.resize(options_.sources.size());
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  std::stable_partition(order_.begin(), order_.end(),
                        [&](std::size_t s) { return options_.sources[s].source->immediate(); });
}

Result<Candidates> CandidateGeneratorBody::generate(const Request& request) const {
  Candidates out;
  const Status status = guard_memory([&]() -> Status {
    ScratchPool<Memory>::Lease memory(scratch_);
    memory->asked.resize(1);
    return answer_alone(request, out, *memory);
  });
  if (!status.ok()) return status;
  return out;
}

Result<std::vector<Candidates>> CandidateGeneratorBody::generate(std::span<const Request> requests, int threads) const {
  std::vector<Candidates> all;
  const Status status = guard_memory([&]() -> Status {
    SEGUE_RETURN_IF_ERROR(check_threads(threads));
    all.resize(requests.size());
    std::vector<Status> failures(requests.size());
    const std::size_t workers = std::max<std::size_t>(1, worker_count(requests.size(), threads, 1));
    const std::size_t piece = std::clamp<std::size_t>((requests.size() + workers - 1) / workers, 1, kTogether);
    std::vector<Memory> memories(worker_count(requests.size(), threads, piece));
    parallel_for(requests.size(), threads, piece, [&](std::size_t begin, std::size_t end, std::size_t worker) {
      const std::size_t n = end - begin;
      answer_together(requests.subspan(begin, n), std::span(all).subspan(begin, n), std::span(failures).subspan(begin, n),
                      memories[worker]);
    });
    for (std::size_t i = 0; i < failures.size(); ++i) {
      if (!failures[i].ok()) return {failures[i].code(), "request " + std::to_string(i) + ": " + failures[i].message()};
    }
    return {};
  });
  if (!status.ok()) return status;
  return all;
}

Status CandidateGeneratorBody::answer_alone(const Request& request, Candidates& out, Memory& memory) const {
  memory.open.clear();
  SEGUE_RETURN_IF_ERROR(start(request, out, memory.asked[0], memory.open));
  answer(memory);
  return {};
}

// Those with a deadline come one by one at the end, as the time of each begins with it.
void CandidateGeneratorBody::answer_together(std::span<const Request> requests, std::span<Candidates> out,
                                             std::span<Status> failures, Memory& memory) const {
  if (memory.asked.size() < requests.size()) memory.asked.resize(requests.size());
  memory.open.clear();
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (requests[i].deadline_us == 0) failures[i] = start(requests[i], out[i], memory.asked[i], memory.open);
  }
  answer(memory);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (requests[i].deadline_us != 0) failures[i] = answer_alone(requests[i], out[i], memory);
  }
}

Result<const IdSet*> CandidateGeneratorBody::allow(const Request& request, IdSet& both) const {
  if (!request.filter) return request.allowed;
  Result<IdSet> selected = options_.catalog->select(*request.filter);
  if (!selected.ok()) return selected.status();
  both = request.allowed == nullptr ? std::move(*selected) : *selected & *request.allowed;
  return &both;
}

Status CandidateGeneratorBody::start(const Request& request, Candidates& out, Asking& asking,
                                     std::vector<Asking*>& open) const {
  SEGUE_RETURN_IF_ERROR(check_request(request));
  asking.request = &request;
  asking.out = &out;
  asking.deadline = Deadline(request.deadline_us);
  out.reports.resize(options_.sources.size());
  const Result<const IdSet*> allowed = allow(request, asking.both);
  if (!allowed.ok()) return allowed.status();
  asking.allowed = *allowed;
  if (asking.allowed != nullptr && !asking.allowed->is_complement() && asking.allowed->listed() == 0) {
    out.ended_by = EndedBy::kExhausted;
    out.reason = "the filter matches nothing";
    return {};
  }
  asking.exclude.reset(request);
  asking.quotas.clear();
  for (const MinimumQuota& minimum : options_.minimums) {
    Result<IdSet> matches = options_.catalog->select(minimum.expression);
    if (!matches.ok()) return matches.status();
    asking.quotas.push_back({std::move(*matches), minimum.at_least});
  }
  asking.proposals.resize(options_.sources.size());
  for (Proposals& p : asking.proposals) p.clear();
  // Each could fill the list by itself; all together make up the pool.
  const std::size_t sources = options_.sources.size();
  asking.n = std::max(request.k, options_.mmr ? (options_.mmr->pool + sources - 1) / sources : 0);
  open.push_back(&asking);
  return {};
}

// A pass over all, and wider for those whose lists it leaves with empty places.
void CandidateGeneratorBody::answer(Memory& memory) const {
  for (bool first = true; !memory.open.empty(); first = false) {
    ask(memory);
    std::erase_if(memory.open, [&](Asking* asking) {
      do {
        ask_for_quotas(*asking, memory);
        pick(*asking, memory);
      } while (widen_quotas(*asking, memory.places));
      const bool more = std::any_of(asking->proposals.begin(), asking->proposals.end(),
                                    [](const Proposals& p) { return !p.exhausted; });
      if (memory.places.left() > 0 && more && !asking->deadline.passed() && asking->n < kLongestPass) {
        asking->n = wider(asking->n, memory.places.taken().size(), asking->request->k, first);
        return false;
      }
      finish(*asking, memory);
      return true;
    });
  }
}

void CandidateGeneratorBody::move_scores(const CatalogRows& rows, Pool& pool) const {
  if (const auto& f = options_.freshness) {
    const std::int64_t now = f->now != 0 ? f->now : seconds_now();
    for (PoolItem& item : pool.items()) {
      const std::int64_t date = rows.integer(freshness_column_, item.row);
      double fresh = 0;
      if (date != kMissingInteger) {
        const double days = std::max(0.0, static_cast<double>(now) - static_cast<double>(date)) / kSecondsADay;
        fresh = std::exp2(-days / f->half_life_days);
      }
      item.score *= 1 - f->weight + f->weight * fresh;
    }
  }
  if (const auto& p = options_.popularity) {
    for (PoolItem& item : pool.items()) {
      const double count = rows.number(popularity_column_, item.row);
      item.score -= p->strength * std::log(count >= 1 ? count : 1.0);
    }
  }
}

void CandidateGeneratorBody::pick(const Asking& asking, Memory& memory) const {
  memory.pool.blend(asking.proposals, options_);
  const CatalogRows rows(caps_.empty() && !options_.freshness && !options_.popularity ? nullptr : options_.catalog.get());
  if (rows.any()) rows.look_up(memory.pool.items());
  move_scores(rows, memory.pool);
  memory.pool.sort();
  memory.places.reset(asking.request->k, memory.pool.items(), rows, caps_, asking.quotas);
  if (options_.mmr) {
    pick_diverse(memory.pool, *options_.mmr, asking.quotas.size(), asking.deadline, memory.places, memory.diverse);
  } else if (options_.blend == Blend::kShares) {
    pick_in_turns(memory.pool, asking.proposals, options_.sources, memory.table, memory.places);
  } else {
    pick_best(memory.pool.size(), memory.places);
  }
}

void CandidateGeneratorBody::finish(Asking& asking, Memory& memory) const {
  Candidates& out = *asking.out;
  // Sets that nobody needs any more are not kept until the next request.
  asking.both = IdSet();
  asking.quotas.clear();
  std::vector<std::uint32_t> taken = memory.places.taken();
  // The best first, whatever quotas brought in when.
  if (!options_.mmr && options_.blend != Blend::kShares) std::sort(taken.begin(), taken.end());
  out.ids.reserve(taken.size());
  out.scores.reserve(taken.size());
  for (const std::uint32_t item : taken) {
    out.ids.push_back(memory.pool.items()[item].id);
    out.scores.push_back(static_cast<float>(memory.pool.items()[item].score));
  }
  memory.pool.trace(asking.proposals, taken, out);
  bool cut = asking.deadline.passed();
  std::size_t failed = 0;
  for (std::size_t s = 0; s < out.reports.size(); ++s) {
    out.reports[s].proposed = asking.proposals[s].ids.size();
    cut |= out.reports[s].cut;
    failed += !out.reports[s].status.ok();
  }
  out.ended_by = cut ? EndedBy::kDeadline : memory.places.left() == 0 ? EndedBy::kFull : EndedBy::kExhausted;
  if (memory.places.left() == 0) return;
  const std::string counts = std::to_string(out.ids.size()) + " of " + std::to_string(asking.request->k);
  if (failed == out.reports.size()) {
    out.reason = "every source failed; the first said: " + out.reports[0].status.message();
  } else if (cut) {
    out.reason = "time ran out with " + counts;
  } else {
    out.reason = "no source has more that the filter, exclusions and caps let through: " + counts + ", of " +
                 std::to_string(memory.pool.size()) + " proposed";
  }
}

}  // namespace segue
