// Indexes of the real FAISS, in and out: the same ids and scores.

#include <faiss/IndexFlat.h>
#include <faiss/IndexIVFFlat.h>
#include <faiss/index_io.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <tuple>

#include "index/answers.hpp"
#include "interop/faiss_answers.hpp"
#include "segue/flat.hpp"
#include "segue/hnsw.hpp"
#include "segue/ivf.hpp"
#include "support/temporary_folder.hpp"

namespace segue::test {
namespace {

struct Factory {
  const char* text;
  const char* kind;
};
constexpr Factory kFactories[] = {{"Flat", "flat"},
                                  {"IVF12,Flat", "ivf"},
                                  {"IVF12,SQ8", "ivf"},
                                  {"IVF12,SQ6", "ivf"},
                                  {"IVF12,SQfp16", "ivf"},
                                  {"IVF12,PQ4np", "ivf"},
                                  {"IVF12,PQ8x4np", "ivf"},
                                  {"HNSW12,Flat", "hnsw"},
                                  {"IDMap,Flat", "flat"},
                                  {"IDMap,IVF12,Flat", "ivf"},
                                  {"IDMap,IVF12,SQ8", "ivf"},
                                  {"IDMap2,IVF12,PQ4np", "ivf"},
                                  {"IDMap2,HNSW12,Flat", "hnsw"}};

class FaissInAndOut : public testing::TestWithParam<std::tuple<Factory, faiss::MetricType>> {
 protected:
  const Factory factory_ = std::get<0>(GetParam());
  const faiss::MetricType metric_ = std::get<1>(GetParam());
  const bool own_ids_ = std::string_view(factory_.text).find("I") != std::string_view::npos;
  const Vectors x_ = rows_of(1, kRows);
  const Vectors q_ = rows_of(2, kQueries);
};

TEST_P(FaissInAndOut, AnswersAreTheSame) {
  const bool loses = factory_.kind == std::string("hnsw") && metric_ == faiss::METRIC_INNER_PRODUCT;
  const FaissIndex theirs = make_faiss(factory_.text, metric_, x_, own_ids_);
  const Answers wanted = ask(*theirs, q_);
  const TemporaryFolder folder;
  faiss::write_index(theirs.get(), folder.file("theirs.faiss").c_str());
  for (auto& made : {from_faiss(*theirs), from_faiss(folder.file("theirs.faiss"))}) {
    ASSERT_TRUE(made.ok()) << made.status().message();
    const Index& ours = **made;
    EXPECT_EQ(ours.kind(), factory_.kind);
    EXPECT_EQ(ours.metric(), metric_ == faiss::METRIC_L2 ? Metric::kL2 : Metric::kInnerProduct);
    EXPECT_EQ(ours.size(), kRows);
    SEGUE_ASSERT_OK(ours.validate());
    const Answers found = ask(ours, q_);
    loses ? expect_no_worse(found, wanted) : expect_alike(found, wanted);
    if (HasFatalFailure()) return;

    SEGUE_ASSERT_OK(to_faiss(ours, folder.file("back.faiss")));
    const FaissIndex read(faiss::read_index(folder.file("back.faiss").c_str()));
    auto in_memory = to_faiss(ours);
    ASSERT_TRUE(in_memory.ok()) << in_memory.status().message();
    for (faiss::Index* back : {read.get(), in_memory->get()}) {
      ASSERT_EQ(back->ntotal, static_cast<std::int64_t>(kRows));
      const Answers again = ask(*back, q_);
      loses ? expect_no_worse(found, again) : expect_alike(again, found);
      if (HasFatalFailure()) return;
    }
  }
}

// What FAISS itself reconstructs, scanned in double: no table of FAISS's comes into it.
TEST_P(FaissInAndOut, AnswersAreTheTrueOnesOverWhatFaissReconstructs) {
  const FaissIndex theirs = make_faiss(factory_.text, metric_, x_, own_ids_);
  faiss::Index& inner = inner_of(*theirs);
  auto* lists = dynamic_cast<faiss::IndexIVF*>(&inner);
  const bool mapped = &inner != theirs.get();
  if (lists != nullptr) lists->set_direct_map_type(faiss::DirectMap::Hashtable);
  const auto ours = from_faiss(*theirs);
  ASSERT_TRUE(ours.ok()) << ours.status().message();
  const std::vector<Id> ids = odd_ids(kRows);
  Reference reference(kDim, (*ours)->metric());
  std::vector<float> row(kDim);
  for (std::size_t i = 0; i < kRows; ++i) {
    const Id name = own_ids_ ? ids[i] : static_cast<Id>(i);
    inner.reconstruct(lists != nullptr && !mapped ? name : static_cast<Id>(i), row.data());
    reference.set(name, row.data());
  }
  Tally tally;
  check_search(**ours, reference, MatrixView(q_, kDim), kK, {.ef = kRows, .nprobe = kRows}, true, tally);
  EXPECT_EQ(tally.found, tally.wanted);
}

INSTANTIATE_TEST_SUITE_P(Kinds, FaissInAndOut,
                         testing::Combine(testing::ValuesIn(kFactories),
                                          testing::Values(faiss::METRIC_L2, faiss::METRIC_INNER_PRODUCT)),
                         [](const auto& tested) {
                           std::string name = std::get<0>(tested.param).text;
                           std::replace(name.begin(), name.end(), ',', '_');
                           return name + (std::get<1>(tested.param) == faiss::METRIC_L2 ? "_l2" : "_ip");
                         });

// Ids list by list, sorted.
std::vector<std::vector<Id>> lists_of(const faiss::IndexIVF& index) {
  std::vector<std::vector<Id>> lists(index.nlist);
  for (std::size_t l = 0; l < index.nlist; ++l) {
    faiss::InvertedLists::ScopedIds ids(index.invlists, l);
    lists[l].assign(ids.get(), ids.get() + index.invlists->list_size(l));
    std::sort(lists[l].begin(), lists[l].end());
  }
  return lists;
}

std::vector<float> centres_of(const faiss::IndexIVF& index) {
  std::vector<float> centres(index.nlist * kDim);
  index.quantizer->reconstruct_n(0, static_cast<std::int64_t>(index.nlist), centres.data());
  return centres;
}

TEST(FaissLists, CentresAndListsAreCarried) {
  const Vectors x = rows_of(3, 6000);
  for (const auto metric : {faiss::METRIC_L2, faiss::METRIC_INNER_PRODUCT}) {
    for (const char* factory : {"IVF60,Flat", "IVF60,SQ8", "IVF60,PQ8x4np"}) {
      SCOPED_TRACE(factory);
      const FaissIndex theirs = make_faiss(factory, metric, x, true);
      const auto& lists = dynamic_cast<faiss::IndexIVF&>(*theirs);
      const auto made = from_faiss(*theirs);
      ASSERT_TRUE(made.ok()) << made.status().message();
      const auto& ours = dynamic_cast<const IvfIndex&>(**made);
      EXPECT_EQ(ours.nlist(), 60u);
      EXPECT_EQ(ours.centroids(), centres_of(lists));
      const auto back = to_faiss(ours);
      ASSERT_TRUE(back.ok()) << back.status().message();
      const auto& again = dynamic_cast<const faiss::IndexIVFFlat&>(**back);
      EXPECT_EQ(centres_of(again), centres_of(lists));
      EXPECT_EQ(again.quantizer->metric_type, metric);
      // FAISS chose lists by the row, here they go by what its code kept of it.
      if (std::string_view(factory) == "IVF60,Flat") {
        EXPECT_EQ(lists_of(again), lists_of(lists));
      }
    }
  }
}

// Rows join the same lists and queries visit the same ones, but for ties that rounding decides.
TEST(FaissLists, TheSameNprobeFindsTheSame) {
  const Vectors x = rows_of(4, 6000), q = rows_of(5, 500);
  const FaissIndex theirs = make_faiss("IVF60,Flat", faiss::METRIC_L2, x, false);
  const auto ours = from_faiss(*theirs);
  ASSERT_TRUE(ours.ok()) << ours.status().message();
  for (const std::size_t nprobe : {1u, 3u, 10u, 60u}) {
    SCOPED_TRACE(nprobe);
    const Answers a = ask(**ours, q, nprobe), b = ask(*theirs, q, nprobe);
    std::size_t same = 0;
    double sum_a = 0, sum_b = 0;
    for (std::size_t first = 0; first < a.ids.size(); first += kK) {
      const std::set<Id> found(a.ids.begin() + static_cast<std::ptrdiff_t>(first),
                               a.ids.begin() + static_cast<std::ptrdiff_t>(first + kK));
      for (std::size_t i = first; i < first + kK; ++i) {
        same += found.count(b.ids[i]);
        sum_a += std::sqrt(a.scores[i]);
        sum_b += std::sqrt(b.scores[i]);
      }
    }
    EXPECT_GE(static_cast<double>(same), 0.999 * static_cast<double>(a.ids.size()));
    EXPECT_NEAR(sum_a / sum_b, 1, 0.002);
  }
}

// Of Segue's own: lists as they are in Segue, whatever the metric; under cosine the same answers at the same nprobe.
TEST(FaissLists, OwnListsLeaveAsTheyAre) {
  Vectors x = rows_of(6, 6000), q = rows_of(7, 500);
  for (const Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine}) {
    SCOPED_TRACE(to_string(metric));
    auto ours = IvfIndex::create(kDim, metric, {.nlist = 60}).value();
    SEGUE_ASSERT_OK(ours->add(MatrixView(x, kDim)));
    const auto made = to_faiss(*ours);
    ASSERT_TRUE(made.ok()) << made.status().message();
    const auto& lists = dynamic_cast<const faiss::IndexIVFFlat&>(**made);
    EXPECT_EQ(centres_of(lists), ours->centroids());
    std::size_t longest = 0;
    for (const auto& list : lists_of(lists)) longest = std::max(longest, list.size());
    EXPECT_LT(longest, 5 * x.size() / kDim / 60);
    if (metric != Metric::kCosine) continue;
    for (std::size_t i = 0; i < q.size(); i += kDim) {
      const auto at = q.begin() + static_cast<std::ptrdiff_t>(i);
      const float length = std::sqrt(std::inner_product(at, at + kDim, at, 0.0f));
      std::for_each(at, at + kDim, [&](float& v) { v /= length; });
    }
    const Answers a = ask(*ours, q, 3), b = ask(**made, q, 3);
    std::size_t same = 0;
    for (std::size_t i = 0; i < a.ids.size(); ++i) same += a.ids[i] == b.ids[i];
    EXPECT_GE(static_cast<double>(same), 0.9 * static_cast<double>(a.ids.size()));
  }
}

// Segue's own kinds, storages and ids.
TEST(FaissOut, EveryIndexLeavesWithItsAnswers) {
  const Vectors x = rows_of(8, kRows), q = rows_of(9, kQueries);
  for (const IndexCase& c : all_cases()) {
    if (c.metric == Metric::kCosine && c.storage != Storage::kF32) continue;
    if (c.storage == Storage::kBf16 || c.storage == Storage::kSq8 || c.storage == Storage::kSq4) continue;
    for (const bool own_ids : {false, true}) {
      SCOPED_TRACE(name_of(c) + (own_ids ? " with ids" : ""));
      const auto ours = make_index(c, kDim);
      const std::vector<Id> ids = odd_ids(kRows);
      SEGUE_ASSERT_OK(ours->add(MatrixView(x, kDim), own_ids ? std::span<const Id>(ids) : std::span<const Id>()));
      const auto theirs = to_faiss(*ours);
      ASSERT_TRUE(theirs.ok()) << theirs.status().message();
      Vectors asked = q;
      for (std::size_t i = 0; c.metric == Metric::kCosine && i < q.size(); i += kDim) {
        const auto at = asked.begin() + static_cast<std::ptrdiff_t>(i);
        const float length = std::sqrt(std::inner_product(at, at + kDim, at, 0.0f));
        std::for_each(at, at + kDim, [&](float& v) { v /= length; });
      }
      const Answers found = ask(*ours, asked), wanted = ask(**theirs, asked);
      const bool loses = c.kind == "hnsw" && c.metric == Metric::kInnerProduct;
      ASSERT_NO_FATAL_FAILURE(loses ? expect_no_worse(found, wanted) : expect_alike(found, wanted));
    }
  }
}

}  // namespace
}  // namespace segue::test
