#include "candidates/candidate_generator.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <new>
#include <numeric>
#include <utility>

#include "items/check_input.hpp"
#include "segue/core/parallel_for.hpp"

namespace segue {
namespace {

// Each pass asks for this many times as many.
constexpr std::size_t kWider = 4;
// A quota's own pass asks for so many times what it wants, as some will not fit; and for more up to so many, whether
// that helps or not.
constexpr std::size_t kSpareQuota = 4;
constexpr std::size_t kPatientQuota = 1024;
constexpr std::size_t kLongestPass = std::size_t{1} << 24;
constexpr double kSecondsADay = 86400;

std::size_t column_of(const Catalog& catalog, const std::string& name) {
  const std::vector<ColumnSpec> columns = catalog.columns();
  return static_cast<std::size_t>(
      std::find_if(columns.begin(), columns.end(), [&](const ColumnSpec& c) { return c.name == name; }) - columns.begin());
}

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
    SEGUE_RETURN_IF_ERROR(check_request(request));
    ScratchPool<Memory>::Lease memory(scratch_);
    Result<Candidates> found = answer(request, *memory);
    if (!found.ok()) return found.status();
    out = std::move(*found);
    return {};
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
    parallel_for(requests.size(), threads, 1, [&](std::size_t begin, std::size_t end, std::size_t) {
      for (std::size_t i = begin; i < end; ++i) {
        Result<Candidates> one = generate(requests[i]);
        if (one.ok()) {
          all[i] = std::move(*one);
        } else {
          failures[i] = one.status();
        }
      }
    });
    for (std::size_t i = 0; i < failures.size(); ++i) {
      if (!failures[i].ok()) return {failures[i].code(), "request " + std::to_string(i) + ": " + failures[i].message()};
    }
    return {};
  });
  if (!status.ok()) return status;
  return all;
}

Result<const IdSet*> CandidateGeneratorBody::allow(const Request& request, IdSet& both) const {
  if (!request.filter) return request.allowed;
  Result<IdSet> selected = options_.catalog->select(*request.filter);
  if (!selected.ok()) return selected.status();
  both = request.allowed == nullptr ? std::move(*selected) : *selected & *request.allowed;
  return &both;
}

Result<Candidates> CandidateGeneratorBody::answer(const Request& request, Memory& memory) const {
  Candidates out;
  out.reports.resize(options_.sources.size());
  memory.proposals.resize(options_.sources.size());
  for (Proposals& p : memory.proposals) p.clear();
  IdSet both;
  const Deadline deadline(request.deadline_us);
  const Result<const IdSet*> allowed = allow(request, both);
  if (!allowed.ok()) return allowed.status();
  if (*allowed != nullptr && !(*allowed)->is_complement() && (*allowed)->listed() == 0) {
    out.ended_by = EndedBy::kExhausted;
    out.reason = "the filter matches nothing";
    return out;
  }
  memory.exclude.reset(request);
  memory.quotas.clear();
  for (const MinimumQuota& minimum : options_.minimums) {
    Result<IdSet> matches = options_.catalog->select(minimum.expression);
    if (!matches.ok()) return matches.status();
    memory.quotas.push_back({std::move(*matches), minimum.at_least});
  }
  const Asking asking{request, *allowed, deadline, out, memory};
  // Each could fill the list by itself; all together make up the pool.
  const std::size_t sources = options_.sources.size();
  const std::size_t first = std::max(request.k, options_.mmr ? (options_.mmr->pool + sources - 1) / sources : 0);
  for (std::size_t n = first;; n *= kWider) {
    ask(asking, n);
    do {
      ask_for_quotas(asking);
      pick(asking);
    } while (widen_quotas(asking));
    const bool more = std::any_of(memory.proposals.begin(), memory.proposals.end(), [](const Proposals& p) { return !p.exhausted; });
    if (memory.places.left() == 0 || !more || deadline.passed() || n >= kLongestPass) break;
  }
  finish(asking);
  return out;
}

