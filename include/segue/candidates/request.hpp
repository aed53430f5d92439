#pragma once
// Request: what one person wants now. And Candidates: what a generator answers.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "segue/expression.hpp"
#include "segue/filter.hpp"
#include "segue/matrix_view.hpp"
#include "segue/status.hpp"
#include "segue/types.hpp"

namespace segue {

// What several query vectors of one request have to say together. With s_i the score of an item for vector i and w_i its
// weight:
enum class Combine : std::uint8_t {
  kMax = 0,         // the best of w_i s_i: any of several interests
  kSum = 1,         // sum of w_i s_i: one search, with one vector
  kAverage = 2,     // kSum over the sum of the weights: what people like on the whole
  kLeastHappy = 3,  // the worst s_i: what nobody dislikes (Masthoff 2011, Recommender Systems Handbook, ch. 21)
  kShares = 4,      // each vector proposes its own, in shares as its weight says
};

// "max", "sum", "average", "least_happy", "shares".
std::string_view to_string(Combine combine) noexcept;
Result<Combine> parse_combine(std::string_view name);

// Borrows what it views.
struct Request {
  std::size_t k = 100;
  // Interests, or people: n x dim, of the index of each NearestToVectors.
  MatrixView vectors = {};
  std::span<const float> weights = {};  // one a vector, above 0; empty: all 1
  Combine combine = Combine::kMax;
  // What was played, the latest first; what is not in a source's index is passed over.
  std::span<const Id> seeds = {};
  // Seeds so many places back count half.
  double seed_half_life = 5;
  // What was just played is not proposed.
  bool exclude_seeds = true;
  // Only these: both, where both are given. The expression is over the generator's catalog.
  std::optional<Expression> filter = {};
  const IdSet* allowed = nullptr;
  // None of these; thousands are fine.
  std::span<const Id> exclude = {};
  // For all of the request, shared among its sources; lists are there whatever it is. 0: no limit.
  std::int64_t deadline_us = 0;
};

enum class EndedBy : std::uint8_t {
  kFull = 0,       // there are k
  kExhausted = 1,  // no source has more that is allowed
  kDeadline = 2,   // time ran out; these are the best until then
};
std::string_view to_string(EndedBy ended_by) noexcept;

// What one source did for a request.
struct SourceReport {
  Status status;             // why it failed; the others went on
  std::size_t proposed = 0;  // in its last pass
  double microseconds = 0;   // in all passes; of a batch its part
  bool cut = false;          // a deadline ended it, or it was never asked
};

// Candidate i is ids[i], best first; it was proposed by sources[j] as its ranks[j]-th (from 0) with source_scores[j], for j
// in offsets[i] .. offsets[i + 1], sources ascending.
struct Candidates {
  std::vector<Id> ids;
  std::vector<float> scores;
  std::vector<std::uint32_t> offsets = {0};
  std::vector<std::uint16_t> sources;
  std::vector<std::uint32_t> ranks;
  std::vector<float> source_scores;  // NaN from a source that has none
  EndedBy ended_by = EndedBy::kFull;
  std::string reason;  // where there are fewer than k: why
  std::vector<SourceReport> reports;
};

}  // namespace segue
