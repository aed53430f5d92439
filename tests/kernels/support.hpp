#pragma once
// What the kernel tests share: every available instruction set as a test parameter, seeded data, coded matrices at
// odd addresses, memory that ends at an unreadable page, and the double-precision truth.

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "kernels/dispatch.hpp"

namespace segue::kernels::test {

inline constexpr std::size_t kDims[] = {1, 3, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 128, 768, 1536};
inline constexpr const char* kFamilyNames[kFamilies] = {"f32", "f16", "bf16", "sq8", "sq4"};
// Queries are coded too, in eight bits.
constexpr bool quantises(std::size_t family) { return family == kFamilySq8 || family == kFamilySq4; }
inline constexpr const char* kMetricNames[kMetricKernels] = {"dot", "l2"};
inline constexpr double kUnit = 0x1p-24;  // half of the last place of a float in [1, 2)
inline constexpr unsigned kSeed = 20240607;

// The instruction sets on which at least one test has run; main() fails if one that is available is missing.
inline std::set<std::string>& sets_that_ran() {
  static std::set<std::string> sets;
  return sets;
}

// Every test of this fixture runs once for each instruction set of the machine.
class EverySet : public ::testing::TestWithParam<const KernelTable*> {
 protected:
  void SetUp() override {
    sets_that_ran().insert(table().name);
    RecordProperty("seed", static_cast<int>(kSeed));
  }
  const KernelTable& table() const { return *GetParam(); }
  const FamilyKernels& family(std::size_t f) const { return table().families[f]; }
};

#define SEGUE_FOR_EVERY_SET(Fixture)                                                                    \
  INSTANTIATE_TEST_SUITE_P(                                                                             \
      Sets, Fixture,                                                                                    \
      ::testing::ValuesIn(std::vector<const ::segue::kernels::KernelTable*>(                            \
          ::segue::kernels::available_kernels().begin(), ::segue::kernels::available_kernels().end())), \
      [](const auto& test) { return std::string(test.param->name); })

inline std::vector<float> random_floats(std::size_t n, unsigned salt, float low = -1.0f, float high = 1.0f) {
  std::mt19937 random(kSeed + salt);
  std::uniform_real_distribution<float> uniform(low, high);
  std::vector<float> x(n);
  for (float& v : x) v = uniform(random);
  return x;
}

// `size` bytes whose last one lies directly before a page that must not be touched (and, the other way round, whose
// first byte is as far from the page's start as that leaves it).
class GuardedBytes {
 public:
  explicit GuardedBytes(std::size_t size) : size_(size) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    usable_ = (size + page - 1) / page * page;
    mapped_ = usable_ + page;
    void* p = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) std::abort();
    base_ = static_cast<unsigned char*>(p);
    if (mprotect(base_ + usable_, page, PROT_NONE) != 0) std::abort();
  }
  ~GuardedBytes() { munmap(base_, mapped_); }
  GuardedBytes(const GuardedBytes&) = delete;
  GuardedBytes& operator=(const GuardedBytes&) = delete;

  unsigned char* data() const { return base_ + usable_ - size_; }
  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(data());
  }

 private:
  std::size_t size_, usable_ = 0, mapped_ = 0;
  unsigned char* base_ = nullptr;
};

// 64-byte aligned bytes for prepared queries and scratch.
class AlignedBytes {
 public:
  explicit AlignedBytes(std::size_t size) : bytes_(size + 64) {}
  unsigned char* data() {
    const auto address = reinterpret_cast<std::uintptr_t>(bytes_.data());
    return bytes_.data() + (64 - address % 64) % 64;
  }

 private:
  std::vector<unsigned char> bytes_;
};

// n coded rows at an odd address with an odd stride: no kernel may assume alignment.
struct CodedRows {
  std::size_t n, dim, stride;
  std::vector<unsigned char> bytes;
  std::vector<float> decoded;

  CodedRows(const FamilyKernels& family, const std::vector<float>& x, std::size_t dim_in)
      : n(x.size() / dim_in), dim(dim_in), stride(family.row_bytes(dim) | 1u), bytes(n * stride + 1), decoded(n * dim) {
    family.encode(x.data(), n, dim, bytes.data() + 1, stride);
    for (std::size_t i = 0; i < n; ++i) family.decode(row(i), dim, decoded.data() + i * dim);
  }
  const unsigned char* data() const { return bytes.data() + 1; }
  const unsigned char* row(std::size_t i) const { return data() + i * stride; }
};

// nq prepared queries, and what each stands for: itself, or for sq8 and sq4 its reconstruction.
struct PreparedQueries {
  std::size_t n, dim, stride;
  AlignedBytes bytes;
  std::vector<float> meaning;

  PreparedQueries(const KernelTable& table, std::size_t f, const std::vector<float>& x, std::size_t dim_in)
      : PreparedQueries(table.families[f], x, dim_in) {
    if (quantises(f)) meaning = CodedRows(table.families[kFamilySq8], x, dim).decoded;
  }
  // Stand for themselves.
  PreparedQueries(const FamilyKernels& family, const std::vector<float>& x, std::size_t dim_in)
      : n(x.size() / dim_in), dim(dim_in), stride(family.query_bytes(dim)), bytes(n * stride), meaning(x) {
    for (std::size_t i = 0; i < n; ++i) family.prepare_query(x.data() + i * dim, dim, bytes.data() + i * stride);
  }
  const unsigned char* query(std::size_t i) { return bytes.data() + i * stride; }
};

// The score in double precision, and the magnitudes that its rounding error is measured in.
struct Truth {
  double score = 0.0;
  double magnitude = 0.0;  // sum |q x|, or sum (q - x)^2
  double norms = 0.0;      // |q|^2 + |x|^2
  double reach = 0.0;      // (|q| + |x|)^2
};

inline Truth truth(unsigned metric, const float* q, const float* x, std::size_t dim) {
  Truth t;
  double qq = 0.0, xx = 0.0;
  for (std::size_t i = 0; i < dim; ++i) {
    const double a = q[i], b = x[i];
    const double term = metric == kDot ? a * b : (a - b) * (a - b);
    t.score += term;
    t.magnitude += std::fabs(term);
    qq += a * a;
    xx += b * b;
  }
  t.norms = qq + xx;
  t.reach = (std::sqrt(qq) + std::sqrt(xx)) * (std::sqrt(qq) + std::sqrt(xx));
  return t;
}

// The tolerances that kernel_table.hpp promises.
inline double list_tolerance(const KernelTable& table, std::size_t family, std::size_t dim, const Truth& t) {
  if (quantises(family)) return 4.0 * kUnit * t.reach;
  const double chains = std::string(table.name) == "scalar" ? 2.0 : 4.0;
  return (static_cast<double>(dim) / chains + 16.0) * kUnit * t.magnitude;
}
inline double tile_tolerance(std::size_t family, unsigned metric, std::size_t dim, const Truth& t) {
  if (quantises(family)) return 4.0 * kUnit * t.reach;
  const double steps = static_cast<double>(dim) + 16.0;
  return metric == kDot ? steps * kUnit * t.magnitude : 2.0 * steps * kUnit * t.norms;
}

inline std::uint32_t bits(float x) {
  std::uint32_t b;
  std::memcpy(&b, &x, sizeof(b));
  return b;
}
inline float from_bits(std::uint32_t b) {
  float x;
  std::memcpy(&x, &b, sizeof(x));
  return x;
}

}  // namespace segue::kernels::test
