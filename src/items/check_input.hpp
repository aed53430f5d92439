#pragma once
// What a caller may pass. Every check that two indexes share, with messages that say what came and what was expected.

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "segue/core/id_map.hpp"
#include "segue/index.hpp"

namespace segue {

inline constexpr std::size_t kMaxDim = 65536;
// A candidate packs a slot into 31 bits.
inline constexpr std::size_t kMaxItems = (std::size_t{1} << 31) - 1;
inline constexpr std::size_t kMaxK = std::size_t{1} << 24;

Status check_dim(std::size_t dim);
// Both are among the named values; a cast could have made others.
Status check_metric(Metric metric);
Status check_storage(const char* name, Storage storage);

// Rows of new items: their dimension, finite numbers, no zero vector under cosine.
// Messages count rows from `first` on.
Status check_vectors(MatrixView vectors, std::size_t dim, Metric metric, std::size_t first = 0);
// One id a row, none negative, none twice.
Status check_ids(std::span<const Id> ids, std::size_t rows);
// None of them is in the index.
Status check_new(std::span<const Id> ids, const IdMap& map);
// There is room for that many more.
Status check_room(std::size_t slots, std::size_t more);

// Queries, k, exclude, stats and the like. A zero query under cosine is an error that names its row.
Status check_search(MatrixView queries, std::size_t k, const SearchOptions& options, std::size_t dim, Metric metric);

// x / |x| into out; the norm is summed in double. x is not zero.
void normalize(const float* x, std::size_t dim, float* out) noexcept;
float norm(const float* x, std::size_t dim) noexcept;

// 0: as many as there are.
Status check_threads(int threads);

// Runs a body that may run out of memory; turns that into kOutOfMemory.
Status guard_memory(const std::function<Status()>& body);

}  // namespace segue
