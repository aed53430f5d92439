// Random histories: adds, upserts, removals, saves and loads in any order, each followed by validate() and by searches
// that are compared with the reference.

#include <gtest/gtest.h>

#include <filesystem>
#include <numeric>
#include <optional>

#include "answers.hpp"
#include "segue/file.hpp"
#include "support/temporary_folder.hpp"
#include "vectors.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDims[] = {1, 2, 3, 8, 17, 64, 100};
constexpr int kSteps = 30;
constexpr std::size_t kBatch = 40;

// How far a stored vector may be from what was given, by coordinate: half a unit in the last place of the storage, and
// for sq8 half a step of the row's scale.
double storage_error(Storage storage, double value, double largest) {
  switch (storage) {
    case Storage::kF16: return std::max(std::abs(value) * 0x1p-11, 0x1p-25);
    case Storage::kBf16: return std::abs(value) * 0x1p-8;
    case Storage::kSq8: return largest / 127 * 0.5001;
    case Storage::kSq4: return largest / 7 * 0.5001;
    // The directions and the centre are those of whatever there was when they were found: head_coder_test.cpp.
    case Storage::kPca8: return std::numeric_limits<double>::infinity();
    default: return std::abs(value) * 0x1p-23;
  }
}

class History {
 public:
  History(const IndexCase& which, std::size_t dim, std::uint64_t seed)
      : which_(which), dim_(dim), random_(seed), index_(make_index(which, dim, seed)), reference_(dim, which.metric) {}

  void run() {
    ASSERT_NE(index_, nullptr);
    for (step_ = 0; step_ < kSteps; ++step_) {
      SCOPED_TRACE("step " + std::to_string(step_));
      ASSERT_NO_FATAL_FAILURE(change());
      SEGUE_ASSERT_OK(index_->validate());
      ASSERT_NO_FATAL_FAILURE(check_contents());
      ASSERT_NO_FATAL_FAILURE(search());
    }
  }

  const Tally& tally() const { return tally_; }
  const Tally& range_tally() const { return range_tally_; }

 private:
  void change() {
    switch (random_.below(10)) {
      case 0:
      case 1:
      case 2: return add(false);
      case 3: return add(true);
      case 4:
      case 5: return upsert();
      case 6:
      case 7: return remove();
      case 8: return save_and_load();
      default: return readd();
    }
  }

  // Fresh ones; sometimes copies of what is there, grid points (many equal scores), zeros, or any scale.
  Vectors vectors(std::size_t n) {
    Vectors x = gaussian_vectors(random_, n, dim_);
    const std::size_t kind = random_.below(5);
    for (std::size_t i = 0; i < n; ++i) {
      float* row = x.data() + i * dim_;
      if (kind == 0 && !given_.empty() && random_.below(2) == 0) {
        std::copy_n(given_.data() + random_.below(given_.size() / dim_) * dim_, dim_, row);
      } else if (kind == 1) {
        for (std::size_t j = 0; j < dim_; ++j) row[j] = static_cast<float>(random_.below(3)) - 1;
      } else if (kind == 2) {
        const float scale = std::pow(10.0F, static_cast<float>(random_.below(5)) - 2);
        for (std::size_t j = 0; j < dim_; ++j) row[j] *= scale;
      } else if (kind == 3 && random_.below(4) == 0) {
        std::fill_n(row, dim_, 0.0F);
      }
      if (which_.metric == Metric::kCosine && std::all_of(row, row + dim_, [](float v) { return v == 0; })) row[0] = 1;
    }
    given_.insert(given_.end(), x.begin(), x.end());
    return x;
  }

  Id fresh_id() {
    for (;;) {
      const Id id = random_.below(8) == 0 ? static_cast<Id>(random_.next() >> 1) : static_cast<Id>(random_.below(2000));
      if (!reference_.contains(id)) return id;
    }
  }

  std::vector<Id> present_ids(std::size_t n) {
    std::vector<Id> all;
    for (const auto& item : reference_.items()) all.push_back(item.first);
    for (std::size_t i = 0; i < std::min(n, all.size()); ++i) {
      std::swap(all[i], all[i + random_.below(all.size() - i)]);
    }
    all.resize(std::min(n, all.size()));
    return all;
  }

