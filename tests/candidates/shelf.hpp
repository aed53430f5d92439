#pragma once
// A made catalogue that is as untidy as real ones: ids with gaps, values that are missing, items of the index without a
// row and rows without a vector. And what generators are asked over it, each rule beside the same in plain code.

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "index/vectors.hpp"
#include "segue/candidates/generator.hpp"
#include "segue/flat.hpp"

namespace segue::test {

using Allows = std::function<bool(Id)>;

struct ShelfItem {
  std::optional<std::string> artist;
  std::optional<std::vector<std::string>> moods;
  std::optional<std::int64_t> minutes;  // also below 0
  std::optional<bool> live;
  std::optional<std::int64_t> released;
  std::optional<double> plays;
};

class Shelf {
 public:
  static constexpr std::size_t kDim = 6;
  static constexpr std::int64_t kNow = 86400 * 2000;

  Shelf(Random& random, std::size_t n, Metric by) : metric(by) {
    for (std::size_t i = 0; i < n; ++i) ids.push_back(static_cast<Id>(3 * i + random.below(3)));
    for (std::size_t i = ids.size(); i > 1; --i) std::swap(ids[i - 1], ids[random.below(i)]);
    vectors = gaussian_vectors(random, n, kDim);
    for (std::size_t i = 0; i < n; ++i) at[ids[i]] = i;
    index = std::shared_ptr<Index>(FlatIndex::create(kDim, by).value());
    EXPECT_TRUE(index->add(MatrixView(vectors, kDim), ids).ok());
    for (const Id id : ids) {
      if (random.below(20) != 0) rows[id] = item(random, n);
    }
    for (int i = 0; i < 5; ++i) rows[static_cast<Id>(3 * n + random.below(50))] = item(random, n);
    put();
  }

  const float* vector(Id id) const { return vectors.data() + at.at(id) * kDim; }
  const ShelfItem* row(Id id) const { return rows.count(id) == 0 ? nullptr : &rows.at(id); }

  // What a cap counts an item under.
  std::vector<std::string> groups(const std::string& column, Id id) const {
    const ShelfItem* r = row(id);
    if (r == nullptr) return {};
    const auto one = [](const auto& value) {
      return value ? std::vector<std::string>{std::to_string(static_cast<std::int64_t>(*value))}
                   : std::vector<std::string>{};
    };
    if (column == "artist") return r->artist ? std::vector<std::string>{*r->artist} : std::vector<std::string>{};
    if (column == "moods") return r->moods.value_or(std::vector<std::string>{});
    if (column == "minutes") return one(r->minutes);
    if (column == "live") return one(r->live);
    return one(r->released);
  }

  Metric metric;
  std::vector<Id> ids;  // of the index
  Vectors vectors;
  std::map<Id, std::size_t> at;
  std::map<Id, ShelfItem> rows;  // of the catalog
  std::shared_ptr<Index> index;
  std::shared_ptr<Catalog> catalog;

 private:
  static ShelfItem item(Random& random, std::size_t n) {
    ShelfItem made;
    if (random.below(12) != 0) made.artist = "artist " + std::to_string(random.below(n / 5 + 1));
    if (random.below(12) != 0) {
      made.moods.emplace();
      for (const char* mood : {"calm", "loud", "odd", "sad"}) {
        if (random.below(3) == 0) made.moods->emplace_back(mood);
      }
    }
    if (random.below(12) != 0) made.minutes = static_cast<std::int64_t>(random.below(40)) - 5;
    if (random.below(12) != 0) made.live = random.below(2) == 0;
    if (random.below(12) != 0) made.released = 86400 * static_cast<std::int64_t>(random.below(2100));  // some to come
    if (random.below(12) != 0) made.plays = static_cast<double>(random.below(5000)) / 10;
    return made;
  }

  void put() {
    std::vector<Id> names;
    std::vector<std::string> artist;
    std::vector<std::vector<std::string>> moods;
    std::vector<std::int64_t> minutes, released;
    std::vector<bool> live;
    std::vector<double> plays;
    std::vector<std::vector<std::uint8_t>> missing(5);
    for (const auto& [id, r] : rows) {
      names.push_back(id);
      artist.push_back(r.artist.value_or(""));
      moods.push_back(r.moods.value_or(std::vector<std::string>{}));
      minutes.push_back(r.minutes.value_or(0));
      live.push_back(r.live.value_or(false));
      released.push_back(r.released.value_or(0));
      plays.push_back(r.plays.value_or(std::nan("")));
      const bool there[] = {r.artist.has_value(), r.moods.has_value(), r.minutes.has_value(), r.live.has_value(),
                            r.released.has_value()};
      for (std::size_t c = 0; c < 5; ++c) missing[c].push_back(there[c] ? 0 : 1);
    }
    const std::vector columns = {
        ColumnData::categories("artist", artist, missing[0]), ColumnData::sets("moods", moods, missing[1]),
        ColumnData::integers("minutes", minutes, missing[2]), ColumnData::booleans("live", live, missing[3]),
        ColumnData::dates("released", released, missing[4]),  ColumnData::floats("plays", plays)};
    auto made = Catalog::create(columns, {.ids = names});
    EXPECT_TRUE(made.ok()) << made.status().message();
    catalog = *made;
  }
};

// An expression, and what it means.
struct Condition {
  Expression expression;
  Allows matches;
};

inline Condition random_condition(Random& random, const Shelf& shelf) {
  const auto of = [&shelf](const auto& f) {
    return [&shelf, f](Id id) { return shelf.row(id) != nullptr && f(*shelf.row(id)); };
  };
  const auto minutes = static_cast<std::int64_t>(random.below(40)) - 5;
  switch (random.below(5)) {
    case 0:
      return {field("minutes") <= minutes,
              of([minutes](const ShelfItem& r) { return r.minutes && *r.minutes <= minutes; })};
    case 1:
      return {field("minutes") == minutes,
              of([minutes](const ShelfItem& r) { return r.minutes && *r.minutes == minutes; })};
    case 2:
      return {~(field("live") == true), of([](const ShelfItem& r) { return !r.live || !*r.live; })};
    case 3:
      return {field("moods").contains("odd"), of([](const ShelfItem& r) {
                return r.moods && std::find(r.moods->begin(), r.moods->end(), "odd") != r.moods->end();
              })};
    default:
      return {field("artist") == "artist 1", of([](const ShelfItem& r) { return r.artist == "artist 1"; })};
  }
}

}  // namespace segue::test
