#pragma once
// FlatIndex: exact search. The answers are those of a scan in float32, ties by id, found by a scan of eight-bit codes
// whose error bounds prove nearly every item irrelevant (docs/decisions/0004-certified-scan.md).
//
// Choose it up to some hundred thousand items, for ground truth, wherever 100 % is wanted, and for inner product over
// factors of spread norms at any size: there the scan ends early. A query is O(n * dim) integer products, 1 to 2
// nanoseconds an item of 64 to 128 numbers; several queries share what they read, so batches are cheaper a query than
// single calls. Add, upsert and remove cost O(dim * directions) an item, amortised. Codes add about dim bytes an item,
// fewer where the vectors lie near fewer directions. A filter that comes often is answered from a copy of the codes of what it
// lets through, up to half of all (docs/decisions/0022-filters-that-few-pass.md); all copies take no more than the codes do.
//
//   auto index = segue::FlatIndex::create(64, segue::Metric::kInnerProduct);

#include <memory>

#include "segue/index.hpp"

namespace segue {

struct FlatOptions {
  // kF32 keeps what was given; kF16, kBf16, kSq8 and kSq4 keep rounded vectors and are exact with respect to those.
  // kAuto: kF32.
  Storage storage = Storage::kAuto;
};

class FlatIndex : public Index {
 public:
  // kInvalidArgument: dim of 0 or above 65,536.
  static Result<std::unique_ptr<FlatIndex>> create(std::size_t dim, Metric metric = Metric::kInnerProduct,
                                                   const FlatOptions& options = {});
  bool exact() const noexcept final { return true; }
};

}  // namespace segue
