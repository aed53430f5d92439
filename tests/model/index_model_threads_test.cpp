// Several writers, each with ids of its own, beside readers that hold every answer against what those ids went through
// while it was sought (owned_ids.hpp). Under ThreadSanitizer too.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "index/index_cases.hpp"
#include "model/history.hpp"
#include "model/owned_ids.hpp"
#include "segue/catalog.hpp"
#include "segue/file.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kDim = 12;
constexpr std::size_t kWriters = 2;
constexpr std::size_t kReaders = 2;
constexpr std::size_t kIdsEach = 150;  // 300 in all: pca8 codes from 256 on
constexpr std::size_t kSteps = 40;

// The first thing that any thread found wrong.
class FirstWrong {
 public:
  void say(const std::string& text) {
    const std::lock_guard lock(mutex_);
    if (text_.empty()) text_ = text;
    wrong_ = true;
  }
  bool any() const { return wrong_; }
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
  std::atomic<bool> wrong_{false};
};

class Readers {
 public:
  Readers(const IndexCase& which, const Index& index, const OwnedIds& ids, FirstWrong& wrong)
      : which_(which), index_(index), ids_(ids), wrong_(wrong) {}

  // One call, chosen at random, and all that can be said about what it answered.
  void read(Random& random) {
    const std::vector<std::size_t> first = ids_.first();
    switch (random.below(8)) {
      case 0:
      case 1:
        return search_all(random, first);
      case 2:
        return search_some(random, first);
      case 3:
        return range(random, first);
      case 4:
        return get(random, first);
      case 5:
        return list(first);
      case 6:
        return select(random, first);
      default:
        return random.below(4) == 0 ? copy(first) : list(first);
    }
  }

  // Of a search for everything, how much had to be there and how much of that was; graphs may lose a little.
  std::size_t wanted() const { return wanted_; }
  std::size_t found() const { return found_; }

 private:
  bool ok(const Status& status, const char* call) {
    if (!status.ok()) wrong_.say(std::string(call) + " failed: " + status.message());
    return status.ok();
  }

  // Ids are known, distinct and let through, and each score is that of a state that its id was in.
  std::set<Id> check_found(const std::vector<std::size_t>& first, const float* query, const Id* ids,
                           const float* scores, std::size_t n, const IdSet* filter, std::span<const Id> excluded) {
    const std::vector<std::size_t> last = ids_.last();
    std::set<Id> seen;
    for (std::size_t i = 0; i < n && ids[i] != kMissingId; ++i) {
      const std::string name = "id " + std::to_string(ids[i]) + " at " + std::to_string(i);
      if (!ids_.known(ids[i])) {
        wrong_.say(name + " was never added");
        continue;
      }
      if (!seen.insert(ids[i]).second) wrong_.say(name + " is there twice");
      if (filter != nullptr && !filter->contains(ids[i])) wrong_.say(name + " is filtered out");
      if (std::find(excluded.begin(), excluded.end(), ids[i]) != excluded.end()) wrong_.say(name + " is excluded");
      const auto at = static_cast<std::size_t>(ids[i]);
      bool possible = false;
      for (std::size_t s = first[at]; s <= last[at] && !possible; ++s) {
        const OwnedState& state = ids_.state(ids[i], s);
        possible = state.there && may_score(which_.metric, which_.storage, state.given, query, scores[i]);
      }
      if (!possible) {
        wrong_.say(name + " scores " + std::to_string(scores[i]) + ", as in none of its states from " +
                   std::to_string(first[at]) + " to " + std::to_string(last[at]));
      }
    }
    return seen;
  }

  // There in every state that the call may have seen.
  bool must_be_there(Id id, const std::vector<std::size_t>& first, const std::vector<std::size_t>& last) const {
    const auto at = static_cast<std::size_t>(id);
    for (std::size_t s = first[at]; s <= last[at]; ++s) {
      if (!ids_.state(id, s).there) return false;
    }
    return true;
  }
  bool may_be_there(Id id, const std::vector<std::size_t>& first, const std::vector<std::size_t>& last) const {
    const auto at = static_cast<std::size_t>(id);
    for (std::size_t s = first[at]; s <= last[at]; ++s) {
      if (ids_.state(id, s).there) return true;
    }
    return false;
  }

  void search_all(Random& random, const std::vector<std::size_t>& first) {
    const Vectors query = gaussian_vectors(random, 1, kDim);
    const std::size_t k = ids_.size() + 5;
    const Result<SearchResult> found =
        index_.search(MatrixView(query, kDim), k, {.ef = 2 * k, .nprobe = k, .threads = 1});
    const std::vector<std::size_t> last = ids_.last();
    if (!ok(found.status(), "search")) return;
    const std::set<Id> seen = check_found(first, query.data(), found->ids.data(), found->scores.data(), k, nullptr, {});
    for (Id id = 0; ids_.known(id); ++id) {
      if (!must_be_there(id, first, last)) continue;
      ++wanted_;
      found_ += seen.count(id);
      if (which_.kind != "hnsw" && seen.count(id) == 0)
        wrong_.say("id " + std::to_string(id) + " was there and is not found");
    }
  }

