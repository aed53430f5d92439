#pragma once
// Coded rows, ids and prepared queries for one kernel benchmark, made once a (family, dimension, size) and kept for
// the instruction sets that follow: coding half a gigabyte takes longer than scoring it.

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <random>
#include <vector>

#include "kernels/dispatch.hpp"

namespace segue::kernels::bench {

inline constexpr const char* kFamilyNames[kFamilies] = {"f32", "f16", "bf16", "sq8", "sq4"};
inline constexpr const char* kMetricNames[kMetricKernels] = {"dot", "l2"};

struct FreeBytes {
  void operator()(void* p) const noexcept { std::free(p); }
};
using Bytes = std::unique_ptr<unsigned char, FreeBytes>;

inline Bytes allocate(std::size_t size) {
  return Bytes(static_cast<unsigned char*>(std::aligned_alloc(64, (size + 63) / 64 * 64)));
}

inline std::vector<float> random_floats(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
  std::vector<float> x(n);
  for (float& v : x) v = uniform(random);
  return x;
}

// Rows repeat a thousand random ones: what they hold does not matter to a kernel, where they lie does.
struct Rows {
  std::size_t family, dim, n, stride;
  Bytes bytes;
  std::vector<std::uint32_t> ids;  // random, as a graph's neighbours are

  // As many rows as fill `total` bytes, each padded to 16 bytes.
  Rows(std::size_t family_in, std::size_t dim_in, std::size_t total) : family(family_in), dim(dim_in) {
    const FamilyKernels& kernels = active_kernels().families[family];
    stride = (kernels.row_bytes(dim) + 15) / 16 * 16;
    n = total / stride;
    bytes = allocate(n * stride);
    const std::size_t distinct = n < 1000 ? n : 1000;
    const auto x = random_floats(distinct * dim, 1);
    for (std::size_t i = 0; i < n; i += distinct) {
      kernels.encode(x.data(), n - i < distinct ? n - i : distinct, dim, bytes.get() + i * stride, stride);
    }
    std::mt19937 random(2);
    ids.resize(1u << 17);
    for (std::uint32_t& id : ids) id = static_cast<std::uint32_t>(random() % n);
  }

  // The last rows made; benchmarks are registered so that equal ones follow each other.
  static const Rows& get(std::size_t family, std::size_t dim, std::size_t total) {
    static std::unique_ptr<Rows> rows;
    static std::size_t made_for = 0;
    if (!rows || rows->family != family || rows->dim != dim || made_for != total) {
      rows.reset();
      rows = std::make_unique<Rows>(family, dim, total);
      made_for = total;
    }
    return *rows;
  }
};

struct Queries {
  std::size_t stride;
  Bytes bytes;
  Queries(const FamilyKernels& kernels, std::size_t n, std::size_t dim)
      : stride(kernels.query_bytes(dim)), bytes(allocate(n * stride)) {
    const auto x = random_floats(n * dim, 3);
    for (std::size_t i = 0; i < n; ++i) kernels.prepare_query(x.data() + i * dim, dim, bytes.get() + i * stride);
  }
};

}  // namespace segue::kernels::bench
