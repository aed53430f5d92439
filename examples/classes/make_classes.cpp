#include "classes/make_classes.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "playlists/random.hpp"

namespace classes {
namespace {

const std::vector<std::string> kDisciplines = {"cycling", "running", "strength", "yoga",
                                               "pilates", "boxing",  "rowing",   "meditation"};
const std::vector<std::string> kDifficulties = {"beginner", "intermediate", "advanced"};
const std::vector<std::string> kMusic = {"pop", "rock", "hip hop", "electronic", "soul", "latin", "country", "ambient"};
const std::vector<std::int64_t> kMinutes = {5, 10, 15, 20, 30, 45, 60, 90};
constexpr std::uint64_t kInstructors = 80;
constexpr std::int64_t kOldest = 1500;  // days

// A stream of numbers for one class or member: each draw is another hash of who it is for.
class Draws {
 public:
  Draws(std::uint64_t seed, std::uint64_t who) : state_(playlists::mix(playlists::mix(seed) + who)) {}
  std::uint64_t below(std::uint64_t n) { return (state_ = playlists::mix(state_)) % n; }
  // From 0 to 1, 1 not included.
  double uniform() { return static_cast<double>((state_ = playlists::mix(state_)) >> 11) * 0x1p-53; }
  template <class T>
  const T& any(const std::vector<T>& values) {
    return values[below(values.size())];
  }

 private:
  std::uint64_t state_;
};

// A direction for each word, of about length 1.
class Directions {
 public:
  explicit Directions(std::uint64_t seed) : seed_(seed) {}
  void add(const std::string& word, double weight, float* vector) {
    auto [place, is_new] = known_.try_emplace(word);
    if (is_new) {
      std::uint64_t hash = seed_;
      for (const char c : word) hash = playlists::mix(hash + static_cast<unsigned char>(c));
      place->second = draw(hash);
    }
    for (std::size_t d = 0; d < kDim; ++d) vector[d] += static_cast<float>(weight * place->second[d]);
  }
  // Sums of three uniform numbers are nearly normal, and the same everywhere, unlike those of <random>.
  static std::vector<double> draw(std::uint64_t hash) {
    Draws draws(hash, kDim);
    std::vector<double> direction(kDim);
    for (double& x : direction) {
      x = 2 * (draws.uniform() + draws.uniform() + draws.uniform() - 1.5) / std::sqrt(static_cast<double>(kDim));
    }
    return direction;
  }

 private:
  std::uint64_t seed_;
  std::map<std::string, std::vector<double>> known_;
};

Class make_class(Draws& draws) {
  const std::uint64_t instructor = draws.below(kInstructors);
  // Each instructor teaches one discipline or two.
  const std::uint64_t discipline = draws.below(2) == 0 ? instructor : instructor / kDisciplines.size();
  Class made;
  made.discipline = kDisciplines[discipline % kDisciplines.size()];
  made.instructor = "Instructor " + std::to_string(instructor + 1);
  made.minutes = draws.any(kMinutes);
  made.difficulty = draws.any(kDifficulties);
  made.music = draws.any(kMusic);
  // More of them the nearer to today, as a catalogue that grows has.
  const double age = draws.uniform();
  made.published = kToday - 1 - static_cast<std::int64_t>(age * age * static_cast<double>(kOldest));
  return made;
}

}  // namespace

Catalogue make_classes(std::size_t count, std::uint64_t seed) {
  Catalogue catalogue;
  catalogue.vectors.resize(count * kDim);
  Directions directions(seed);
  for (std::size_t i = 0; i < count; ++i) {
    Draws draws(seed, i);
    const Class made = make_class(draws);
    float* vector = catalogue.vectors.data() + i * kDim;
    directions.add(made.discipline, 1.0, vector);
    directions.add(made.music, 0.7, vector);
    directions.add(made.instructor, 0.6, vector);
    directions.add(made.difficulty, 0.4, vector);
    directions.add(made.minutes < 20 ? "short" : made.minutes < 45 ? "middling" : "long", 0.3, vector);
    const std::vector<double> noise = Directions::draw(playlists::mix(seed + 1) + i);
    for (std::size_t d = 0; d < kDim; ++d) vector[d] += static_cast<float>(0.5 * noise[d]);
    catalogue.classes.push_back(made);
  }
  return catalogue;
}

std::vector<Member> make_members(const Catalogue& catalogue, std::size_t count, std::uint64_t seed) {
  constexpr int kTaken = 12;
  constexpr int kLookedAt = 400;  // of these a member takes the one that suits best
  std::vector<Member> members;
  for (std::size_t m = 0; m < count; ++m) {
    Draws draws(playlists::mix(seed + 2), m);
    Member member{draws.any(kDisciplines), draws.any(kDifficulties), draws.any(kMusic), {}};
    for (int i = 0; i < kTaken; ++i) {
      segue::Id best = 0;
      double best_suits = -1;
      for (int j = 0; j < kLookedAt; ++j) {
        const std::uint64_t at = draws.below(catalogue.classes.size());
        const Class& c = catalogue.classes[at];
        const double suits = 2.0 * (c.discipline == member.discipline) + 1.0 * (c.difficulty == member.difficulty) +
                             1.0 * (c.music == member.music) + draws.uniform();
        if (suits > best_suits) best = static_cast<segue::Id>(at), best_suits = suits;
      }
      if (std::find(member.taken.begin(), member.taken.end(), best) == member.taken.end()) {
        member.taken.push_back(best);
      }
    }
    members.push_back(std::move(member));
  }
  return members;
}

std::vector<float> taste_of(const Catalogue& catalogue, const Member& member) {
  std::vector<float> taste(kDim);
  for (const segue::Id id : member.taken) {
    const float* row = catalogue.vectors.data() + static_cast<std::size_t>(id) * kDim;
    for (std::size_t d = 0; d < kDim; ++d) taste[d] += row[d] / static_cast<float>(member.taken.size());
  }
  return taste;
}

}  // namespace classes
