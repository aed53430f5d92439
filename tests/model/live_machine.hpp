#pragma once
// LiveMachine: what IndexMachine does, in a live index, and what only such a one can do: snapshots, and another index in
// place of all vectors, of any dimension, metric, kind and storage.

#include "model/index_machine.hpp"
#include "model/live_subject.hpp"

namespace segue::test {

class LiveMachine : public IndexMachine {
 public:
  static const std::vector<Weighted>& operations() {
    static const std::vector<Weighted> kinds = [] {
      std::vector<Weighted> all = IndexMachine::operations();
      all.insert(all.end(), {{"reopen", 2}, {"snapshot", 1}, {"replace", 1}, {"another catalog", 1}});
      return all;
    }();
    return kinds;
  }

  LiveMachine(const IndexCase& which, std::size_t dim, std::unique_ptr<LiveSubject> subject, Tallies& tallies)
      : IndexMachine(which, dim, std::move(subject), tallies) {}

 protected:
  void change(std::string_view name) override {
    if (name == "snapshot") return snapshot();
    if (name == "replace") return replace();
    if (name == "another catalog") return change_to_another_catalog();
    ASSERT_NO_FATAL_FAILURE(IndexMachine::change(name));
    // A replay gathers what came in many calls, and finds the directions of pca8 in another moment.
    if (name == "reopen" && codes_are_recoded(which_.storage)) adopt_recoded();
  }

 private:
  LiveIndex& live() { return static_cast<LiveSubject&>(*subject_).live(); }

  void snapshot() {
    const std::uint64_t last = live().live_stats().sequence;
    SEGUE_ASSERT_OK(live().snapshot());
    const LiveStats stats = live().live_stats();
    ASSERT_EQ(stats.snapshot, last);
    ASSERT_EQ(stats.snapshot_error, "");
    // From now on it is opened with nothing to replay; and what it wrote is a file as any other.
    ASSERT_EQ(Reference::of(live()).items(), reference_.items());
  }

  // As a new model does it: ids of before, others gone, and new ones. The catalog stays.
  void replace() {
    const std::vector<IndexCase> all = all_cases();
    const std::size_t dims[] = {1, 3, 8, 17, 40};
    const std::shared_ptr<Catalog> catalog = live().catalog();
    std::vector<Id> ids = present_ids(random_.below(reference_.size() + 1));
    std::set<Id> fresh;
    for (std::size_t n = random_.below(20); n > 0; --n) fresh.insert(fresh_id());
    ids.insert(ids.end(), fresh.begin(), fresh.end());
    for (const auto& item : reference_.items()) gone_.push_back(item.first);

    which_ = all[random_.below(all.size())];
    dim_ = dims[random_.below(std::size(dims))];
    given_.clear();
    next_id_ = 0;
    reference_ = Reference(dim_, which_.metric);
    const std::unique_ptr<Index> index = make_index(which_, dim_, random_.next() >> 8);
    const Vectors x = vectors(ids.size());
    SEGUE_ASSERT_OK(index->add(MatrixView(x.data(), ids.size(), dim_), ids));
    const std::shared_ptr<const Index> before = live().index();
    const std::vector<Id> had = before->ids();
    SEGUE_ASSERT_OK(live().replace(*index));
    ASSERT_EQ(before->ids(), had) << "who held the old index sees it change";
    ASSERT_EQ(live().kind(), which_.kind);
    ASSERT_EQ(live().metric(), which_.metric);
    ASSERT_EQ(live().dim(), dim_);
    ASSERT_EQ(live().catalog(), catalog) << "who holds the catalog no longer holds that of this index";
    adopt(ids, x);
  }

  // One of other rows, or none; whoever holds the old one can no longer change anything by it.
  void change_to_another_catalog() {
    const std::shared_ptr<Catalog> old = live().catalog();
    rows_.rows.clear();
    if (random_.below(4) == 0) {
      SEGUE_ASSERT_OK(live().replace_catalog(nullptr));
      ASSERT_EQ(live().catalog(), nullptr);
    } else {
      const std::vector<Id> ids = present_ids(random_.below(kBatch));
      Result<std::shared_ptr<Catalog>> catalog =
          Catalog::create(random_rows(random_, rows_, rows_.columns, ids), {ids, {}});
      ASSERT_TRUE(catalog.ok()) << catalog.status().message();
      SEGUE_ASSERT_OK(live().replace_catalog(*catalog));
    }
    if (old != nullptr && old->size() != 0) {
      ASSERT_FALSE(old->remove(old->ids()).ok());
    }
  }
};

}  // namespace segue::test
