// Files of FAISS: what its reader takes from anybody, and what segue::faiss makes of that. FAISS believes the sizes it
// finds, so this program has memory for small indexes alone: what asks for more gets std::bad_alloc, as on a machine
// that is full.

#include <faiss/impl/io.h>
#include <faiss/index_factory.h>
#include <faiss/index_io.h>

#include <algorithm>
#include <cstdlib>
#include <new>

#include "fuzz/fuzz_require.hpp"
#include "fuzz/targets/fuzz_target.hpp"
#include "fuzz/targets/scratch_path.hpp"
#include "index/vectors.hpp"
#include "segue/interop/faiss.hpp"

#if defined(__SANITIZE_ADDRESS__)
#define SEGUE_TEST_LSAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SEGUE_TEST_LSAN 1
#endif
#endif
#ifdef SEGUE_TEST_LSAN
#include <sanitizer/lsan_interface.h>
#endif

namespace {
// Only while a file is read: libFuzzer has large tables of its own.
bool small_machine = false;
}  // namespace

void* operator new(std::size_t bytes) {
  const bool refused = small_machine && bytes > (std::size_t{16} << 20);
  void* memory = !refused ? std::malloc(std::max<std::size_t>(bytes, 1)) : nullptr;
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return std::malloc(std::max<std::size_t>(bytes, 1));
}
void* operator new[](std::size_t bytes) { return operator new(bytes); }
// Not inline: where one of the pair is and the other is not, gcc 12 takes them for strangers.
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace segue::test {
namespace {

constexpr int kDim = 4;

// FAISS 1.7 forgets what it had read of a file when it throws.
Result<std::unique_ptr<Index>> read(const std::string& path) {
#ifdef SEGUE_TEST_LSAN
  const __lsan::ScopedDisabler leaks;
#endif
  small_machine = true;
  Result<std::unique_ptr<Index>> index = from_faiss(path);
  small_machine = false;
  return index;
}

void run(std::span<const unsigned char> input) {
  const Result<std::unique_ptr<Index>> index = read(scratch_path(input));
  if (!index.ok()) {
    const StatusCode code = index.status().code();
    SEGUE_FUZZ_REQUIRE(code == StatusCode::kCorruptFile || code == StatusCode::kUnsupported ||
                       code == StatusCode::kInvalidArgument || code == StatusCode::kOutOfMemory);
    SEGUE_FUZZ_REQUIRE(!index.status().message().empty());
    return;
  }
  SEGUE_FUZZ_REQUIRE((*index)->validate().ok());
  const std::vector<float> query((*index)->dim(), 0.5F);
  const Result<SearchResult> found = (*index)->search(MatrixView(query, query.size()), 3, {.threads = 1});
  SEGUE_FUZZ_REQUIRE(found.ok());
  for (const Id id : found->ids) SEGUE_FUZZ_REQUIRE(id == kMissingId || (*index)->contains(id));
}

std::vector<Bytes> seeds() {
  std::vector<Bytes> seeds;
  Random random(21);
  const Vectors rows = gaussian_vectors(random, 40, kDim);
  for (const char* factory : {"Flat", "IDMap,Flat", "IDMap2,Flat", "IVF2,Flat", "IVF2,SQ8", "IVF2,PQ2x4", "HNSW4,Flat",
                              "IDMap,HNSW4,Flat", "LSH", "PCA2,Flat"}) {
    for (const faiss::MetricType metric : {faiss::METRIC_L2, faiss::METRIC_INNER_PRODUCT}) {
      if (factory == std::string_view("LSH") && metric != faiss::METRIC_L2) continue;
      const std::unique_ptr<faiss::Index> index(faiss::index_factory(kDim, factory, metric));
      index->train(40, rows.data());
      if (std::string_view(factory).starts_with("IDMap")) {
        const std::int64_t ids[] = {7, 1, 1'000'000'007, 3, 4, 5, 6, 8, 9, 10};
        index->add_with_ids(10, rows.data(), ids);
      } else {
        index->add(10, rows.data());
      }
      faiss::VectorIOWriter writer;
      faiss::write_index(index.get(), &writer);
      seeds.emplace_back(writer.data.begin(), writer.data.end());
    }
  }
  return seeds;
}

}  // namespace

const FuzzTarget& fuzz_target() {
  static const FuzzTarget target = {"faiss_file", run, seeds};
  return target;
}

}  // namespace segue::test