  // Takes what the index now stores under `ids` into the reference, and compares it with what was given.
  void adopt(const std::vector<Id>& ids, const Vectors& x) {
    const Result<std::vector<float>> stored = index_->get(ids);
    ASSERT_TRUE(stored.ok()) << stored.status().message();
    ASSERT_EQ(stored->size(), x.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const float* given = x.data() + i * dim_;
      double scale = 1;
      if (which_.metric == Metric::kCosine) {
        double sum = 0;
        for (std::size_t j = 0; j < dim_; ++j) sum += static_cast<double>(given[j]) * given[j];
        scale = 1 / std::sqrt(sum);
      }
      double largest = 0;
      for (std::size_t j = 0; j < dim_; ++j) largest = std::max(largest, std::abs(given[j] * scale));
      for (std::size_t j = 0; j < dim_; ++j) {
        const double wanted = given[j] * scale;
        ASSERT_NEAR((*stored)[i * dim_ + j], wanted, 1.001 * storage_error(which_.storage, wanted, largest) + 1e-9)
            << "id " << ids[i] << " coordinate " << j;
      }
      reference_.set(ids[i], stored->data() + i * dim_);
      if (which_.storage == Storage::kPca8 && i + 1 == ids.size()) adopt_recoded();
      if (ids[i] >= next_id_) next_id_ = ids[i] == std::numeric_limits<Id>::max() ? ids[i] : ids[i] + 1;
    }
  }

