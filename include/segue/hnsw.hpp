#pragma once
// HnswIndex: approximate search on a layered proximity graph (Malkov and Yashunin, arXiv 1603.09320).
//
// Choose it when a scan is too slow: a query looks at some hundreds to thousands of items, whatever the size.
//
//   auto index = segue::HnswIndex::create(128, segue::Metric::kCosine, {.m = 16});
//   (*index)->add(vectors);
//   (*index)->search(queries, 10, {.ef = 64});
//
// What the parameters cost: memory grows by 8 * m bytes an item and build time with m * ef_construction; more of both
// finds more at equal ef. `ef` at search time trades speed for recall.
//
// Inner product is exact maximum inner product search over items of any norm. Graphs alone miss a part of the answers
// there, because the largest norms win; so a search first scans eight-bit codes of the items by falling norm, 256 a unit
// of `ef`, and stops where the norm bound proves that no other can win: then the answers are exact, up to rounding of the
// storage. Only where norms say little, so that most items might still be answers, does the graph finish the work.
//
// Under a filter it does not walk what does not match: few matches are scanned whole, many region by region, so that a
// filter whose matches lie far from the query costs some microseconds more, not a hundred times as much. An index looks at
// a filter once, which takes about as long as making its IdSet did; what it keeps of filters takes at most a quarter of
// what its graph and rows do.
//
// The same input, seed and order of calls give the same index, byte for byte, on any number of threads.

#include <cstdint>
#include <memory>

#include "segue/index.hpp"

namespace segue {

struct HnswOptions {
  // Links a vertex on the upper levels; twice as many on level 0. 2 to 256.
  std::size_t m = 16;
  // How many candidates an insertion considers. 1 to 65,536.
  std::size_t ef_construction = 200;
  // What the walk reads. kPca8, under l2 and cosine: codes of the leading principal coordinates, found when there are 256
  // items (until then kF32) and anew at each fourfold growth up to 16,384. kAuto: kF32 below 4,096 items and for inner
  // product; else kPca8 with a finer copy, kSq8 or where dimensions are many kF16. Index::storage() says what it is now.
  Storage storage = Storage::kAuto;
  // A finer copy that decides among what the walk found, and that get() returns. With kPca8, kSq8 codes what the leading
  // coordinates leave over. kAuto: none is kept; then full-precision queries against the codes decide.
  Storage rerank = Storage::kAuto;
  std::uint64_t seed = 0;
};

class HnswIndex : public Index {
 public:
  // kInvalidArgument: dim of 0 or above 65,536, parameters out of their range, a rerank storage not finer than storage.
  static Result<std::unique_ptr<HnswIndex>> create(std::size_t dim, Metric metric = Metric::kInnerProduct,
                                                   const HnswOptions& options = {});
  virtual const HnswOptions& options() const noexcept = 0;
  // The ef of a search that names none.
  virtual std::size_t default_ef() const noexcept = 0;
};

}  // namespace segue