  void search_some(Random& random, const std::vector<std::size_t>& first) {
    const Vectors queries = gaussian_vectors(random, 3, kDim);
    std::vector<Id> listed, excluded;
    for (Id id = 0; ids_.known(id); ++id) {
      if (random.below(3) == 0) listed.push_back(id);
      if (random.below(9) == 0) excluded.push_back(id);
    }
    const IdSet filter = IdSet::from_ids(listed).value();
    const Result<SearchResult> found = index_.search(
        MatrixView(queries, kDim), 10, {.ef = 100, .filter = &filter, .exclude = {excluded, {}}, .threads = 2});
    if (!ok(found.status(), "search")) return;
    for (std::size_t q = 0; q < 3; ++q) {
      check_found(first, queries.data() + q * kDim, found->ids.data() + 10 * q, found->scores.data() + 10 * q, 10,
                  &filter, excluded);
    }
  }

  void range(Random& random, const std::vector<std::size_t>& first) {
    const Vectors query = gaussian_vectors(random, 1, kDim);
    const float threshold = which_.metric == Metric::kL2 ? 20.0F : 1.0F;
    const Result<RangeResult> found =
        index_.range_search(MatrixView(query, kDim), threshold, {.ef = 100, .threads = 1});
    if (!ok(found.status(), "range_search")) return;
    check_found(first, query.data(), found->ids.data(), found->scores.data(), found->ids.size(), nullptr, {});
  }

  void get(Random& random, const std::vector<std::size_t>& first) {
    const Id id = static_cast<Id>(random.below(ids_.size()));
    const Result<std::vector<float>> stored = index_.get(std::vector<Id>{id});
    check_stored(id, stored, first, ids_.last());
  }

  void check_stored(Id id, const Result<std::vector<float>>& stored, const std::vector<std::size_t>& first,
                    const std::vector<std::size_t>& last) {
    if (!stored.ok()) {
      if (must_be_there(id, first, last)) wrong_.say("get(" + std::to_string(id) + "): " + stored.status().message());
      return;
    }
    const auto at = static_cast<std::size_t>(id);
    for (std::size_t s = first[at]; s <= last[at]; ++s) {
      const OwnedState& state = ids_.state(id, s);
      if (state.there && may_be_stored(which_.metric, which_.storage, state.given, stored->data())) return;
    }
    wrong_.say("get(" + std::to_string(id) + ") gives what it was in none of its states");
  }

  void list(const std::vector<std::size_t>& first) {
    const std::vector<Id> listed = index_.ids();
    check_listed(listed, first, ids_.last());
  }

  void check_listed(const std::vector<Id>& listed, const std::vector<std::size_t>& first,
                    const std::vector<std::size_t>& last) {
    if (std::adjacent_find(listed.begin(), listed.end(), std::greater_equal<>()) != listed.end()) {
      wrong_.say("ids() are not ascending");
    }
    for (const Id id : listed) {
      if (!ids_.known(id) || !may_be_there(id, first, last))
        wrong_.say("ids() has " + std::to_string(id) + ", which is not there");
    }
    for (Id id = 0; ids_.known(id); ++id) {
      if (must_be_there(id, first, last) && !std::binary_search(listed.begin(), listed.end(), id)) {
        wrong_.say("ids() lacks " + std::to_string(id));
      }
    }
  }

  // Rows of the catalog come and go beside it, but a row that is there says whose it is.
  void select(Random& random, const std::vector<std::size_t>& first) {
    const std::size_t owner = random.below(kWriters);
    const Result<IdSet> selected = index_.catalog()->select("owner = " + std::to_string(owner));
    if (!ok(selected.status(), "select")) return;
    for (const Id id : selected->listed_ids()) {
      if (!ids_.known(id) || ids_.owner_of(id) != owner) wrong_.say("select has " + std::to_string(id));
    }
    const Vectors query = gaussian_vectors(random, 1, kDim);
    const Result<SearchResult> found = index_.search(MatrixView(query, kDim), 20, {.filter = &*selected, .threads = 1});
    if (!ok(found.status(), "search")) return;
    check_found(first, query.data(), found->ids.data(), found->scores.data(), 20, &*selected, {});
  }

