#include "segue/core/head_coder.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <utility>

#include "kernels/kernel_table.hpp"
#include "segue/core/parallel_for.hpp"

namespace segue {
namespace {

constexpr std::size_t kBatch = 64;
// Rows that are on their way while others are decoded.
constexpr std::size_t kRowsAhead = 8;
// Heads that fill whole cache lines together with their Sq8Tail.
constexpr std::size_t kLine = 64;
constexpr std::size_t head_of(std::size_t lines) noexcept { return lines * kLine - sizeof(kernels::Sq8Tail); }

// How a head is tried: neighbours of some of the sample among the rest of it.
constexpr std::size_t kTrialRows = 2048;
constexpr std::size_t kTrialQueries = 96;
constexpr std::size_t kTrialNeighbors = 10;
// The overlap of the neighbours by codes with the true ones that is worth no further line. Less than that costs walks
// dearly where queries are not like items: of book factors 116 of 128 directions keep 0.91 of an item's neighbours, and
// people's vectors asking then need ef 150 where all directions, which keep 0.998, need 38.
constexpr double kEnoughOverlap = 0.95;

const kernels::FamilyKernels& f32_of(const kernels::KernelTable& table) noexcept {
  return table.families[kernels::kFamilyF32];
}

void grow(Buffer<float>& buffer, std::size_t size) {
  if (buffer.size() < size) buffer.resize(size);
}
void grow(Buffer<unsigned char>& buffer, std::size_t size) {
  if (buffer.size() < size) buffer.resize(size);
}

// The nearest of the trial rows to each trial query, which is one of them and does not count.
class Trial {
 public:
  Trial(const kernels::KernelTable& table, MatrixView rows) : table_(table) {
    const std::size_t n = std::min(rows.rows(), kTrialRows);
    for (std::size_t i = 0; i < n; ++i) {
      const float* x = rows.row(i * rows.rows() / n);
      x_.insert(x_.end(), x, x + rows.cols());
    }
    dim_ = rows.cols();
    VectorStore exact(table, Storage::kF32, dim_);
    exact.resize(n);
    for (std::size_t i = 0; i < n; ++i) exact.write(i, x_.data() + i * dim_);
    PreparedQuery prepared;
    for (std::size_t q = 0; q < queries(); ++q) {
      prepared.prepare(exact, x_.data() + slot_of(q) * dim_);
      truth_.push_back(nearest(exact, prepared, slot_of(q)));
    }
  }

  double overlap(const Projection& projection) const {
    const HeadCoder coder(table_, projection);
    VectorStore codes(table_, Storage::kPca8, coder.head());
    codes.resize(rows());
    HeadMemory memory;
    std::vector<std::uint32_t> slots(rows());
    std::iota(slots.begin(), slots.end(), 0u);
    coder.encode(MatrixView(x_, dim_), slots.data(), codes, nullptr, memory);
    PreparedQuery prepared;
    std::size_t common = 0;
    for (std::size_t q = 0; q < queries(); ++q) {
      coder.prepare(x_.data() + slot_of(q) * dim_, codes, prepared, memory);
      for (const std::uint32_t found : nearest(codes, prepared, slot_of(q))) {
        common += std::count(truth_[q].begin(), truth_[q].end(), found) != 0;
      }
    }
    return static_cast<double>(common) / static_cast<double>(queries() * kTrialNeighbors);
  }

 private:
  std::size_t rows() const noexcept { return x_.size() / dim_; }
  std::size_t queries() const noexcept { return std::min(rows(), kTrialQueries); }
  std::uint32_t slot_of(std::size_t q) const noexcept { return static_cast<std::uint32_t>(q * rows() / queries()); }

  std::vector<std::uint32_t> nearest(const VectorStore& store, const PreparedQuery& query, std::uint32_t self) const {
    std::vector<float> costs(rows());
    store.kernels().score_block[kernels::kSquaredL2](query.data(), store.rows(), store.stride(), rows(), store.dim(),
                                                     costs.data());
    costs[self] = std::numeric_limits<float>::infinity();
    std::vector<std::uint32_t> order(rows());
    std::iota(order.begin(), order.end(), 0u);
    const auto last = order.begin() + static_cast<std::ptrdiff_t>(std::min(kTrialNeighbors, rows()));
    std::partial_sort(order.begin(), last, order.end(), [&](std::uint32_t a, std::uint32_t b) {
      return costs[a] != costs[b] ? costs[a] < costs[b] : a < b;
    });
    order.erase(last, order.end());
    return order;
  }