  // A growing index codes everything anew now and then.
  void adopt_recoded() {
    std::vector<Id> all = index_->ids();
    const std::vector<float> stored = index_->get(all).value();
    double largest = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const float* x = stored.data() + i * dim_;
      largest = std::max(largest, std::sqrt(std::inner_product(x, x + dim_, x, 0.0)));
      if (reference_.contains(all[i])) reference_.set(all[i], x);
    }
    reference_.set_centre_norm(largest);
  }

  void add(bool default_ids) {
    const std::size_t n = random_.below(kBatch) + 1;
    const Vectors x = vectors(n);
    std::vector<Id> ids;
    // Default ids go on from the largest ever used; there must be room.
    if (default_ids && next_id_ < std::numeric_limits<Id>::max() - 1000) {
      for (std::size_t i = 0; i < n; ++i) ids.push_back(next_id_ + static_cast<Id>(i));
      SEGUE_ASSERT_OK(index_->add(MatrixView(x, dim_)));
    } else {
      std::set<Id> fresh;
      while (fresh.size() < n) fresh.insert(fresh_id());
      ids.assign(fresh.begin(), fresh.end());
      for (std::size_t i = n; i > 1; --i) std::swap(ids[i - 1], ids[random_.below(i)]);
      SEGUE_ASSERT_OK(index_->add(MatrixView(x, dim_), ids));
    }
    adopt(ids, x);
  }

  void upsert() {
    std::vector<Id> ids = present_ids(random_.below(kBatch));
    std::set<Id> fresh;
    for (std::size_t n = random_.below(5); n > 0; --n) fresh.insert(fresh_id());
    ids.insert(ids.end(), fresh.begin(), fresh.end());
    const Vectors x = vectors(ids.size());
    SEGUE_ASSERT_OK(index_->upsert(MatrixView(x.data(), ids.size(), dim_), ids));
    adopt(ids, x);
  }

  void remove() {
    const std::size_t most = random_.below(12) == 0 ? reference_.size() : random_.below(kBatch);
    std::vector<Id> ids = present_ids(most);
    const std::size_t there = ids.size();
    for (std::size_t n = random_.below(3); n > 0; --n) ids.push_back(fresh_id());
    const Result<std::size_t> removed = index_->remove(ids);
    ASSERT_TRUE(removed.ok()) << removed.status().message();
    ASSERT_EQ(*removed, there);
    for (std::size_t i = 0; i < there; ++i) {
      ASSERT_TRUE(reference_.erase(ids[i]));
      gone_.push_back(ids[i]);
    }
  }

  // Ids that were removed come back with other vectors.
  void readd() {
    std::set<Id> back;
    for (std::size_t n = random_.below(kBatch); n > 0 && !gone_.empty(); --n) {
      const Id id = gone_[random_.below(gone_.size())];
      if (!reference_.contains(id)) back.insert(id);
    }
    const std::vector<Id> ids(back.begin(), back.end());
    const Vectors x = vectors(ids.size());
    if (ids.empty()) return;
    SEGUE_ASSERT_OK(index_->add(MatrixView(x, dim_), ids));
    adopt(ids, x);
  }

  void save_and_load() {
    const std::string path = folder_.file("index.segue");
    SEGUE_ASSERT_OK(index_->save(path));
    const Result<std::vector<unsigned char>> bytes = index_->to_bytes();
    ASSERT_TRUE(bytes.ok()) << bytes.status().message();
    ASSERT_TRUE(*bytes == read_bytes(path)) << "to_bytes() and save() differ";
    SEGUE_ASSERT_OK(verify(path));
    const bool from_memory = random_.below(3) == 0;
    const LoadOptions options{.mmap = random_.below(2) == 0, .verify = random_.below(2) == 0};
    Result<std::unique_ptr<Index>> loaded = from_memory ? load_bytes(*bytes, options.verify) : load(path, options);
    ASSERT_TRUE(loaded.ok()) << loaded.status().message();
    index_ = std::move(loaded).value();
    ASSERT_EQ(index_->kind(), which_.kind);
    ASSERT_EQ(index_->metric(), which_.metric);
    ASSERT_EQ(index_->storage(), which_.storage);
    ASSERT_EQ(index_->dim(), dim_);
    ASSERT_TRUE(index_->to_bytes().value() == *bytes) << "what was loaded is not what was saved";
  }

  void check_contents() {
    ASSERT_EQ(index_->size(), reference_.size());
    std::vector<Id> ids;
    Vectors x;
    for (const auto& [id, vector] : reference_.items()) {
      ids.push_back(id);
      x.insert(x.end(), vector.begin(), vector.end());
      ASSERT_TRUE(index_->contains(id));
    }
    ASSERT_EQ(index_->ids(), ids);
    ASSERT_EQ(index_->get(ids).value(), x);
    const Id absent = fresh_id();
    ASSERT_FALSE(index_->contains(absent));
    ASSERT_EQ(index_->get(std::vector<Id>{absent}).status().code(), StatusCode::kNotFound);
  }

  IdSet random_filter() {
    const unsigned share = static_cast<unsigned>(random_.below(5)) * 25;
    std::vector<Id> some;
    for (const auto& item : reference_.items()) {
      if (random_.below(100) < share) some.push_back(item.first);
    }
    for (std::size_t n = random_.below(3); n > 0; --n) some.push_back(fresh_id());
    const IdSet set = IdSet::from_ids(some).value();
    return random_.below(2) == 0 ? set : ~set;
  }

  void search() {
    const std::size_t counts[] = {1, 1, 3, 7, 33};
    const std::size_t n = counts[random_.below(5)];
    Vectors queries = vectors(n);
    const std::size_t ks[] = {1, 3, 10, reference_.size() + 5};
    const std::size_t k = ks[random_.below(4)];

    SearchOptions options;
    options.ef = 2 * reference_.size() + 10;  // wide enough to see everything: what is lost, the graph has lost
    options.threads = static_cast<int>(random_.below(3));
    std::optional<IdSet> filter;
    if (random_.below(2) == 0) options.filter = &filter.emplace(random_filter());
    std::vector<Id> excluded;
    std::vector<std::size_t> offsets;
    const std::size_t mode = random_.below(3);
    if (mode == 1) excluded = present_ids(random_.below(30));
    if (mode == 2) {
      offsets.push_back(0);
      for (std::size_t q = 0; q < n; ++q) {
        for (const Id id : present_ids(random_.below(20))) excluded.push_back(id);
        if (random_.below(4) == 0) excluded.push_back(fresh_id());
        offsets.push_back(excluded.size());
      }
    }
    options.exclude = {excluded, offsets};
    const MatrixView view(queries, dim_);
    ASSERT_NO_FATAL_FAILURE(check_search(*index_, reference_, view, k, options, false, tally_));

    if (reference_.size() == 0) return;
    const std::vector<Scored> ranked = reference_.ranked(view.row(0), nullptr, {});
    const auto threshold = static_cast<float>(ranked[random_.below(ranked.size())].score);
    ASSERT_NO_FATAL_FAILURE(check_range(*index_, reference_, view, threshold, options, range_tally_));
  }

  const IndexCase which_;
  const std::size_t dim_;
  Random random_;
  std::unique_ptr<Index> index_;
  Reference reference_;
  TemporaryFolder folder_;
  Vectors given_;
  std::vector<Id> gone_;
  Id next_id_ = 0;
  int step_ = 0;
  Tally tally_, range_tally_;
};

class IndexHistory : public testing::TestWithParam<IndexCase> {};

TEST_P(IndexHistory, AgreesWithTheReference) {
  Tally tally, range_tally;
  for (const std::size_t dim : kDims) {
    for (std::uint64_t seed = 1; seed <= 2; ++seed) {
      SCOPED_TRACE("dim " + std::to_string(dim) + " seed " + std::to_string(seed));
      History history(GetParam(), dim, 100 * dim + seed);
      ASSERT_NO_FATAL_FAILURE(history.run());
      tally.wanted += history.tally().wanted;
      tally.found += history.tally().found;
      range_tally.wanted += history.range_tally().wanted;
      range_tally.found += history.range_tally().found;
    }
  }
  EXPECT_GT(tally.wanted, 1000U);
  EXPECT_GE(tally.recall(), 0.99);
  EXPECT_GE(range_tally.recall(), 0.99);
}

INSTANTIATE_TEST_SUITE_P(All, IndexHistory, testing::ValuesIn(all_cases()), CaseName());

}  // namespace
}  // namespace segue::test
