#pragma once
// recall(): how much of the truth a search found.

#include <cstddef>
#include <span>

#include "segue/types.hpp"

namespace segue {

// Mean over the queries of |found in the first k of truth| / k. ids holds `queries` rows of ids_k >= k, truth rows of
// truth_k >= k; missing ids never count. kInvalidArgument when the shapes do not fit.
Result<double> recall(std::span<const Id> ids, std::size_t ids_k, std::span<const Id> truth, std::size_t truth_k,
                      std::size_t k);

}  // namespace segue
