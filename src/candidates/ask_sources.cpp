// Asking: what sources are put to, alone and for many requests, and what comes of an answer.

#include <algorithm>
#include <chrono>
#include <exception>
#include <new>
#include <string>
#include <utility>

#include "candidates/candidate_generator.hpp"

namespace segue {
namespace {

// A quota that is not met asks for this many times as many.
constexpr std::size_t kWiderQuota = 4;
// Its own pass asks for so many times what it wants, as some will not fit; and for more up to so many, whether that helps or
// not.
constexpr std::size_t kSpareQuota = 4;
constexpr std::size_t kPatientQuota = 1024;

// Adds to `sum` what passes while it lives.
class Timer {
 public:
  explicit Timer(double& sum) noexcept : sum_(sum), start_(Deadline::Clock::now()) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { sum_ += std::chrono::duration<double, std::micro>(Deadline::Clock::now() - start_).count(); }

 private:
  double& sum_;
  Deadline::Clock::time_point start_;
};

// What it said before stays where time runs out.
void settle(Status&& status, Proposals& fresh, SourceReport& report, Proposals& proposals) {
  if (!status.ok()) {
    report.status = std::move(status);
    proposals.exhausted = true;
    return;
  }
  report.cut |= fresh.cut;
  if (fresh.cut && fresh.ids.size() < proposals.ids.size()) return;
  std::swap(proposals, fresh);
}

bool fits(const Proposals& proposed) { return proposed.scores.empty() || proposed.scores.size() == proposed.ids.size(); }

}  // namespace

Wanted CandidateGeneratorBody::wanted(Asking& asking, std::size_t source, std::size_t n, const IdSet* allowed) const {
  Exclusions& exclude = asking.exclude;
  Wanted wanted{*asking.request, n, allowed, exclude.ids(), 0, exclude.ids().empty() ? nullptr : &exclude};
  if (asking.deadline.limited()) {
    // What is left, in equal parts to those that wait.
    const auto waiting = order_.end() - std::find(order_.begin(), order_.end(), source);
    wanted.deadline_us = std::max<std::int64_t>(1, asking.deadline.left_us() / waiting);
  }
  return wanted;
}

Status CandidateGeneratorBody::propose(const Wanted& wanted, std::size_t source, SourceReport& report, Proposals& out) const {
  const Timer timer(report.microseconds);
  out.clear();
  try {
    SEGUE_RETURN_IF_ERROR(options_.sources[source].source->propose(wanted, out));
    if (fits(out)) return {};
    return invalid_argument("it proposed " + std::to_string(out.ids.size()) + " ids with " +
                            std::to_string(out.scores.size()) + " scores; give one each, or none");
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    return {StatusCode::kUnsupported, std::string("it threw: ") + error.what()};
  } catch (...) {
    return {StatusCode::kUnsupported, "it threw something that is no exception of std"};
  }
}

bool CandidateGeneratorBody::propose_together(std::size_t source, Memory& memory) const {
  const std::size_t n = memory.turn.size();
  if (n < 2) return false;
  double microseconds = 0;
  {
    const Timer timer(microseconds);
    memory.wanted.clear();
    for (Asking* asking : memory.turn) memory.wanted.push_back(wanted(*asking, source, asking->n, asking->allowed));
    if (memory.proposed.size() < n) memory.proposed.resize(n);
    const std::span<Proposals> out = std::span(memory.proposed).first(n);
    for (Proposals& each : out) each.clear();
    try {
      if (!options_.sources[source].source->propose_batch(memory.wanted, out)) return false;
    } catch (const std::bad_alloc&) {
      throw;
    } catch (...) {
      return false;
    }
    if (!std::all_of(out.begin(), out.end(), fits)) return false;
  }
  for (std::size_t i = 0; i < n; ++i) {
    SourceReport& report = memory.turn[i]->out->reports[source];
    report.microseconds += microseconds / static_cast<double>(n);
    settle({}, memory.proposed[i], report, memory.turn[i]->proposals[source]);
  }
  return true;
}

void CandidateGeneratorBody::ask(Memory& memory) const {
  if (memory.proposed.empty()) memory.proposed.resize(1);
  for (const std::size_t s : order_) {
    memory.turn.clear();
    for (Asking* asking : memory.open) {
      if (asking->proposals[s].exhausted) continue;
      if (asking->deadline.passed() && !options_.sources[s].source->immediate()) {
        asking->out->reports[s].cut = true;
      } else {
        memory.turn.push_back(asking);
      }
    }
    if (propose_together(s, memory)) continue;
    for (Asking* asking : memory.turn) {
      Proposals& fresh = memory.proposed[0];
      SourceReport& report = asking->out->reports[s];
      Status status = propose(wanted(*asking, s, asking->n, asking->allowed), s, report, fresh);
      settle(std::move(status), fresh, report, asking->proposals[s]);
    }
  }
}

// Where the pool has too few of what a quota wants, sources are asked for those alone.
void CandidateGeneratorBody::ask_for_quotas(Asking& asking, Memory& memory) const {
  for (Quota& quota : asking.quotas) {
    std::size_t there = 0;
    IdTable& known = memory.table;
    std::size_t most = 0;
    for (const Proposals& p : asking.proposals) most += p.ids.size();
    known.reset(most);
    for (const Proposals& p : asking.proposals) {
      for (const Id id : p.ids) {
        const std::size_t before = known.size();
        known.insert(id, 0);
        there += known.size() != before && quota.matches.contains(id);
      }
    }
    if (there >= quota.at_least && quota.asked == 0) continue;
    quota.asked = std::max(quota.asked, kSpareQuota * quota.at_least);
    quota.more = false;
    const IdSet allowed = asking.allowed == nullptr ? quota.matches : quota.matches & *asking.allowed;
    for (std::size_t s = 0; s < options_.sources.size() && !asking.deadline.passed(); ++s) {
      Proposals& proposals = asking.proposals[s];
      SourceReport& report = asking.out->reports[s];
      if (proposals.exhausted || !report.status.ok()) continue;
      Proposals& more = memory.proposed[0];
      Status status = propose(wanted(asking, s, quota.asked, &allowed), s, report, more);
      if (!status.ok()) {
        report.status = std::move(status);
        continue;
      }
      report.cut |= more.cut;
      quota.more |= !more.exhausted;
      append(more, proposals);
    }
  }
}

bool CandidateGeneratorBody::widen_quotas(Asking& asking, const Places& places) {
  bool any = false;
  for (std::size_t q = 0; q < asking.quotas.size(); ++q) {
    Quota& quota = asking.quotas[q];
    const std::vector<std::uint32_t>& taken = places.taken();
    const auto met = static_cast<std::size_t>(
        std::count_if(taken.begin(), taken.end(), [&](std::uint32_t i) { return places.matches(i, q); }));
    // Caps may refuse all that a quota wants: many more that change nothing are the end of it.
    const bool helps = met > quota.met || quota.asked < kPatientQuota;
    quota.met = met;
    if (met >= quota.at_least || !quota.more || !helps) continue;
    quota.asked = kWiderQuota * std::max(quota.asked, quota.at_least);
    any = true;
  }
  return any && !asking.deadline.passed();
}

}  // namespace segue
