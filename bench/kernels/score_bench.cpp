// Distances a second and bytes a second of every scoring kernel of this machine.
//
//   kernels_score_bench [--full] --benchmark_filter='f32/dot/list/.*/128'
//
//   f32/dot/list/avx512/128/out_of_cache    family / metric / shape / instruction set / dimension / where the rows are
//
// Shapes: a list of 32 random ids, a block of 256 rows, a tile of 64 queries by 1024 rows. In cache: 256 KiB of rows;
// out of cache: 128 MiB, with --full 1 GiB. Beside them `plain`, the loop one would write, and `eigen`, both compiled
// as the rest of the library is, without instruction-set flags. Only ratios within one run mean anything.

#include <benchmark/benchmark.h>

#include <Eigen/Core>
#include <cstring>
#include <string>

#include "fixture.hpp"

namespace segue::kernels::bench {
namespace {

constexpr std::size_t kDims[] = {64, 128, 768};
constexpr std::size_t kList = 32;
constexpr std::size_t kBlock = 256;
constexpr std::size_t kTileQueries = 64;
constexpr std::size_t kTileRows = 1024;

struct Place {
  const char* name;
  std::size_t bytes;
};

void count(benchmark::State& state, std::size_t distances, std::size_t row_bytes) {
  const auto total = static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(distances);
  state.SetItemsProcessed(total);
  state.SetBytesProcessed(total * static_cast<std::int64_t>(row_bytes));
}

// Lists walk through 2^17 random ids, so that none is soon repeated.
template <class Score>
void run_list(benchmark::State& state, const Rows& rows, const Score& score) {
  float out[kList];
  std::size_t at = 0;
  for (auto _ : state) {
    score(rows.ids.data() + at, out);
    benchmark::DoNotOptimize(out);
    at = (at + kList) & (rows.ids.size() - 1);
  }
  count(state, kList, active_kernels().families[rows.family].row_bytes(rows.dim));
}

template <class Score>
void run_block(benchmark::State& state, const Rows& rows, const Score& score) {
  float out[kBlock];
  const std::size_t n = rows.n < kBlock ? rows.n : kBlock;
  std::size_t at = 0;
  for (auto _ : state) {
    score(rows.bytes.get() + at * rows.stride, n, out);
    benchmark::DoNotOptimize(out);
    at = at + 2 * n <= rows.n ? at + n : 0;
  }
  count(state, n, active_kernels().families[rows.family].row_bytes(rows.dim));
}

void add_kernels(std::size_t f, unsigned m, std::size_t dim, const Place& place) {
  for (const KernelTable* table : available_kernels()) {
    const FamilyKernels* kernels = &table->families[f];
    const auto name = [&](const char* shape) {
      return std::string(kFamilyNames[f]) + "/" + kMetricNames[m] + "/" + shape + "/" + table->name + "/" +
             std::to_string(dim) + "/" + place.name;
    };
    const std::size_t bytes = place.bytes;
    benchmark::RegisterBenchmark(name("list").c_str(), [=](benchmark::State& state) {
      const Rows& rows = Rows::get(f, dim, bytes);
      const Queries query(*kernels, 1, dim);
      run_list(state, rows, [&](const std::uint32_t* ids, float* out) {
        kernels->score_list[m](query.bytes.get(), rows.bytes.get(), rows.stride, ids, kList, dim, out);
      });
    });
    benchmark::RegisterBenchmark(name("block").c_str(), [=](benchmark::State& state) {
      const Rows& rows = Rows::get(f, dim, bytes);
      const Queries query(*kernels, 1, dim);
      run_block(state, rows, [&](const unsigned char* first, std::size_t n, float* out) {
        kernels->score_block[m](query.bytes.get(), first, rows.stride, n, dim, out);
      });
    });
  }
}

void add_tiles(std::size_t f, unsigned m, std::size_t dim) {
  for (const KernelTable* table : available_kernels()) {
    const FamilyKernels* kernels = &table->families[f];
    const std::string name = std::string(kFamilyNames[f]) + "/" + kMetricNames[m] + "/tile/" + table->name + "/" +
                             std::to_string(dim) + "/64x1024";
    benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
      const Rows& rows = Rows::get(f, dim, kTileRows * (kernels->row_bytes(dim) + 15) / 16 * 16);
      const std::size_t n = rows.n;
      const Queries queries(*kernels, kTileQueries, dim);
      const Bytes scratch = allocate(kernels->tile_scratch_bytes(dim));
      std::vector<float> out(kTileQueries * n);
      for (auto _ : state) {
        kernels->score_tile[m](queries.bytes.get(), queries.stride, kTileQueries, rows.bytes.get(), rows.stride, n, dim,
                               out.data(), n, scratch.get());
        benchmark::DoNotOptimize(out.data());
      }
      count(state, kTileQueries * n, kernels->row_bytes(dim));
      state.counters["flop/s"] = benchmark::Counter(2.0 * static_cast<double>(dim * n * kTileQueries),
                                                    benchmark::Counter::kIsIterationInvariantRate);
    });
  }
}

