#pragma once
// IvfIndex: inverted lists (Sivic and Zisserman, ICCV 2003; Jegou et al., TPAMI 2011), each scanned by codes with error
// bounds.
//
// Choose it for large batches, quick builds and items that change often: k-means divides the items into lists, a query
// ranks the lists and scans the best `nprobe` of them. A batch visits each list once for all of its queries.
//
//   auto index = segue::IvfIndex::create(128, segue::Metric::kL2);
//   (*index)->add(vectors);                                     // the first add trains; or train(sample) before
//   (*index)->search(queries, 10, {.nprobe = 16});
//
// Of the items in the lists that were scanned the answers are the true k best, decided by the rows as stored: eight-bit
// codes of what a row differs by from its list's centre only rule out (codes/code_front.hpp). With nprobe = nlist() a
// search is exact, up to how rows are stored (and, with codes of few bits, up to chance: Storage::kRabitq1). More lists are scanned where the first ones hold fewer than k items that may
// be found.
//
// With a filter only lists that hold something it lets through are ranked and count as one of the `nprobe`; where it lets
// little through (no more items than twice the lists, and a thirty-second of all), all of that is scored, whatever `nprobe`
// is; only a deadline may end that early. What the index finds out about a filter it keeps, up to the size of its codes: a bit
// an item and, once the filter has come often, codes of what it lets through. So a filter costs about what making its IdSet
// did, and little after some dozen searches.
//
// Under inner product lists are ranked by what their best item promises: the centre's product and a share of the spread
// of its items, so that large norms are found; a list that cannot reach the k-th best any more is skipped.
//
// The same input, seed and order of calls give the same index, byte for byte, on any number of threads.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "segue/index.hpp"

namespace segue {

struct IvfOptions {
  // Lists. 0: four times the square root of the number of items that it is trained on; then an index that grows to four
  // times as many is trained anew by the add that takes it there. Whatever their number, lists that were trained are trained
  // on once an eighth of the items are others, while searches go on; centres of the caller's stay.
  std::size_t nlist = 0;
  // What decides among what the codes leave, and what get() returns: rows as kF32, kF16, kBf16, kSq8 or kSq4; or, with
  // kPca8, no rows, but their list's centre and their codes of eight bits in the leading principal directions; or, with
  // kRabitq1 to kRabitq8, codes of as many bits a dimension on average (decision 21): RaBitQ codes of a random rotation
  // where all directions are alike, as those of factors; where few directions matter those get most of the bits, so that two
  // do what five do there. Their bounds hold with near certainty: a row is ruled out wrongly once in 30,000. kAuto: kPca8
  // with what the codes leave over, in four bits a number where they have all directions, else in eight (as fine as kF16 at
  // half its memory), or kF32 where there are at most 16 dimensions. Such rows are rounded once more at each training; kF32
  // and the others are not.
  Storage storage = Storage::kAuto;
  // With kPca8 or kRabitq1 to kRabitq8: kSq8 or kSq4 keeps what the codes leave over, in memory or in the mapped file; kAuto
  // keeps nothing but the codes, and under l2 the length of kRabitq rows, so that distances are guessed without bias: 50
  // bytes an item of 128 dimensions with one bit, and 16 more with each. An index without it cannot be trained anew.
  Storage rerank = Storage::kAuto;
  std::uint64_t seed = 0;
};

class IvfIndex : public Index {
 public:
  // kInvalidArgument: dim of 0 or above 65,536, more than 2^20 lists, a rerank that does not fit the storage.
  static Result<std::unique_ptr<IvfIndex>> create(std::size_t dim, Metric metric = Metric::kInnerProduct,
                                                  const IvfOptions& options = {});

  // Chooses the lists by a sample of what will be added; items that are there are dealt out anew. Without it the first
  // add() trains on what it brings. O(iterations * min(n, 64 nlist) * nlist * dim); from 2,048 lists on 10 sqrt(nlist) for nlist,
  // as centres lie in groups then (decision 10), and a row joins the nearest of those in the sixteen nearest groups.
  // kInvalidArgument: fewer rows than lists were asked for, and what add() refuses. kUnsupported: there are items of which
  // only codes are kept. Fails without a change.
  virtual Status train(MatrixView sample, const AddOptions& options = {}) = 0;

  // The same without k-means: a list around each of the centres, as many as there are. For centres that several indexes
  // share, and those of other libraries. Items join the centre nearest to them by l2, whatever the metric; where nothing
  // is nearest a list stays empty. The sample says which directions codes keep; it may be empty: then all. Lists stay as
  // they are, whatever the index grows to, until train() is called again.
  // kInvalidArgument: no centres, another number than the nlist that was asked for, NaN or infinity. Else as above.
  virtual Status train(MatrixView sample, MatrixView centroids, const AddOptions& options = {}) = 0;
  // The centres, nlist() x dim, row by row; under cosine of normalised vectors.
  virtual std::vector<float> centroids() const = 0;

  virtual const IvfOptions& options() const noexcept = 0;
  // 0 before it is trained.
  virtual std::size_t nlist() const = 0;
  // The nprobe of a search that names none: all of at most 256 lists; of more a 64th, at least eight.
  virtual std::size_t default_nprobe() const = 0;
};

}  // namespace segue
