// The made catalogue of examples/classes: what the program's text takes for granted.

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "classes/make_catalog.hpp"
#include "classes/make_classes.hpp"

namespace classes {
namespace {

double cosine(const Catalogue& c, std::size_t a, std::size_t b) {
  double dot = 0, aa = 0, bb = 0;
  for (std::size_t d = 0; d < kDim; ++d) {
    const double x = c.vectors[a * kDim + d], y = c.vectors[b * kDim + d];
    dot += x * y, aa += x * x, bb += y * y;
  }
  return dot / std::sqrt(aa * bb);
}

TEST(MakeClasses, DependsOnTheSeedAlone) {
  const Catalogue a = make_classes(300, 7), b = make_classes(400, 7), c = make_classes(300, 8);
  EXPECT_TRUE(std::equal(a.vectors.begin(), a.vectors.end(), b.vectors.begin())) << "a longer one begins the same";
  EXPECT_NE(a.vectors, c.vectors);
  const auto taken = [](const std::vector<Member>& members) {
    std::vector<std::vector<segue::Id>> all;
    for (const Member& member : members) all.push_back(member.taken);
    return all;
  };
  EXPECT_EQ(taken(make_members(a, 20, 3)), taken(make_members(a, 20, 3)));
  EXPECT_NE(taken(make_members(a, 20, 3)), taken(make_members(a, 20, 4)));
}

TEST(MakeClasses, IsAPlausibleCatalogue) {
  const Catalogue catalogue = make_classes(5000);
  ASSERT_EQ(catalogue.classes.size(), 5000U);
  ASSERT_EQ(catalogue.vectors.size(), 5000U * kDim);
  std::map<std::string, std::set<std::string>> taught;
  std::map<std::string, std::size_t> disciplines, difficulties, music;
  std::size_t recent = 0;
  for (const Class& c : catalogue.classes) {
    taught[c.instructor].insert(c.discipline);
    ++disciplines[c.discipline], ++difficulties[c.difficulty], ++music[c.music];
    EXPECT_GE(c.minutes, 5);
    EXPECT_LE(c.minutes, 90);
    EXPECT_LT(c.published, kToday);
    EXPECT_GE(c.published, kToday - 1501);
    recent += c.published > kToday - 375 ? 1 : 0;
  }
  EXPECT_EQ(taught.size(), 80U);
  for (const auto& [instructor, what] : taught) EXPECT_LE(what.size(), 2U) << instructor;
  EXPECT_EQ(disciplines.size(), 8U);
  EXPECT_EQ(difficulties.size(), 3U);
  EXPECT_EQ(music.size(), 8U);
  for (const auto& [name, count] : disciplines) EXPECT_GT(count, 400U) << name;
  EXPECT_GT(recent, 2250U) << "half of them are of the last quarter of the time";
  EXPECT_LT(recent, 2750U);
}

TEST(MakeClasses, PutsWhatSharesMuchTogether) {
  const Catalogue catalogue = make_classes(400);
  // Means over pairs by how many of discipline, music, instructor, difficulty they share.
  std::vector<double> sum(5), pairs(5);
  for (std::size_t i = 0; i < 400; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const Class &a = catalogue.classes[i], &b = catalogue.classes[j];
      const std::size_t shared = std::size_t{a.discipline == b.discipline} + (a.music == b.music) +
                                 (a.instructor == b.instructor) + (a.difficulty == b.difficulty);
      sum[shared] += cosine(catalogue, i, j), ++pairs[shared];
    }
  }
  for (std::size_t shared = 1; shared < 4; ++shared) {
    ASSERT_GT(pairs[shared], 20) << shared;
    EXPECT_GT(sum[shared] / pairs[shared], sum[shared - 1] / pairs[shared - 1] + 0.05) << shared;
  }
}

TEST(MakeMembers, TakeWhatSuitsThem) {
  const Catalogue catalogue = make_classes(20'000);
  double suits = 0, taken = 0;
  for (const Member& member : make_members(catalogue, 50)) {
    EXPECT_EQ(std::set<segue::Id>(member.taken.begin(), member.taken.end()).size(), member.taken.size());
    EXPECT_GE(member.taken.size(), 8U) << "12 draws, which may repeat";
    for (const segue::Id id : member.taken) {
      const Class& c = catalogue.classes[static_cast<std::size_t>(id)];
      suits += c.discipline == member.discipline && c.music == member.music ? 1 : 0, ++taken;
    }
  }
  EXPECT_GT(suits / taken, 0.7);
}

TEST(MakeCatalog, SelectsWhatALoopDoes) {
  const Catalogue catalogue = make_classes(3000);
  const auto catalog = make_catalog(catalogue.classes);
  ASSERT_TRUE(catalog.ok()) << catalog.status().message();
  const auto chosen = (*catalog)->select(
      "minutes between 20 and 30 and discipline = 'yoga' and difficulty != 'advanced' and published >= '2020-06-01'");
  ASSERT_TRUE(chosen.ok()) << chosen.status().message();
  std::vector<segue::Id> expected;
  for (std::size_t i = 0; i < catalogue.classes.size(); ++i) {
    const Class& c = catalogue.classes[i];
    // 2020-06-01 is a year before 2021-06-01.
    if (c.minutes >= 20 && c.minutes <= 30 && c.discipline == "yoga" && c.difficulty != "advanced" &&
        c.published >= kToday - 365) {
      expected.push_back(static_cast<segue::Id>(i));
    }
  }
  EXPECT_GT(expected.size(), 10U);
  EXPECT_EQ(chosen->listed_ids(), expected);
}

}  // namespace
}  // namespace classes
