// 20,000 damaged files over every kind, metric and storage, each with a catalog: with verify none gives a wrong answer,
// and whatever verify says none crashes, hangs, or has loading ask for more than twice the file.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "catalog/random_catalog.hpp"
#include "index_file_body.hpp"
#include "segue/core/buffer.hpp"
#include "support/allocation_limit.hpp"
#include "support/allocation_meter.hpp"

namespace segue::test {
namespace {

constexpr std::uint64_t kSeed = 90210;
// In all, times SEGUE_FUZZ_ROUNDS for those who have an hour.
constexpr std::size_t kAllMutations = 20'000;
// Enough that what an index takes whatever its size is little beside its file.
constexpr std::size_t kRows = 600;

std::vector<IndexCase> every_case() {
  std::vector<IndexCase> cases;
  for (const char* kind : {"flat", "hnsw", "ivf"}) {
    for (const Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine}) {
      for (const Storage storage :
           {Storage::kF32, Storage::kF16, Storage::kBf16, Storage::kSq8, Storage::kSq4, Storage::kPca8, Storage::kRabitq3}) {
        const bool graph = kind == std::string_view("hnsw");
        const bool lists = kind == std::string_view("ivf");
        if (rabitq_bits(storage) != 0 && !lists) continue;
        if (storage == Storage::kPca8 && !lists && !(graph && metric != Metric::kInnerProduct)) continue;
        const bool rerank = storage == Storage::kPca8 || (rabitq_bits(storage) != 0 && metric != Metric::kCosine);
        cases.push_back({kind, metric, storage, rerank ? Storage::kSq8 : Storage::kAuto});
      }
    }
  }
  return cases;
}

Bytes file_of(const IndexCase& which) {
  Random random(3);
  CatalogModel model{all_kinds_of_columns(), {}};
  std::vector<Id> ids(30);
  std::iota(ids.begin(), ids.end(), Id{3});
  const std::unique_ptr<Index> index = make_index(which, kRows);
  index->set_catalog(Catalog::create(random_rows(random, model, model.columns, ids), {ids, {}}).value());
  return index->to_bytes().value();
}

struct Answers {
  SearchResult found;
  std::vector<Id> selected;
  bool operator==(const Answers& other) const {
    return found.ids == other.found.ids && found.scores == other.found.scores && selected == other.selected;
  }
};

Answers ask(const Index& index) {
  const std::vector<float> queries = index_rows(4, 99);
  const Result<SearchResult> found = index.search(MatrixView(queries, kIndexDim), 20, {.ef = 400, .threads = 1});
  EXPECT_TRUE(found.ok()) << found.status().message();
  const Result<IdSet> selected = index.catalog()->select("small >= 0 or genre = 'g1' or market has 'm2'");
  EXPECT_TRUE(selected.ok()) << selected.status().message();
  return {found.ok() ? *found : SearchResult{}, selected.ok() ? selected->listed_ids() : std::vector<Id>{}};
}

class IndexMutation : public testing::TestWithParam<IndexCase> {
 protected:
  // Loads, with an eye on what that takes.
  Result<std::unique_ptr<Index>> load_metered(const Bytes& damaged, bool verify) {
    const AllocationMeter meter;
    Result<std::unique_ptr<Index>> index = load_bytes(damaged, verify);
    EXPECT_LE(meter.most(), std::max(2 * damaged.size(), kFixed)) << "loading asked for more than twice the file";
    largest_ = std::max(largest_, meter.most());
    return index;
  }
  // What reading the table of a file takes, however short it is, and the text of an error.
  static constexpr std::size_t kFixed = 20'000;
  std::size_t largest_ = 0;
};

TEST_P(IndexMutation, NoCrashNoWrongAnswerNoMemoryBeyondTwiceTheFile) {
  const char* rounds = std::getenv("SEGUE_FUZZ_ROUNDS");
  const std::size_t mutations =
      (kAllMutations / every_case().size() + 1) * (rounds == nullptr ? 1U : std::strtoul(rounds, nullptr, 10));
  const Bytes whole = file_of(GetParam());
  const Answers wanted = ask(**load_bytes(whole));
  {
    // Twice, as the first may fill caches of the allocator and of the library.
    (void)load_metered(whole, true);
    const AllocationMeter meter;
    ASSERT_TRUE(load_bytes(whole).ok());
    RecordProperty("file_bytes", std::to_string(whole.size()));
    RecordProperty("whole", std::to_string(meter.most()));
  }
  AllocationLimit limit(std::size_t{256} << 20);
  Random random(kSeed);
  std::size_t refused = 0, used = 0;
  for (std::size_t i = 0; i < mutations; ++i) {
    SCOPED_TRACE("seed " + std::to_string(kSeed) + ", mutation " + std::to_string(i));
    Bytes damaged = i % 4 == 0 ? mutate(whole, random) : mutate_sections(whole, random);
    if (const Result<std::unique_ptr<Index>> verified = load_metered(damaged, true); verified.ok()) {
      EXPECT_TRUE(ask(**verified) == wanted) << "a damaged file was let through and answers otherwise";
    } else {
      ++refused;
      EXPECT_EQ(verified.status().code(), StatusCode::kCorruptFile) << verified.status().message();
    }
    // Half of them with checksums that somebody made right; those may pass verify, and then all has to hold.
    const bool fixed = i % 2 == 1;
    if (fixed) fix_checksums(damaged);
    const bool verify = i % 3 == 0;
    Result<std::unique_ptr<Index>> index = load_metered(damaged, verify);
    if (index.ok()) {
      ++used;
      if (verify) {
        EXPECT_TRUE((*index)->validate().ok()) << (*index)->validate().message();
      }
      const std::shared_ptr<Catalog> catalog = (*index)->catalog();
      if (catalog != nullptr) {
        EXPECT_TRUE(catalog->validate().ok()) << catalog->validate().message();
      }
      use_index(**index);
    } else {
      EXPECT_EQ(index.status().code(), StatusCode::kCorruptFile) << index.status().message();
    }
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_TRUE(limit.kept());
  EXPECT_EQ(refused, mutations) << "sums let damage through";
  EXPECT_GT(used, mutations / 5) << "hardly anything behind the reader was tested";
  RecordProperty("largest", std::to_string(largest_));
}

INSTANTIATE_TEST_SUITE_P(Kinds, IndexMutation, testing::ValuesIn(every_case()),
                         [](const auto& which) { return which.param.name(); });

TEST(AllocationMeter, SeesWhatIsAskedFor) {
  if (!AllocationMeter::counts()) GTEST_SKIP() << "sanitizers have an allocator of their own";
  const AllocationMeter meter;
  { const std::vector<char> some(100'000); }
  { const std::vector<char> some(70'000); }
  EXPECT_GE(meter.most(), 100'000U);
  EXPECT_LT(meter.most(), 110'000U);
  // The library's own, which are aligned or mapped.
  Buffer<float> large(std::size_t{3} << 20);
  EXPECT_GE(meter.most(), std::size_t{12} << 20);
}

}  // namespace
}  // namespace segue::test