  const kernels::KernelTable& table_;
  std::size_t dim_ = 0;
  std::vector<float> x_;
  std::vector<std::vector<std::uint32_t>> truth_;
};

}  // namespace

HeadCoder HeadCoder::train(const kernels::KernelTable& table, MatrixView rows, int threads) {
  const std::size_t dim = rows.cols();
  constexpr std::size_t kFirstTry = head_of(3);
  constexpr std::size_t kRowsWorthATrial = 256;
  const auto train_head = [&](std::size_t head) {
    return Projection::train(table, rows, {.head = head, .centered = true, .threads = threads});
  };
  Projection longest = train_head(kFirstTry);
  if (rows.rows() < kRowsWorthATrial || !longest.rotates()) return HeadCoder(table, std::move(longest));
  const Trial trial(table, rows);
  for (std::size_t lines = 1;; ++lines) {
    const std::size_t head = std::min({head_of(lines), dim, kMaxHead});
    if (head > longest.head()) longest = train_head(std::min(dim, kMaxHead));
    Projection shorter = longest.shortened(head);
    if (head == dim || head == kMaxHead || trial.overlap(shorter) >= kEnoughOverlap) {
      return HeadCoder(table, std::move(shorter));
    }
  }
}

HeadCoder::HeadCoder(const kernels::KernelTable& table, Projection projection)
    : projection_(std::move(projection)), quick_basis_(table, Storage::kSq8, projection_.dim()) {
  if (!projection_.rotates()) return;
  quick_basis_.resize(head());
  columns_.resize(table.matrix.bytes(dim(), head()));
  table.matrix.lay_out(projection_.columns().data(), dim(), head(), columns_.data());
  for (std::size_t i = 0; i < head(); ++i) quick_basis_.write(i, projection_.basis().data() + i * dim());
}

void HeadCoder::encode(MatrixView x, const std::uint32_t* slots, VectorStore& codes, VectorStore* rest,
                       HeadMemory& memory) const {
  grow(memory.head, kBatch * head() + kBatch);
  float* heads = memory.head.data();
  float* tails = heads + kBatch * head();
  for (std::size_t first = 0; first < x.rows(); first += kBatch) {
    const std::size_t n = std::min(kBatch, x.rows() - first);
    projection_.apply(x.slice(first, n), heads, tails, memory.projection);
    for (std::size_t i = 0; i < n; ++i) {
      const std::uint32_t slot = slots[first + i];
      codes.write(slot, heads + i * head());
      codes.set_norm2(slot, codes.norm2(slot) + tails[i] * tails[i]);
    }
    if (rest == nullptr) continue;
    // What the codes say, for all of them at once, then what is missing.
    for (std::size_t i = 0; i < n; ++i) codes.read(slots[first + i], heads + i * head());
    grow(memory.whole, kBatch * dim());
    float* whole = memory.whole.data();
    expand(codes.table(), n, whole, memory);
    grow(memory.moved, dim());
    float* missing = memory.moved.data();
    const float* centre = projection_.centered() ? projection_.centre().data() : nullptr;
    for (std::size_t i = 0; i < n; ++i) {
      const float* row = x.row(first + i);
      float* there = whole + i * dim();
      for (std::size_t j = 0; j < dim(); ++j) missing[j] = row[j] - (centre ? centre[j] : 0.0f) - there[j];
      rest->write(slots[first + i], missing);
      rest->read(slots[first + i], missing);
      double norm2 = 0;
      for (std::size_t j = 0; j < dim(); ++j) {
        const double sum = static_cast<double>(there[j]) + missing[j];
        norm2 += sum * sum;
      }
      rest->set_norm2(slots[first + i], static_cast<float>(norm2));
    }
  }
}

void HeadCoder::expand(const kernels::KernelTable& table, std::size_t n, float* out, HeadMemory& memory) const {
  if (!projection_.rotates()) {
    std::memcpy(out, memory.head.data(), n * dim() * sizeof(float));
    return;
  }
  const kernels::FamilyKernels& f32 = f32_of(table);
  const std::size_t query_bytes = f32.query_bytes(head());
  grow(memory.query, n * query_bytes);
  for (std::size_t i = 0; i < n; ++i) {
    f32.prepare_query(memory.head.data() + i * head(), head(), memory.query.data() + i * query_bytes);
  }
  table.matrix.multiply(memory.query.data(), query_bytes, n, columns_.data(), dim(), head(), out);
}

void HeadCoder::decode(const VectorStore& codes, const VectorStore* rest, std::span<const std::uint32_t> slots,
                       float* out, HeadMemory& memory) const {
  const float* centre = projection_.centered() ? projection_.centre().data() : nullptr;
  grow(memory.head, std::min(kBatch, slots.size()) * head());
  grow(memory.whole, dim());
  const auto prefetch = [&](std::size_t i) {
    if (i >= slots.size()) return;
    codes.prefetch(slots[i]);
    if (rest != nullptr) rest->prefetch(slots[i]);
  };
  for (std::size_t i = 0; i < kRowsAhead; ++i) prefetch(i);
  for (std::size_t first = 0; first < slots.size(); first += kBatch) {
    const std::size_t n = std::min(kBatch, slots.size() - first);
    for (std::size_t i = 0; i < n; ++i) {
      prefetch(first + i + kRowsAhead);
      codes.read(slots[first + i], memory.head.data() + i * head());
    }
    float* rows = out + first * dim();
    expand(codes.table(), n, rows, memory);
    for (std::size_t i = 0; i < n; ++i, rows += dim()) {
      if (rest != nullptr) {
        rest->read(slots[first + i], memory.whole.data());
        for (std::size_t j = 0; j < dim(); ++j) rows[j] += memory.whole[j];
      }
      if (centre == nullptr) continue;
      for (std::size_t j = 0; j < dim(); ++j) rows[j] += centre[j];
    }
  }
}

void HeadCoder::prepare(const float* query, const VectorStore& codes, PreparedQuery& out, HeadMemory& memory) const {
  grow(memory.moved, dim());
  float* moved = memory.moved.data();
  if (projection_.centered()) {
    const float* centre = projection_.centre().data();
    for (std::size_t j = 0; j < dim(); ++j) moved[j] = query[j] - centre[j];
  } else {
    std::memcpy(moved, query, dim() * sizeof(float));
  }
  if (!projection_.rotates()) {
    out.prepare(codes, moved);
    return;
  }
  grow(memory.head, head());
  memory.quick.prepare(quick_basis_, moved);
  quick_basis_.kernels().score_block[kernels::kDot](memory.quick.data(), quick_basis_.rows(), quick_basis_.stride(),
                                                    head(), dim(), memory.head.data());
  out.prepare(codes, memory.head.data());
  out.set_norm2(std::max(out.norm2(), memory.quick.norm2()));
}

HeadDecider::HeadDecider(const HeadCoder& coder, const VectorStore& codes, const VectorStore* rest, RowMetric metric,
                         const float* query, HeadMemory& memory)
    : codes_(codes),
      rest_(rest),
      table_(codes.table()),
      metric_(metric),
      memory_(memory),
      whole_at_(f32_of(table_).query_bytes(coder.head())) {
  const kernels::FamilyKernels& f32 = f32_of(table_);
  const std::size_t dim = coder.dim();
  const Projection& projection = coder.projection();
  const Buffer<float>& centre = projection.centre();
  grow(memory.query, whole_at_ + f32.query_bytes(dim));
  grow(memory.moved, dim);
  grow(memory.head, coder.head());
  grow(memory.whole, dim);
  float* moved = memory.moved.data();
  double along = 0;
  double norm2 = 0;
  for (std::size_t j = 0; j < dim; ++j) {
    const float c = projection.centered() ? centre[j] : 0.0f;
    moved[j] = metric == RowMetric::kDot ? query[j] : query[j] - c;
    along += static_cast<double>(query[j]) * c;
    norm2 += static_cast<double>(moved[j]) * moved[j];
  }
  unsigned char* whole = memory.query.data() + whole_at_;
  f32.prepare_query(moved, dim, whole);
  float* head = memory.head.data();
  if (projection.rotates()) {
    f32.score_block[kernels::kDot](whole, reinterpret_cast<const unsigned char*>(projection.basis().data()),
                                   dim * sizeof(float), coder.head(), dim, head);
  } else {
    std::memcpy(head, moved, dim * sizeof(float));
  }
  f32.prepare_query(head, coder.head(), memory.query.data());
  if (metric == RowMetric::kDot) {
    offset_ = static_cast<float>(along);
  } else if (rest != nullptr) {
    offset_ = static_cast<float>(norm2);
  } else {
    for (std::size_t i = 0; i < coder.head(); ++i) norm2 -= static_cast<double>(head[i]) * head[i];
    offset_ = coder.head() == dim ? 0.0f : static_cast<float>(std::max(0.0, norm2));
  }
}

float HeadDecider::cost(std::uint32_t slot) const noexcept {
  const kernels::FamilyKernels& f32 = f32_of(table_);
  const auto score = [&](const VectorStore& store, kernels::MetricKernel metric, const unsigned char* query, float* row) {
    float result = 0;
    store.read(slot, row);
    f32.score_block[metric](query, reinterpret_cast<const unsigned char*>(row), 0, 1, store.dim(), &result);
    return result;
  };
  const unsigned char* head = memory_.query.data();
  const bool dot = metric_ == RowMetric::kDot;
  if (!dot && rest_ == nullptr) return offset_ + score(codes_, kernels::kSquaredL2, head, memory_.head.data());
  float product = score(codes_, kernels::kDot, head, memory_.head.data());
  if (rest_ != nullptr) product += score(*rest_, kernels::kDot, head + whole_at_, memory_.whole.data());
  if (dot) return -(offset_ + product);
  return std::max(0.0f, (offset_ + rest_->norm2(slot)) - 2.0f * product);
}

}  // namespace segue
