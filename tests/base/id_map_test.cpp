// Ids looked up many at once.

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <vector>

#include "segue/core/id_map.hpp"

namespace segue {
namespace {

void expect_as_one_by_one(const IdMap& map, const std::vector<Id>& ids) {
  std::vector<std::uint32_t> slots(ids.size(), 12345);
  map.find(ids, slots.data());
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(slots[i], map.find(ids[i])) << "id " << ids[i] << " at " << i;
}

TEST(IdMap, ManyAreFoundAsOneByOne) {
  std::mt19937_64 random(5);
  for (const bool any_ids : {false, true}) {
    IdMap map;
    std::vector<Id> there;
    for (std::uint32_t slot = 0; slot < 700; ++slot) {
      const Id id = any_ids ? static_cast<Id>(random() >> 20) : static_cast<Id>(slot);
      if (map.find(id) != kNoSlot) continue;
      map.insert(id, static_cast<std::uint32_t>(map.slots()));
      there.push_back(id);
    }
    ASSERT_EQ(map.table().empty(), !any_ids);
    for (const std::size_t n : {0u, 1u, 7u, 8u, 9u, 16u, 17u, 300u}) {
      std::vector<Id> asked;
      for (std::size_t i = 0; i < n; ++i) {
        const std::uint64_t kind = random() % 8;
        asked.push_back(kind == 0 ? static_cast<Id>(random() >> 1) : kind == 1 ? -1 - static_cast<Id>(i) : there[random() % there.size()]);
      }
      expect_as_one_by_one(map, asked);
    }
    for (std::size_t i = 0; i < there.size(); i += 3) map.erase(there[i]);
    expect_as_one_by_one(map, there);
  }
}

TEST(IdMap, NoneIsFoundWhereThereIsNone) { expect_as_one_by_one(IdMap(), {0, 5, -3, 1}); }

}  // namespace
}  // namespace segue