float plain_score(unsigned m, const float* q, const unsigned char* row, std::size_t dim) {
  float sum = 0.0f;
  for (std::size_t i = 0; i < dim; ++i) {
    float x;
    std::memcpy(&x, row + 4 * i, 4);
    sum += m == kDot ? q[i] * x : (q[i] - x) * (q[i] - x);
  }
  return sum;
}

float eigen_score(unsigned m, const float* q, const unsigned char* row, std::size_t dim) {
  const auto n = static_cast<Eigen::Index>(dim);
  const Eigen::Map<const Eigen::VectorXf> a(q, n), b(reinterpret_cast<const float*>(row), n);
  return m == kDot ? a.dot(b) : (a - b).squaredNorm();
}

void add_yardsticks(unsigned m, std::size_t dim, const Place& place) {
  for (const auto& [label, score] : {std::pair{"plain", &plain_score}, std::pair{"eigen", &eigen_score}}) {
    const auto name = [&, label = label](const char* shape) {
      return std::string("f32/") + kMetricNames[m] + "/" + shape + "/" + label + "/" + std::to_string(dim) + "/" +
             place.name;
    };
    const std::size_t bytes = place.bytes;
    benchmark::RegisterBenchmark(name("list").c_str(), [=, score = score](benchmark::State& state) {
      const Rows& rows = Rows::get(kFamilyF32, dim, bytes);
      const auto query = random_floats(dim, 3);
      run_list(state, rows, [&](const std::uint32_t* ids, float* out) {
        for (std::size_t i = 0; i < kList; ++i) {
          out[i] = score(m, query.data(), rows.bytes.get() + ids[i] * rows.stride, dim);
        }
      });
    });
    benchmark::RegisterBenchmark(name("block").c_str(), [=, score = score](benchmark::State& state) {
      const Rows& rows = Rows::get(kFamilyF32, dim, bytes);
      const auto query = random_floats(dim, 3);
      run_block(state, rows, [&](const unsigned char* first, std::size_t n, float* out) {
        for (std::size_t i = 0; i < n; ++i) out[i] = score(m, query.data(), first + i * rows.stride, dim);
      });
    });
  }
}

void add_eigen_product(std::size_t dim) {
  const std::string name = "f32/dot/tile/eigen/" + std::to_string(dim) + "/64x1024";
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
    using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const auto d = static_cast<Eigen::Index>(dim);
    const Matrix queries = Matrix::Random(kTileQueries, d), rows = Matrix::Random(kTileRows, d);
    Matrix out(kTileQueries, kTileRows);
    for (auto _ : state) {
      out.noalias() = queries * rows.transpose();
      benchmark::DoNotOptimize(out.data());
    }
    count(state, kTileQueries * kTileRows, dim * 4);
    state.counters["flop/s"] = benchmark::Counter(2.0 * static_cast<double>(dim * kTileRows * kTileQueries),
                                                  benchmark::Counter::kIsIterationInvariantRate);
  });
}

void add_all(bool full) {
  const Place places[] = {{"in_cache", std::size_t{256} << 10},
                          {"out_of_cache", (full ? std::size_t{1024} : std::size_t{128}) << 20}};
  for (std::size_t f = 0; f < kFamilies; ++f) {
    for (const std::size_t dim : kDims) {
      for (const Place& place : places) {
        for (unsigned m = 0; m < kMetricKernels; ++m) {
          add_kernels(f, m, dim, place);
          if (f == kFamilyF32) add_yardsticks(m, dim, place);
        }
      }
      for (unsigned m = 0; m < kMetricKernels; ++m) add_tiles(f, m, dim);
      if (f == kFamilyF32) add_eigen_product(dim);
    }
  }
}

}  // namespace
}  // namespace segue::kernels::bench

int main(int argc, char** argv) {
  bool full = false;
  int kept = 1;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--full") == 0) {
      full = true;
    } else {
      argv[kept++] = argv[i];
    }
  }
  argc = kept;
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  segue::kernels::bench::add_all(full);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
