#pragma once
// IndexMachine: an index beside a map that is scanned, for histories of everything that an index can do in one thread.
// After each operation: validate(), the contents to the bit, and a search and a range search of all that random
// filters, exclusions and expressions over the catalog let through.

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "catalog/random_catalog.hpp"
#include "index/answers.hpp"
#include "index/vectors.hpp"
#include "model/history.hpp"
#include "model/stored_error.hpp"
#include "model/subject.hpp"

namespace segue::test {

// How much of what there was to find was found, over many machines.
struct Tallies {
  Tally search, range;
};

class IndexMachine {
 public:
  static const std::vector<Weighted>& operations() {
    static const std::vector<Weighted> kinds = {{"add", 3},    {"add without ids", 1}, {"upsert", 2},  {"remove", 2},
                                                {"reopen", 1}, {"add again", 1},       {"catalog", 1}, {"refused", 1}};
    return kinds;
  }

  IndexMachine(const IndexCase& which, std::size_t dim, std::unique_ptr<Subject> subject, Tallies& tallies)
      : which_(which),
        dim_(dim),
        random_(0),
        subject_(std::move(subject)),
        reference_(dim, which.metric),
        tallies_(tallies) {}
  virtual ~IndexMachine() = default;

  void apply(const Operation& operation) {
    random_ = Random(operation.seed);
    ASSERT_NO_FATAL_FAILURE(change(operation.name));
    SEGUE_ASSERT_OK(index().validate());
    ASSERT_NO_FATAL_FAILURE(check_contents());
    ASSERT_NO_FATAL_FAILURE(check_catalog());
    ASSERT_NO_FATAL_FAILURE(search());
  }

 protected:
  static constexpr std::size_t kBatch = 40;

  Index& index() { return subject_->index(); }

  virtual void change(std::string_view name) {
    if (name == "add") return add(false);
    if (name == "add without ids") return add(true);
    if (name == "upsert") return upsert();
    if (name == "remove") return remove();
    if (name == "reopen") return subject_->reopen(random_.next() >> 8);
    if (name == "add again") return add_again();
    if (name == "catalog") return change_catalog();
    return refused();
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
    n = std::min(n, all.size());
    for (std::size_t i = 0; i < n; ++i) std::swap(all[i], all[i + random_.below(all.size() - i)]);
    all.resize(n);
    return all;
  }

  // Takes what the index now stores under `ids` into the reference, and compares it with what was given.
  void adopt(const std::vector<Id>& ids, const Vectors& x) {
    const Result<std::vector<float>> stored = index().get(ids);
    ASSERT_TRUE(stored.ok()) << stored.status().message();
    ASSERT_EQ(stored->size(), x.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const std::vector<double> wanted = wanted_row(which_.metric, x.data() + i * dim_, dim_);
      const double largest = largest_of(wanted);
      for (std::size_t j = 0; j < dim_; ++j) {
        ASSERT_NEAR((*stored)[i * dim_ + j], wanted[j], 1.001 * stored_error(which_.storage, wanted[j], largest) + 1e-9)
            << "id " << ids[i] << " coordinate " << j;
      }
      reference_.set(ids[i], stored->data() + i * dim_);
      if (ids[i] >= next_id_) next_id_ = ids[i] == std::numeric_limits<Id>::max() ? ids[i] : ids[i] + 1;
    }
    if (codes_are_recoded(which_.storage) && !ids.empty()) adopt_recoded();
  }

  // A growing index codes everything anew now and then.
  void adopt_recoded() {
    const std::vector<Id> all = index().ids();
    const std::vector<float> stored = index().get(all).value();
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
      SEGUE_ASSERT_OK(index().add(MatrixView(x, dim_)));
    } else {
      std::set<Id> fresh;
      while (fresh.size() < n) fresh.insert(fresh_id());
      ids.assign(fresh.begin(), fresh.end());
      for (std::size_t i = n; i > 1; --i) std::swap(ids[i - 1], ids[random_.below(i)]);
      SEGUE_ASSERT_OK(index().add(MatrixView(x, dim_), ids));
    }
    adopt(ids, x);
  }

  void upsert() {
    std::vector<Id> ids = present_ids(random_.below(kBatch));
    std::set<Id> fresh;
    for (std::size_t n = random_.below(5); n > 0; --n) fresh.insert(fresh_id());
    ids.insert(ids.end(), fresh.begin(), fresh.end());
    const Vectors x = vectors(ids.size());
    SEGUE_ASSERT_OK(index().upsert(MatrixView(x.data(), ids.size(), dim_), ids));
    adopt(ids, x);
  }

  void remove() {
    const std::size_t most = random_.below(12) == 0 ? reference_.size() : random_.below(kBatch);
    std::vector<Id> ids = present_ids(most);
    const std::size_t there = ids.size();
    for (std::size_t n = random_.below(3); n > 0; --n) ids.push_back(fresh_id());
    const Result<std::size_t> removed = index().remove(ids);
    ASSERT_TRUE(removed.ok()) << removed.status().message();
    ASSERT_EQ(*removed, there);
    for (std::size_t i = 0; i < there; ++i) {
      ASSERT_TRUE(reference_.erase(ids[i]));
      gone_.push_back(ids[i]);
    }
  }

