#pragma once
// FlatIndex: exact search. Every item is looked at; the answers are those of a scan in float32, ties by id.
//
// Choose it up to some hundred thousand items, for ground truth, and wherever 100 % is wanted. Add, upsert and remove
// cost O(1) an item; a query O(n * dim). Batches of queries score blocks of items together and are several times
// faster a query than single calls.
//
//   auto index = segue::FlatIndex::create(64, segue::Metric::kInnerProduct);

#include <memory>

#include "segue/index.hpp"

namespace segue {

struct FlatOptions {
  // kF32 keeps what was given; kF16, kBf16 and kSq8 keep rounded vectors and are exact with respect to those.
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
