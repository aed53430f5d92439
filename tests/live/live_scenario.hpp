#pragma once
// A small life of a live index, step by step, and what has to be there after each: for tests that end it anywhere.

#include <functional>

#include "live/live_cases.hpp"

namespace segue::test {

// What is to be found: items, the values of a column by id, and the dimension.
struct LiveModel {
  std::map<Id, std::uint64_t> items;
  std::map<Id, std::int64_t> rows;
  std::size_t dim = kLiveDim;

  bool operator==(const LiveModel&) const = default;
};

inline LiveModel model_of(const LiveIndex& live) {
  LiveModel model;
  model.dim = live.dim();
  for (const Id id : live.ids()) {
    const std::vector<float> row = live.get(std::vector<Id>{id}).value();
    std::uint64_t version = 0;
    while (version < 10 && row != live_vector(id, version, model.dim)) ++version;
    model.items[id] = version;
  }
  const std::vector<Id> ids = live.catalog()->ids();
  const ColumnData column = live.catalog()->take(ids, "n").value();
  for (std::size_t i = 0; i < ids.size(); ++i) model.rows[ids[i]] = column.numbers[i];
  return model;
}

struct LiveStep {
  std::string name;
  std::function<Status(LiveIndex&)> act;
  std::function<void(LiveModel&)> expect;  // what it makes of a model, if it is made
};

inline LiveStep put_step(const std::vector<Id>& ids, std::uint64_t version) {
  return {"put",
          [=](LiveIndex& live) {
            const std::vector<float> x = live_vectors(ids, version, live.dim());
            return live.upsert(MatrixView(x, live.dim()), ids);
          },
          [=](LiveModel& model) {
            for (const Id id : ids) model.items[id] = version;
          }};
}

inline std::vector<LiveStep> live_steps() {
  const auto remove = [](const std::vector<Id>& ids) {
    return LiveStep{"remove", [=](LiveIndex& live) { return live.remove(ids).status(); },
                    [=](LiveModel& model) {
                      for (const Id id : ids) model.items.erase(id);
                    }};
  };
  const auto rows = [](const std::vector<Id>& ids, std::int64_t value) {
    return LiveStep{"rows",
                    [=](LiveIndex& live) {
                      const std::vector column = {
                          ColumnData::integers("n", std::vector<std::int64_t>(ids.size(), value))};
                      return live.catalog()->upsert(column, {ids, {}});
                    },
                    [=](LiveModel& model) {
                      for (const Id id : ids) model.rows[id] = value;
                    }};
  };
  const LiveStep snapshot{"snapshot", [](LiveIndex& live) { return live.snapshot(); }, [](LiveModel&) {}};
  const LiveStep replace{"replace",
                         [](LiveIndex& live) {
                           const std::unique_ptr<Index> fresh = make_live_index("flat", 5);
                           const std::vector<float> x = live_vectors(id_range(0, 7), 3, 5);
                           SEGUE_RETURN_IF_ERROR(fresh->add(MatrixView(x, 5)));
                           return live.replace(*fresh);
                         },
                         [](LiveModel& model) {
                           model.dim = 5;
                           model.items = versions(id_range(0, 7), 3);
                         }};
  return {put_step(id_range(20, 30), 0), put_step({3, 4, 60}, 1), rows({1, 60}, 5), remove({21, 22, 3}), snapshot,
          put_step({70}, 0),             rows({70}, 6),           snapshot,         put_step({71, 4}, 2), replace,
          put_step({90, 1}, 4),          remove({2}),             snapshot,         put_step({91}, 1)};
}

// Ten items and ten rows, snapshots by hand alone.
inline LiveModel make_live_directory(const std::string& path) {
  const std::unique_ptr<Index> index = make_live_index("flat");
  const std::vector<float> x = live_vectors(id_range(0, 10));
  EXPECT_TRUE(index->add(MatrixView(x, kLiveDim)).ok());
  index->set_catalog(
      Catalog::create(std::vector{ColumnData::integers("n", std::vector<std::int64_t>(10, 1))}).value());
  const Status made = LiveIndex::create(path, *index).status();
  EXPECT_TRUE(made.ok()) << made.message();
  LiveModel model;
  model.items = versions(id_range(0, 10));
  for (const Id id : id_range(0, 10)) model.rows[id] = 1;
  return model;
}

}  // namespace segue::test