  // Ids that were removed come back with other vectors.
  void add_again() {
    std::set<Id> back;
    for (std::size_t n = random_.below(kBatch); n > 0 && !gone_.empty(); --n) {
      const Id id = gone_[random_.below(gone_.size())];
      if (!reference_.contains(id)) back.insert(id);
    }
    const std::vector<Id> ids(back.begin(), back.end());
    if (ids.empty()) return;
    const Vectors x = vectors(ids.size());
    SEGUE_ASSERT_OK(index().add(MatrixView(x, dim_), ids));
    adopt(ids, x);
  }

  // Calls that fail change nothing; what comes after this looks.
  void refused() {
    std::vector<Id> ids = present_ids(1);
    const bool known = !ids.empty();
    while (ids.size() < 3) ids.push_back(fresh_id());
    if (ids[1] == ids[2]) return;
    Vectors x = gaussian_vectors(random_, 3, dim_);
    if (known) {
      ASSERT_EQ(index().add(MatrixView(x, dim_), ids).code(), StatusCode::kAlreadyExists);
    }
    x[2 * dim_] = std::numeric_limits<float>::quiet_NaN();
    ASSERT_EQ(index().upsert(MatrixView(x, dim_), ids).code(), StatusCode::kInvalidArgument);
    x[2 * dim_] = 1;
    ids[2] = ids[1];
    ASSERT_EQ(index().upsert(MatrixView(x, dim_), ids).code(), StatusCode::kInvalidArgument);
  }

  // A row may be there without its vector, and the reverse.
  void change_catalog() {
    std::vector<Id> ids = present_ids(random_.below(kBatch));
    for (std::size_t n = random_.below(4); n > 0; --n) {
      const Id id = fresh_id();
      if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
    }
    if (index().catalog() == nullptr) {
      Result<std::shared_ptr<Catalog>> catalog =
          Catalog::create(random_rows(random_, rows_, rows_.columns, ids), {ids, {}});
      ASSERT_TRUE(catalog.ok()) << catalog.status().message();
      index().set_catalog(*catalog);
    } else if (random_.below(3) != 0) {
      SEGUE_ASSERT_OK(index().catalog()->upsert(random_rows(random_, rows_, rows_.columns, ids), {ids, {}}));
    } else {
      std::size_t there = 0;
      for (const Id id : ids) there += rows_.rows.erase(id);
      const Result<std::size_t> removed = index().catalog()->remove(ids);
      ASSERT_TRUE(removed.ok()) << removed.status().message();
      ASSERT_EQ(*removed, there);
    }
  }

  void check_contents() {
    ASSERT_EQ(index().size(), reference_.size());
    std::vector<Id> ids;
    Vectors x;
    for (const auto& [id, vector] : reference_.items()) {
      ids.push_back(id);
      x.insert(x.end(), vector.begin(), vector.end());
      ASSERT_TRUE(index().contains(id));
    }
    ASSERT_EQ(index().ids(), ids);
    ASSERT_EQ(index().get(ids).value(), x);
    const Id absent = fresh_id();
    ASSERT_FALSE(index().contains(absent));
    ASSERT_EQ(index().get(std::vector<Id>{absent}).status().code(), StatusCode::kNotFound);
  }

  void check_catalog() {
    const std::shared_ptr<Catalog> catalog = index().catalog();
    if (catalog == nullptr) {
      ASSERT_TRUE(rows_.rows.empty()) << "the catalog is gone";
      return;
    }
    std::vector<Id> ids;
    for (const auto& row : rows_.rows) ids.push_back(row.first);
    ASSERT_EQ(catalog->ids(), ids);
  }

  // Ids, everything but some ids, or what an expression selects.
  void choose_filter(std::optional<IdSet>& filter) {
    if (const std::shared_ptr<Catalog> catalog = index().catalog(); catalog != nullptr && random_.below(2) == 0) {
      const Expression expression = random_expression(random_, rows_.columns, 2);
      const Result<IdSet> selected = catalog->select(expression);
      ASSERT_TRUE(selected.ok()) << expression.to_string() << ": " << selected.status().message();
      ASSERT_TRUE(*selected == IdSet::from_ids(matching(rows_, expression)).value()) << expression.to_string();
      filter = *selected;
      return;
    }
    const std::size_t share = random_.below(5) * 25;
    std::vector<Id> some;
    for (const auto& item : reference_.items()) {
      if (random_.below(100) < share) some.push_back(item.first);
    }
    for (std::size_t n = random_.below(3); n > 0; --n) some.push_back(fresh_id());
    const IdSet set = IdSet::from_ids(some).value();
    filter = random_.below(2) == 0 ? set : ~set;
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
    if (random_.below(2) == 0) {
      ASSERT_NO_FATAL_FAILURE(choose_filter(filter));
      options.filter = &*filter;
    }
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
    ASSERT_NO_FATAL_FAILURE(check_search(index(), reference_, view, k, options, false, tallies_.search));

    if (reference_.size() == 0) return;
    const std::vector<Scored> ranked = reference_.ranked(view.row(0), nullptr, {});
    const auto threshold = static_cast<float>(ranked[random_.below(ranked.size())].score);
    ASSERT_NO_FATAL_FAILURE(check_range(index(), reference_, view, threshold, options, tallies_.range));
  }

  IndexCase which_;
  std::size_t dim_;
  Random random_;
  std::unique_ptr<Subject> subject_;
  Reference reference_;
  CatalogModel rows_{all_kinds_of_columns(), {}};
  Tallies& tallies_;
  Vectors given_;
  std::vector<Id> gone_;
  Id next_id_ = 0;
};

}  // namespace segue::test
