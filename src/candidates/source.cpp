#include "segue/candidates/source.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "candidates/exclusions.hpp"
#include "candidates/id_table.hpp"

namespace segue {

bool Wanted::allows(Id id) const {
  if (id < 0 || (allowed != nullptr && !allowed->contains(id))) return false;
  return exclusions == nullptr || !exclusions->has(id);
}

namespace {

class RankedList final : public Source {
 public:
  RankedList(std::vector<Id> ids, std::vector<float> scores) : ids_(std::move(ids)), scores_(std::move(scores)) {}

  Status propose(const Wanted& wanted, Proposals& out) const override {
    std::size_t i = 0;
    for (; i < ids_.size() && out.ids.size() < wanted.n; ++i) {
      if (!wanted.allows(ids_[i])) continue;
      out.ids.push_back(ids_[i]);
      if (!scores_.empty()) out.scores.push_back(scores_[i]);
    }
    out.exhausted = i == ids_.size();
    return {};
  }
  bool immediate() const override { return true; }

 private:
  std::vector<Id> ids_;
  std::vector<float> scores_;
};

class CallableSource final : public Source {
 public:
  explicit CallableSource(ProposeFunction function) : function_(std::move(function)) {}

  Status propose(const Wanted& wanted, Proposals& out) const override {
    if (!function_) return invalid_argument("there is no function to call");
    SEGUE_RETURN_IF_ERROR(function_(wanted, out));
    const bool scored = !out.scores.empty();
    if (scored && out.scores.size() != out.ids.size()) {
      return invalid_argument("it proposed " + std::to_string(out.ids.size()) + " ids with " +
                              std::to_string(out.scores.size()) + " scores; give one each, or none");
    }
    if (!std::all_of(out.scores.begin(), out.scores.end(), [](float s) { return std::isfinite(s); })) {
      return invalid_argument("it proposed a score that is not finite");
    }
    out.exhausted = out.exhausted || out.ids.size() < wanted.n;
    IdTable seen;
    seen.reset(out.ids.size());
    std::size_t kept = 0;
    for (std::size_t i = 0; i < out.ids.size() && kept < wanted.n; ++i) {
      if (!wanted.allows(out.ids[i]) || seen.insert(out.ids[i], static_cast<std::uint32_t>(i)) != i) continue;
      out.ids[kept] = out.ids[i];
      if (scored) out.scores[kept] = out.scores[i];
      ++kept;
    }
    out.ids.resize(kept);
    if (scored) out.scores.resize(kept);
    return {};
  }

 private:
  ProposeFunction function_;
};

}  // namespace

Result<std::shared_ptr<const Source>> ranked_list(std::vector<Id> ids, std::vector<float> scores) {
  if (!scores.empty() && scores.size() != ids.size()) {
    return invalid_argument("a ranked list of " + std::to_string(ids.size()) + " ids came with " +
                            std::to_string(scores.size()) + " scores; give one each, or none");
  }
  IdTable seen;
  seen.reset(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::string where = " at position " + std::to_string(i) + " of a ranked list";
    if (ids[i] < 0) return invalid_argument("id " + std::to_string(ids[i]) + where + " is negative");
    if (!scores.empty() && !std::isfinite(scores[i])) return invalid_argument("the score" + where + " is not finite");
    if (const std::size_t first = seen.insert(ids[i], static_cast<std::uint32_t>(i)); first != i) {
      return invalid_argument("id " + std::to_string(ids[i]) + where + " is at position " + std::to_string(first) + " too");
    }
  }
  return std::shared_ptr<const Source>(std::make_shared<RankedList>(std::move(ids), std::move(scores)));
}

std::shared_ptr<const Source> callable_source(ProposeFunction function) {
  return std::make_shared<CallableSource>(std::move(function));
}

}  // namespace segue
