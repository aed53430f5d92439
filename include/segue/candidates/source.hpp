#pragma once
// Sources: where candidates come from. Four kinds, and whatever derives from Source.
//
//   std::vector<SourceSpec> sources = {
//       {"taste", nearest_to_vectors(tracks)},
//       {"session", nearest_to_seeds(tracks), 0.5f},
//       {"popular", ranked_list(charts).value(), 0.2f},
//   };
//
// Ids name items across all sources: an index of shows beside one of tracks has other ids.
//
// Thread-safety: a source is asked by any number of threads at the same time.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "segue/candidates/request.hpp"
#include "segue/index.hpp"
#include "segue/status.hpp"
#include "segue/types.hpp"

namespace segue {

class Exclusions;

// What a source is asked for.
struct Wanted {
  const Request& request;
  std::size_t n;                           // so many of its best, at most
  const IdSet* allowed = nullptr;          // only these; null: all
  std::span<const Id> exclude = {};        // none of these
  std::int64_t deadline_us = 0;            // 0: no limit
  Exclusions* exclusions = nullptr;        // the same, where there are any, for allows()

  // Whether an id may be proposed. The first call for a request is O(exclude), so one thread asks at a time.
  bool allows(Id id) const;
};

// Best first, no id twice. As many scores, or none.
struct Proposals {
  std::vector<Id> ids;
  std::vector<float> scores;
  bool larger_is_better = true;
  bool exhausted = false;  // asking for more gives no more
  bool cut = false;        // the deadline ended it

  void clear() {
    ids.clear();
    scores.clear();
    larger_is_better = true;
    exhausted = cut = false;
  }
};

class Source {
 public:
  virtual ~Source() = default;
  // Into `out`, which is clear. May throw: that is this source's failure.
  virtual Status propose(const Wanted& wanted, Proposals& out) const = 0;
  // The same for several requests at once, none of which has a deadline: out[i] is for wanted[i]. For sources to which
  // many together cost less than one after the other. False, or an exception: they are asked one by one instead, and each
  // has its own outcome.
  virtual bool propose_batch(std::span<const Wanted>, std::span<Proposals>) const { return false; }
  // Why a request cannot be put to it: vectors of another dimension. Does not throw.
  virtual Status check(const Request&) const { return {}; }
  // Whether it answers in microseconds, whatever it is asked: it is asked before the others then, and also where no time
  // is left, so that a list is never empty for want of time alone.
  virtual bool immediate() const { return false; }
};

// How an index is searched; 0: its default.
struct NearestOptions {
  std::size_t ef = 0;
  std::size_t nprobe = 0;
  double recall = 0;
};

// Nearest to the request's vectors, together as its `combine` says. Nothing for a request without vectors.
std::shared_ptr<const Source> nearest_to_vectors(std::shared_ptr<const Index> index, const NearestOptions& options = {});
// Nearest to the seeds of a request: to the sum of their vectors, each with half the weight of that seed_half_life places
// before it. One search.
std::shared_ptr<const Source> nearest_to_seeds(std::shared_ptr<const Index> index, const NearestOptions& options = {});
// A list, best first: what is popular, new, chosen by editors. O(what is left out before the n-th).
// kInvalidArgument: an id that is negative or there twice, as many scores as there are not ids, a score that is not finite.
Result<std::shared_ptr<const Source>> ranked_list(std::vector<Id> ids, std::vector<float> scores = {});
// Whatever a function proposes; ids that are not allowed, or there twice, are dropped, so it may ignore that. It should
// look at wanted.deadline_us.
using ProposeFunction = std::function<Status(const Wanted& wanted, Proposals& out)>;
std::shared_ptr<const Source> callable_source(ProposeFunction function);

// A source in its place among others.
struct SourceSpec {
  std::string name;
  std::shared_ptr<const Source> source;
  float weight = 1;  // of its scores in a blend
  float share = 0;   // of the places, under Blend::kShares
};

}  // namespace segue