  // A copy through bytes is an index of its own, of one moment.
  void copy(const std::vector<std::size_t>& first) {
    const Result<std::vector<unsigned char>> bytes = index_.to_bytes();
    const std::vector<std::size_t> last = ids_.last();
    if (!ok(bytes.status(), "to_bytes")) return;
    const Result<std::unique_ptr<Index>> loaded = load_bytes(*bytes);
    if (!ok(loaded.status(), "load_bytes") || !ok((*loaded)->validate(), "validate")) return;
    const std::vector<Id> listed = (*loaded)->ids();
    check_listed(listed, first, last);
    for (const Id id : listed) check_stored(id, (*loaded)->get(std::vector<Id>{id}), first, last);
  }

  const IndexCase& which_;
  const Index& index_;
  const OwnedIds& ids_;
  FirstWrong& wrong_;
  std::size_t wanted_ = 0, found_ = 0;
};

void write(Index& index, OwnedIds& ids, std::size_t owner, FirstWrong& wrong) {
  Random random(owner);
  for (const OwnedStep& step : ids.steps(owner)) {
    if (wrong.any()) return;
    ids.begin(step);
    Status status;
    if (step.name == "remove") {
      const Result<std::size_t> removed = index.remove(step.ids);
      status = removed.status();
      if (removed.ok() && *removed != step.ids.size()) wrong.say("remove took " + std::to_string(*removed));
    } else {
      const MatrixView rows(step.rows, kDim);
      const AddOptions options{.threads = static_cast<int>(1 + random.below(2))};
      status = step.name == "add" ? index.add(rows, step.ids, options) : index.upsert(rows, step.ids, options);
    }
    ids.end(step);
    if (!status.ok()) wrong.say(std::string(step.name) + " failed: " + status.message());
    // Rows of the catalog go their own way.
    const std::vector<std::int64_t> owners(step.ids.size(), static_cast<std::int64_t>(owner));
    const std::vector columns = {ColumnData::integers("owner", owners)};
    const Status rows = random.below(2) == 0 ? index.catalog()->upsert(columns, {step.ids, {}})
                                             : index.catalog()->remove(step.ids).status();
    if (!rows.ok()) wrong.say("the catalog: " + rows.message());
  }
}

class IndexModelThreads : public testing::TestWithParam<IndexCase> {};

TEST_P(IndexModelThreads, EveryAnswerIsOfItsTime) {
  for (const std::uint64_t seed : history_seeds(7001, 3)) {
    SCOPED_TRACE("SEGUE_MODEL_SEED=" + std::to_string(seed));
    OwnedIds ids(kWriters, kIdsEach, kDim, kSteps, seed);
    const std::unique_ptr<Index> index = make_index(GetParam(), kDim);
    const Vectors rows = ids.first_rows();
    SEGUE_ASSERT_OK(index->add(MatrixView(rows, kDim)));
    const std::vector columns = {ColumnData::integers("owner", {0, 1})};
    index->set_catalog(Catalog::create(columns).value());

    FirstWrong wrong;
    std::atomic<std::size_t> writing{kWriters};
    std::atomic<std::size_t> wanted{0}, found{0};
    std::vector<std::thread> threads;
    for (std::size_t owner = 0; owner < kWriters; ++owner) {
      threads.emplace_back([&, owner] {
        write(*index, ids, owner, wrong);
        --writing;
      });
    }
    for (std::size_t reader = 0; reader < kReaders; ++reader) {
      threads.emplace_back([&, reader] {
        Random random(seed + 100 * (reader + 1));
        Readers readers(GetParam(), *index, ids, wrong);
        for (int round = 0; (writing > 0 || round < 20) && !wrong.any(); ++round) readers.read(random);
        wanted += readers.wanted();
        found += readers.found();
      });
    }
    for (std::thread& thread : threads) thread.join();
    ASSERT_FALSE(wrong.any()) << wrong.text();
    SEGUE_ASSERT_OK(index->validate());
    EXPECT_GE(static_cast<double>(found), 0.99 * static_cast<double>(wanted));
    // At the end there is one state left for each.
    Random random(seed);
    Readers reader(GetParam(), *index, ids, wrong);
    for (int round = 0; round < 40; ++round) reader.read(random);
    ASSERT_FALSE(wrong.any()) << wrong.text();
  }
}

INSTANTIATE_TEST_SUITE_P(Storages, IndexModelThreads,
                         testing::ValuesIn(cases({"flat", "hnsw", "ivf"}, {Metric::kL2},
                                                 {Storage::kF32, Storage::kF16, Storage::kBf16, Storage::kSq8,
                                                  Storage::kSq4, Storage::kPca8})),
                         CaseName());
INSTANTIATE_TEST_SUITE_P(Similarities, IndexModelThreads,
                         testing::ValuesIn(cases({"flat", "hnsw", "ivf"}, {Metric::kInnerProduct, Metric::kCosine},
                                                 {Storage::kF32, Storage::kSq8})),
                         CaseName());

}  // namespace
}  // namespace segue::test
