#pragma once
// A catalogue of fitness classes that nobody teaches: what they are, and a vector for each.
//
// A class has a discipline, an instructor who teaches one or two of them, minutes, a difficulty, music and the day on
// which it came out. Its vector is the sum of a direction for each of these and of noise, so classes that share much
// are near each other. All of it comes from a seed, the same on every machine.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "segue/types.hpp"

namespace classes {

struct Class {
  std::string discipline;
  std::string instructor;
  std::int64_t minutes = 0;
  std::string difficulty;
  std::string music;
  std::int64_t published = 0;  // days since 1970-01-01
};

inline constexpr std::int64_t kToday = 18'779;  // 2021-06-01
inline constexpr std::size_t kDim = 32;

struct Catalogue {
  std::vector<Class> classes;  // the id of a class is its place here
  std::vector<float> vectors;  // classes.size() x kDim
};

Catalogue make_classes(std::size_t count, std::uint64_t seed = 0);

// Somebody who takes classes: mostly of one discipline and difficulty, of one kind of music more than of others.
struct Member {
  std::string discipline;
  std::string difficulty;
  std::string music;
  std::vector<segue::Id> taken;  // distinct, a dozen or some fewer
};

std::vector<Member> make_members(const Catalogue& catalogue, std::size_t count, std::uint64_t seed = 0);

// What a member likes: the mean of the vectors that they took.
std::vector<float> taste_of(const Catalogue& catalogue, const Member& member);

}  // namespace classes
