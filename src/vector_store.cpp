#include "segue/core/vector_store.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "kernels/kernel_table.hpp"
#include "segue/core/scorer.hpp"

namespace segue {
namespace {

static_assert(Scorer<RowScorer>);

kernels::Family family_of(Storage storage) noexcept {
  switch (storage) {
    case Storage::kF16: return kernels::kFamilyF16;
    case Storage::kBf16: return kernels::kFamilyBf16;
    case Storage::kSq8:
    case Storage::kPca8: return kernels::kFamilySq8;
    case Storage::kSq4: return kernels::kFamilySq4;
    default: return kernels::kFamilyF32;  // kRabitq1 to kRabitq8 are codes of blocks, and no rows
  }
}

std::size_t stride_of(Storage storage, std::size_t row_bytes) noexcept {
  const std::size_t lines = (row_bytes + 63) / 64 * 64;
  return storage == Storage::kPca8 || lines - row_bytes <= row_bytes / 8 ? lines : (row_bytes + 15) / 16 * 16;
}

}  // namespace

VectorStore::VectorStore(const kernels::KernelTable& table, Storage storage, std::size_t dim)
    : table_(&table),
      family_(&table.families[family_of(storage)]),
      storage_(storage),
      dim_(dim),
      row_bytes_(family_->row_bytes(dim)),
      stride_(stride_of(storage, row_bytes_)) {}

void VectorStore::write(std::size_t slot, const float* x) noexcept {
  family_->encode(x, 1, dim_, rows_.data() + slot * stride_, stride_);
}

void VectorStore::copy_row(std::size_t from, std::size_t to) noexcept {
  std::memcpy(rows_.data() + to * stride_, row(from), stride_);
}

void VectorStore::copy_row_from(const VectorStore& other, std::size_t from, std::size_t to) noexcept {
  std::memcpy(rows_.data() + to * stride_, other.row(from), stride_);
}

void VectorStore::permute(std::span<const std::uint32_t> from) {
  std::vector<unsigned char> held(stride_);
  std::vector<bool> done(from.size());
  for (std::size_t first = 0; first < from.size(); ++first) {
    if (done[first] || from[first] == first) continue;
    // Round a cycle, until what was in its first row is due.
    std::memcpy(held.data(), row(first), stride_);
    std::size_t to = first;
    for (; from[to] != first; to = from[to]) {
      copy_row(from[to], to);
      done[to] = true;
    }
    std::memcpy(rows_.data() + to * stride_, held.data(), stride_);
    done[to] = true;
  }
}

void VectorStore::read(std::size_t slot, float* out) const noexcept { family_->decode(row(slot), dim_, out); }

void VectorStore::read(std::span<const std::uint32_t> slots, float* out) const noexcept {
  constexpr std::size_t kAhead = 8;
  for (std::size_t i = 0; i < std::min(kAhead, slots.size()); ++i) prefetch(slots[i]);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (i + kAhead < slots.size()) prefetch(slots[i + kAhead]);
    read(slots[i], out + i * dim_);
  }
}

float VectorStore::scale(std::size_t slot) const noexcept {
  kernels::Sq8Tail tail;
  std::memcpy(&tail, row(slot) + row_bytes_ - sizeof(tail), sizeof(tail));
  return tail.scale;
}

float VectorStore::norm2(std::size_t slot) const noexcept {
  kernels::Sq8Tail tail;
  std::memcpy(&tail, row(slot) + row_bytes_ - sizeof(tail), sizeof(tail));
  return tail.norm2;
}

void VectorStore::set_norm2(std::size_t slot, float norm2) noexcept {
  unsigned char* tail = rows_.data() + slot * stride_ + row_bytes_ - sizeof(kernels::Sq8Tail);
  std::memcpy(tail + offsetof(kernels::Sq8Tail, norm2), &norm2, sizeof(norm2));
}

bool VectorStore::equal_rows(std::size_t a, std::size_t b) const noexcept {
  return std::memcmp(row(a), row(b), row_bytes_) == 0;
}

void PreparedQuery::prepare(const VectorStore& store, const float* x) {
  const std::size_t bytes = store.kernels().query_bytes(store.dim());
  if (memory_.size() < bytes) memory_.resize(bytes);
  store.kernels().prepare_query(x, store.dim(), memory_.data());
}

float PreparedQuery::norm2() const noexcept {
  float norm2 = 0;
  std::memcpy(&norm2, memory_.data() + offsetof(kernels::Sq8Tail, norm2), sizeof(norm2));
  return norm2;
}

void PreparedQuery::prepare_row(const VectorStore& store, std::size_t slot, float* decoded) {
  if (store.storage() == Storage::kPca8) return prepare_codes(store, slot);
  store.read(slot, decoded);
  prepare(store, decoded);
}

void PreparedQuery::prepare_codes(const VectorStore& store, std::size_t slot) {
  const std::size_t bytes = store.kernels().query_bytes(store.dim());
  if (memory_.size() < bytes) memory_.resize(bytes);
  store.table().sq8_row_as_query(store.row(slot), store.dim(), memory_.data());
}

void PreparedQuery::set_norm2(float norm2) noexcept {
  std::memcpy(memory_.data() + offsetof(kernels::Sq8Tail, norm2), &norm2, sizeof(norm2));
}

RowScorer::RowScorer(const VectorStore& store, RowMetric metric, const void* prepared_query) noexcept
    : score_list_(store.kernels().score_list[static_cast<unsigned>(metric)]),
      query_(prepared_query),
      rows_(store.rows()),
      stride_(store.stride()),
      dim_(store.dim()),
      prefetched_(store.stride() <= kShortRow ? store.stride() : 0),
      negate_(metric == RowMetric::kDot) {}

void RowScorer::score(const std::uint32_t* slots, std::size_t n, float* costs) const noexcept {
  score_list_(query_, rows_, stride_, slots, n, dim_, costs);
  if (negate_) {
    for (std::size_t i = 0; i < n; ++i) costs[i] = -costs[i];
  }
}

}  // namespace segue
