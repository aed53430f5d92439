#pragma once
// Whether head codes tell neighbours apart where the items are as dense as they are.
//
// A sample of a catalogue looks kinder than the catalogue: songs that appear in one playlist only lie in clumps of dozens
// within the step of a code, and among 2,048 of 60,000 each stands alone. So some items ask all the others, exactly and by
// codes, which is still only a part of a percent of what building a graph costs.

#include <cstddef>
#include <functional>

#include "segue/core/head_coder.hpp"

namespace segue {

// Row i of all that the index will hold, as it will be kept (normalised under cosine).
using ReadRow = std::function<void(std::size_t i, float* out)>;

// Of the ten nearest to an item, by l2, the share that is among the forty nearest by codes; the mean over some items.
// Looks at no more than 131,072 rows: O(rows * dim * 48), and 50 MB for as long as it takes.
double kept_by_codes(const kernels::KernelTable& table, const HeadCoder& coder, std::size_t rows, const ReadRow& read,
                     int threads);

}  // namespace segue
