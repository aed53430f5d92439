#pragma once
// CandidateGenerator: from a request to the list that a ranker wants.
//
//   GeneratorOptions options;
//   options.sources = {{"taste", nearest_to_vectors(tracks)}, {"popular", ranked_list(charts).value(), 0.3f}};
//   options.catalog = catalog;
//   options.caps = {{"artist", 2}};
//   auto home = CandidateGenerator::create(std::move(options)).value();
//   Candidates found = home->generate({.k = 100, .vectors = taste, .exclude = played, .deadline_us = 1000}).value();
//
// Each source proposes; duplicates merge and keep who proposed them; scores come on one scale; caps, quotas and diversity
// pick. If that leaves fewer than k the sources are asked for more, as what was picked of the first says, then for four times
// as many each time, until there are k, or they have no more, or time is up: `ended_by` says which.
//
// Blend::kWeighted: a source's scores go to the scale on which its best is 1 and the last one that it proposed 1 / n
// (scores of another scale or sign do not matter; without scores the rank does), times its weight; those of several sources
// add up. Blend::kReciprocalRank: the sum of weight / (60 + rank), rank from 1 (Cormack, Clarke & Buettcher 2009).
// Blend::kShares: sources take turns so that each has its share of the places, in its own order; what it cannot fill goes to
// the others.
//
// Equal scores are ordered by id, and the same request gets the same answer, whatever other threads do.
//
// Thread-safety: any number of threads. Requests run beside changes of indexes and catalog; each search sees either.

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "segue/candidates/constraints.hpp"
#include "segue/candidates/request.hpp"
#include "segue/candidates/source.hpp"
#include "segue/catalog.hpp"
#include "segue/status.hpp"

namespace segue {

enum class Blend : std::uint8_t { kWeighted = 0, kReciprocalRank = 1, kShares = 2 };
// "weighted", "reciprocal_rank", "shares".
std::string_view to_string(Blend blend) noexcept;
Result<Blend> parse_blend(std::string_view name);

struct GeneratorOptions {
  std::vector<SourceSpec> sources;
  Blend blend = Blend::kWeighted;
  // For filters, caps, quotas, freshness and popularity. What is in an index and has no row has no values: no filter
  // matches it, no cap holds it.
  std::shared_ptr<const Catalog> catalog;
  std::vector<GroupCap> caps;
  std::vector<MinimumQuota> minimums;
  std::optional<Mmr> mmr;
  std::optional<Freshness> freshness;
  std::optional<Popularity> popularity;
};

class CandidateGenerator {
 public:
  // kInvalidArgument: no source, or two of one name; a weight that is not finite or below 0; shares that are missing or
  // add up to more than 1; a cap of 0; a column that the catalog does not have or of a type that does not fit; what
  // contradicts itself.
  static Result<std::unique_ptr<const CandidateGenerator>> create(GeneratorOptions options);
  virtual ~CandidateGenerator() = default;
  virtual const GeneratorOptions& options() const noexcept = 0;

  // kInvalidArgument: k of 0, a deadline below 0, vectors that do not fit, a filter over a column that is not there,
  // minimums of more than k. A source that fails is no error of the call: its report has the reason.
  // Never starts a thread.
  virtual Result<Candidates> generate(const Request& request) const = 0;
  // Each as by itself, for less: sources that search an index do so for many requests in one batch, those with a deadline
  // apart. Fails if one does, and names it. threads 0: as many as OpenMP would use.
  virtual Result<std::vector<Candidates>> generate(std::span<const Request> requests, int threads = 0) const = 0;
};

}  // namespace segue
