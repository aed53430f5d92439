#pragma once
// What a growing index keeps of its vectors. "auto" and "pca8" start as float32: a few vectors say little about their
// directions, and are small. From some size on the rows are coded (core/head_coder.hpp), and again whenever the index has
// grown fourfold, as long as it is small; from then on the directions stay. "auto" measures first what codes would lose
// (hnsw/measure_codes.hpp), and keeps float32 where they cannot tell the items apart.

#include "hnsw/hnsw_state.hpp"
#include "segue/matrix_view.hpp"

namespace segue {

// Whether an index of so many items is to be looked at (again).
bool is_storage_due(const HnswState& state, std::size_t items);
// Before `vectors` are added (as they came). Recodes what is there where that is due; the graph stays. The outcome
// depends on the items and the order of calls alone. Throws std::bad_alloc, and then nothing has changed.
void adapt_storage(HnswState& state, MatrixView vectors, int threads);

}  // namespace segue