Status CandidateGeneratorBody::propose(const Asking& asking, std::size_t source, std::size_t n, const IdSet* allowed,
                                       Proposals& out) const {
  Exclusions& exclude = asking.memory.exclude;
  Wanted wanted{asking.request, n, allowed, exclude.ids(), 0, exclude.ids().empty() ? nullptr : &exclude};
  if (asking.deadline.limited()) {
    // What is left, in equal parts to those that wait.
    const auto waiting = order_.end() - std::find(order_.begin(), order_.end(), source);
    wanted.deadline_us = std::max<std::int64_t>(1, asking.deadline.left_us() / waiting);
  }
  const Timer timer(asking.out.reports[source].microseconds);
  try {
    SEGUE_RETURN_IF_ERROR(options_.sources[source].source->propose(wanted, out));
    if (out.scores.empty() || out.scores.size() == out.ids.size()) return {};
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

void CandidateGeneratorBody::ask(const Asking& asking, std::size_t n) const {
  for (const std::size_t s : order_) {
    Proposals& proposals = asking.memory.proposals[s];
    SourceReport& report = asking.out.reports[s];
    if (proposals.exhausted) continue;
    if (asking.deadline.passed() && !options_.sources[s].source->immediate()) {
      report.cut = true;
      continue;
    }
    // What it said before stays where time runs out.
    Proposals& fresh = asking.memory.more;
    fresh.clear();
    Status status = propose(asking, s, n, asking.allowed, fresh);
    if (!status.ok()) {
      report.status = std::move(status);
      proposals.exhausted = true;
      continue;
    }
    report.cut |= fresh.cut;
    if (fresh.cut && fresh.ids.size() < proposals.ids.size()) continue;
    std::swap(proposals, fresh);
  }
}

// Where the pool has too few of what a quota wants, sources are asked for those alone.
void CandidateGeneratorBody::ask_for_quotas(const Asking& asking) const {
  Memory& memory = asking.memory;
  for (Quota& quota : memory.quotas) {
    std::size_t there = 0;
    IdTable& known = memory.table;
    std::size_t most = 0;
    for (const Proposals& p : memory.proposals) most += p.ids.size();
    known.reset(most);
    for (const Proposals& p : memory.proposals) {
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
      Proposals& proposals = memory.proposals[s];
      if (proposals.exhausted || !asking.out.reports[s].status.ok()) continue;
      memory.more.clear();
      Status status = propose(asking, s, quota.asked, &allowed, memory.more);
      if (!status.ok()) {
        asking.out.reports[s].status = std::move(status);
        continue;
      }
      asking.out.reports[s].cut |= memory.more.cut;
      quota.more |= !memory.more.exhausted;
      append(memory.more, proposals);
    }
  }
}

bool CandidateGeneratorBody::widen_quotas(const Asking& asking) const {
  Memory& memory = asking.memory;
  bool any = false;
  for (std::size_t q = 0; q < memory.quotas.size(); ++q) {
    Quota& quota = memory.quotas[q];
    const std::vector<std::uint32_t>& taken = memory.places.taken();
    const auto met = static_cast<std::size_t>(
        std::count_if(taken.begin(), taken.end(), [&](std::uint32_t i) { return memory.places.matches(i, q); }));
    // Caps may refuse all that a quota wants: many more that change nothing are the end of it.
    const bool helps = met > quota.met || quota.asked < kPatientQuota;
    quota.met = met;
    if (met >= quota.at_least || !quota.more || !helps) continue;
    quota.asked = kWider * std::max(quota.asked, quota.at_least);
    any = true;
  }
  return any && !asking.deadline.passed();
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

void CandidateGeneratorBody::pick(const Asking& asking) const {
  Memory& memory = asking.memory;
  memory.pool.blend(memory.proposals, options_);
  const CatalogRows rows(caps_.empty() && !options_.freshness && !options_.popularity ? nullptr : options_.catalog.get());
  if (rows.any()) rows.look_up(memory.pool.items());
  move_scores(rows, memory.pool);
  memory.pool.sort();
  memory.places.reset(asking.request.k, memory.pool.items(), rows, caps_, memory.quotas);
  if (options_.mmr) {
    pick_diverse(memory.pool, *options_.mmr, memory.quotas.size(), asking.deadline, memory.places, memory.diverse);
  } else if (options_.blend == Blend::kShares) {
    pick_in_turns(memory.pool, memory.proposals, options_.sources, memory.table, memory.places);
  } else {
    pick_best(memory.pool.size(), memory.places);
  }
}

void CandidateGeneratorBody::finish(const Asking& asking) const {
  Memory& memory = asking.memory;
  Candidates& out = asking.out;
  std::vector<std::uint32_t> taken = memory.places.taken();
  // The best first, whatever quotas brought in when.
  if (!options_.mmr && options_.blend != Blend::kShares) std::sort(taken.begin(), taken.end());
  for (const std::uint32_t item : taken) {
    out.ids.push_back(memory.pool.items()[item].id);
    out.scores.push_back(static_cast<float>(memory.pool.items()[item].score));
  }
  memory.pool.trace(memory.proposals, taken, out);
  bool cut = asking.deadline.passed();
  std::size_t failed = 0;
  for (std::size_t s = 0; s < out.reports.size(); ++s) {
    out.reports[s].proposed = memory.proposals[s].ids.size();
    cut |= out.reports[s].cut;
    failed += !out.reports[s].status.ok();
  }
  out.ended_by = cut ? EndedBy::kDeadline : memory.places.left() == 0 ? EndedBy::kFull : EndedBy::kExhausted;
  if (memory.places.left() == 0) return;
  const std::string counts = std::to_string(out.ids.size()) + " of " + std::to_string(asking.request.k);
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
