// IdSet against std::set with a flag, over random sets of every shape.

#include <gtest/gtest.h>

#include "id_set_universe.hpp"
#include "segue/core/id_set_reader.hpp"

namespace segue::test {
namespace {

// The obvious IdSet.
struct Reference {
  std::set<Id> listed;
  bool complement = false;

  bool contains(Id id) const { return (listed.count(id) != 0) != complement; }
};

Reference operator~(const Reference& a) { return {a.listed, !a.complement}; }

// Membership of a result can change only at ids that an operand lists, so looking at those is enough.
template <class Operation>
Reference combine(const Reference& a, const Reference& b, Operation operation) {
  Reference result;
  result.complement = operation(a.complement, b.complement);
  std::set<Id> all = a.listed;
  all.insert(b.listed.begin(), b.listed.end());
  for (const Id id : all) {
    if (operation(a.contains(id), b.contains(id)) != result.complement) result.listed.insert(result.listed.end(), id);
  }
  return result;
}

Reference operator&(const Reference& a, const Reference& b) {
  return combine(a, b, [](bool x, bool y) { return x && y; });
}

Reference operator|(const Reference& a, const Reference& b) {
  return combine(a, b, [](bool x, bool y) { return x || y; });
}

void expect_same(const IdSet& set, const Reference& reference, Random& random) {
  ASSERT_TRUE(set.validate().ok()) << set.validate().message();
  ASSERT_EQ(set.is_complement(), reference.complement);
  ASSERT_EQ(set.listed(), reference.listed.size());
  ASSERT_EQ(set.listed_ids(), std::vector<Id>(reference.listed.begin(), reference.listed.end()));
  const IdSetReader reader(set);
  for (const Id id : probes(random, reference.listed)) {
    ASSERT_EQ(set.contains(id), reference.contains(id)) << "id " << id;
    ASSERT_EQ(reader.contains(id), reference.contains(id)) << "id " << id;
  }
}

// One operand in four ways of writing it: listed or complement.
struct Operand {
  IdSet set;
  Reference reference;
};

Operand random_operand(Random& random, Universe universe, bool complement) {
  Reference reference{random_ids(random, universe), complement};
  IdSet set = make(reference.listed);
  return {complement ? ~set : set, std::move(reference)};
}

class IdSetProperties : public testing::TestWithParam<Universe> {
 protected:
  // Runs f(random, seed's operands a, b) for every seed and all four pairs of complement flags.
  template <class F>
  void for_all_operands(std::uint64_t seeds, F&& f) {
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
      for (unsigned flags = 0; flags < 4; ++flags) {
        SCOPED_TRACE("seed " + std::to_string(seed) + " flags " + std::to_string(flags));
        Random random(seed);
        const Operand a = random_operand(random, GetParam(), (flags & 1) != 0);
        const Operand b = random_operand(random, GetParam(), (flags & 2) != 0);
        f(random, a, b);
        if (HasFatalFailure()) return;
      }
    }
  }
};

TEST_P(IdSetProperties, OperatorsAgreeWithAReference) {
  for_all_operands(3, [](Random& random, const Operand& a, const Operand& b) {
    ASSERT_NO_FATAL_FAILURE(expect_same(a.set, a.reference, random));
    ASSERT_NO_FATAL_FAILURE(expect_same(~a.set, ~a.reference, random));
    ASSERT_NO_FATAL_FAILURE(expect_same(a.set & b.set, a.reference & b.reference, random));
    ASSERT_NO_FATAL_FAILURE(expect_same(a.set | b.set, a.reference | b.reference, random));
  });
}

TEST_P(IdSetProperties, LawsOfSetsHold) {
  for_all_operands(4, [](Random& random, const Operand& x, const Operand& y) {
    const IdSet& a = x.set;
    const IdSet& b = y.set;
    const IdSet c = make(random_ids(random, Universe::kDense));
    EXPECT_EQ(~~a, a);
    EXPECT_FALSE(~a == a);
    EXPECT_EQ(~(a & b), ~a | ~b);
    EXPECT_EQ(~(a | b), ~a & ~b);
    EXPECT_EQ(a & b, b & a);
    EXPECT_EQ(a | b, b | a);
    EXPECT_EQ(a & (b | c), (a & b) | (a & c));
    EXPECT_EQ(a | (b & c), (a | b) & (a | c));
    EXPECT_EQ((a & b) | (a & ~b), a);
    EXPECT_EQ(a & a, a);
    EXPECT_EQ(a | a, a);
    EXPECT_EQ(a & ~a, IdSet());
    EXPECT_EQ(a | ~a, ~IdSet());
    EXPECT_EQ(a & IdSet(), IdSet());
    EXPECT_EQ(a | IdSet(), a);
    EXPECT_EQ(a & ~IdSet(), a);
    EXPECT_EQ(a | ~IdSet(), ~IdSet());
  });
}

// The layout depends on the members alone: every way of arriving at them gives an equal, equally large set.
TEST_P(IdSetProperties, EqualityForgetsHistory) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const std::set<Id> ids = random_ids(random, GetParam());
    const IdSet sorted = make(ids);

    std::vector<Id> shuffled(ids.begin(), ids.end());
    shuffled.insert(shuffled.end(), ids.begin(), ids.end());
    std::shuffle(shuffled.begin(), shuffled.end(), random);
    const IdSet repeated = IdSet::from_ids(shuffled).value();
    ASSERT_TRUE(repeated.validate().ok()) << repeated.validate().message();
    ASSERT_EQ(repeated, sorted);
    ASSERT_EQ(repeated.memory_usage(), sorted.memory_usage());

    IdSet halves;
    std::vector<Id> part;
    for (const Id id : shuffled) {
      part.push_back(id);
      if (part.size() * 3 > shuffled.size()) {
        halves = halves | IdSet::from_ids(part).value();
        part.clear();
      }
    }
    halves = halves | IdSet::from_ids(part).value();
    ASSERT_TRUE(halves.validate().ok()) << halves.validate().message();
    ASSERT_EQ(halves, sorted);

    const IdSet more = make(random_ids(random, GetParam()));
    const IdSet there_and_back = ((sorted | more) & ~(more & ~sorted));
    ASSERT_EQ(there_and_back, sorted);
    ASSERT_EQ(there_and_back.memory_usage(), sorted.memory_usage());

    if (ids.empty()) continue;
    std::set<Id> other = ids;
    other.erase(std::next(other.begin(), static_cast<std::ptrdiff_t>(below(random, other.size()))));
    ASSERT_FALSE(make(other) == sorted);
    if (other.insert(*ids.begin() == 0 ? kLargestId - 7 : *ids.begin() - 1).second && other.size() == ids.size()) {
      ASSERT_FALSE(make(other) == sorted);
    }
  }
}

std::string name_of(const testing::TestParamInfo<Universe>& info) {
  const char* names[] = {"Tiny", "Dense", "Threshold", "Scattered", "Huge", "Mixed"};
  return names[static_cast<int>(info.param)];
}

INSTANTIATE_TEST_SUITE_P(Universes, IdSetProperties, testing::ValuesIn(kUniverses), name_of);

}  // namespace
}  // namespace segue::test
