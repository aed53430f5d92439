// Fitness classes under hard filters: of 20,000 made classes, those that a member would like, of the asked length,
// discipline and difficulty, newer ones first among equals, at most three an instructor.
//
//   classes            prints one member's list, what filters let through, and figures over 200 members
//   classes 7          another member (0 to 199)
//
// Filters hold inside the search, so a list is full as long as enough classes match; where it is not, the answer says
// why. Catalogue and members are made (classes/make_classes.hpp); the pieces that print are in playlists/.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "classes/make_catalog.hpp"
#include "classes/make_classes.hpp"
#include "classes/print_classes.hpp"
#include "playlists/measure_search.hpp"
#include "playlists/parse_day.hpp"
#include "playlists/report_step.hpp"
#include "playlists/run_program.hpp"
#include "segue/segue.hpp"

namespace {

using classes::Catalogue;
using classes::Class;
using classes::Member;
using playlists::Stopwatch;
using segue::field;

constexpr std::size_t kClasses = 20'000;
constexpr std::size_t kMembers = 200;
constexpr std::size_t k = 20;
constexpr std::size_t kAnInstructor = 3;
constexpr std::int64_t kShortest = 20, kLongest = 30;

using Generator = std::unique_ptr<const segue::CandidateGenerator>;

struct Studio {
  Catalogue catalogue;
  std::vector<Member> members;
  std::shared_ptr<segue::Index> index;
  std::shared_ptr<segue::Catalog> catalog;
  segue::GeneratorOptions rules;  // cap and freshness
  Generator generator;            // by these
};

segue::Result<Studio> open_studio() {
  Studio studio;
  studio.catalogue = classes::make_classes(kClasses);
  studio.members = classes::make_members(studio.catalogue, kMembers);
  auto index = segue::build(segue::MatrixView(studio.catalogue.vectors, classes::kDim), {},
                            {.metric = segue::Metric::kCosine, .kind = "flat"});
  if (!index.ok()) return index.status();
  studio.index = std::move(*index);
  auto catalog = classes::make_catalog(studio.catalogue.classes);
  if (!catalog.ok()) return catalog.status();
  studio.catalog = std::move(*catalog);

  segue::GeneratorOptions& rules = studio.rules;
  rules.sources = {{"taste", segue::nearest_to_vectors(studio.index)}};
  rules.catalog = studio.catalog;
  rules.caps = {{"instructor", kAnInstructor}};
  // A class of today keeps its score, one of 60 days ago three quarters of it, an old one half. Freshness orders what
  // is proposed, and a single source proposes about as many as are wanted: with lambda 1 diversity looks at scores
  // alone, and lets the rules choose among the best 400.
  rules.freshness = segue::Freshness{"published", 60, 0.5, classes::kToday * playlists::kSecondsADay};
  rules.mmr = segue::Mmr{studio.index, 1.0f, 400};
  auto generator = segue::CandidateGenerator::create(rules);
  if (!generator.ok()) return generator.status();
  studio.generator = std::move(*generator);
  return studio;
}

segue::Expression filter_of(const Member& member) {
  return field("minutes").between(kShortest, kLongest) & (field("discipline") == member.discipline) &
         (field("difficulty") == member.difficulty);
}

bool satisfies(const Class& c, const Member& member) {
  return c.minutes >= kShortest && c.minutes <= kLongest && c.discipline == member.discipline &&
         c.difficulty == member.difficulty;
}

// What the same request gets under other filters.
segue::Status try_filters(const Studio& studio, const Member& member, const std::vector<float>& taste) {
  std::printf("\n  The same request, %zu asked for, under other filters:\n", k);
  const std::string own = "discipline = '" + member.discipline + "'";
  for (const std::string& text :
       {own, own + " and minutes <= 10", own + " and minutes = 90 and music = 'ambient' and difficulty = 'beginner'",
        std::string("minutes between 200 and 300"), std::string("minutes = 'long'"), std::string("teacher = 'x'")}) {
    const auto filter = segue::parse_expression(text);
    if (!filter.ok()) return filter.status();
    std::printf("    %s\n", text.c_str());
    const auto matches = studio.catalog->select(*filter);
    const auto found = studio.generator->generate(
        {.k = k, .vectors = segue::MatrixView(taste, classes::kDim), .filter = *filter, .exclude = member.taken});
    if (!found.ok()) {
      std::printf("      an error: %s\n", found.status().message().c_str());
    } else {
      std::printf("      %zu match; %zu in the list, ended by: %s%s%s\n", matches->listed(), found->ids.size(),
                  std::string(to_string(found->ended_by)).c_str(), found->reason.empty() ? "" : "; ",
                  found->reason.c_str());
    }
  }
  return {};
}

struct Measured {
  std::size_t places = 0, satisfying = 0, short_lists = 0, most = 0;
  double instructors = 0, age = 0, likes = 0;
  std::vector<double> microseconds;
};

segue::Result<Measured> measure(const Studio& studio, const segue::CandidateGenerator& generator) {
  Measured all;
  for (const Member& member : studio.members) {
    const std::vector<float> taste = classes::taste_of(studio.catalogue, member);
    const segue::Request request{.k = k,
                                 .vectors = segue::MatrixView(taste, classes::kDim),
                                 .filter = filter_of(member),
                                 .exclude = member.taken};
    const Stopwatch watch;
    const auto found = generator.generate(request);
    all.microseconds.push_back(watch.seconds() * 1e6);
    if (!found.ok()) return found.status();
    std::map<std::string, std::size_t> instructors;
    for (const segue::Id id : found->ids) {
      const Class& c = studio.catalogue.classes[static_cast<std::size_t>(id)];
      all.most = std::max(all.most, ++instructors[c.instructor]);
      all.satisfying += satisfies(c, member) ? 1 : 0;
      all.age += static_cast<double>(classes::kToday - c.published);
      all.likes += c.music == member.music ? 1 : 0;
    }
    all.places += found->ids.size();
    all.short_lists += found->ids.size() < k ? 1 : 0;
    all.instructors += static_cast<double>(instructors.size()) / kMembers;
  }
  all.age /= static_cast<double>(all.places), all.likes /= static_cast<double>(all.places);
  return all;
}

segue::Status run(const std::vector<std::string>& arguments) {
  const std::size_t number = arguments.empty() ? 0 : std::strtoul(arguments[0].c_str(), nullptr, 10);
  if (!arguments.empty() && (std::to_string(number) != arguments[0] || number >= kMembers)) {
    return segue::invalid_argument("expected a member from 0 to " + std::to_string(kMembers - 1) + ", got \"" +
                                   arguments[0] + "\"");
  }
  std::printf("Classes for a member, with Segue\n\n");
  const Stopwatch watch;
  const auto studio = open_studio();
  if (!studio.ok()) return studio.status();
  playlists::report_step("made", "20,000 classes and 200 members, an index and a catalogue", watch.seconds());

  const Member& member = studio->members[number];
  const std::vector<float> taste = classes::taste_of(studio->catalogue, member);
  const segue::Expression filter = filter_of(member);
  const auto matches = studio->catalog->select(filter);
  if (!matches.ok()) return matches.status();
  const auto found = studio->generator->generate(
      {.k = k, .vectors = segue::MatrixView(taste, classes::kDim), .filter = filter, .exclude = member.taken});
  if (!found.ok()) return found.status();
  std::printf("\n  Member %zu, who took %zu classes, mostly %s %s to %s. The filter:\n    %s\n", number,
              member.taken.size(), member.difficulty.c_str(), member.discipline.c_str(), member.music.c_str(),
              filter.to_string().c_str());
  std::printf("  lets %zu classes through; the %zu best, at most %zu an instructor:\n\n", matches->listed(),
              found->ids.size(), kAnInstructor);
  classes::print_classes(studio->catalogue, member, *found);
  SEGUE_RETURN_IF_ERROR(try_filters(*studio, member, taste));

  std::printf("\n  Over %zu members, each with a filter of their own, %zu classes each:\n", kMembers, k);
  std::printf("    %-18s %10s %11s %11s %11s %9s %11s\n", "", "satisfying", "instructors", "most of one", "short lists",
              "mean age", "their music");
  segue::GeneratorOptions no_cap = studio->rules, no_freshness = studio->rules;
  no_cap.caps.clear(), no_freshness.freshness.reset();
  segue::GeneratorOptions neither = no_cap;
  neither.freshness.reset();
  std::string times;
  using Row = std::pair<const char*, const segue::GeneratorOptions*>;
  for (const auto& [name, options] : {Row("cap and freshness", &studio->rules), Row("no cap", &no_cap),
                                      Row("no freshness", &no_freshness), Row("neither", &neither)}) {
    const auto generator = segue::CandidateGenerator::create(*options);
    if (!generator.ok()) return generator.status();
    const auto all = measure(*studio, **generator);
    if (!all.ok()) return all.status();
    std::printf("    %-18s %10.4f %11.2f %11zu %11zu %4.0f days %11.4f\n", name,
                static_cast<double>(all->satisfying) / static_cast<double>(all->places), all->instructors, all->most,
                all->short_lists, all->age, all->likes);
    if (times.empty()) times = playlists::to_string(playlists::percentiles(all->microseconds));
  }
  std::printf(
      "  satisfying: the share of places that keep to their filter. most of one: classes of an instructor in a list.\n"
      "  their music: the share of places with the music that the member takes most, which no filter asks for.\n"
      "  A request with cap and freshness: %s.\n",
      times.c_str());
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  return playlists::run_program(argc, argv, "classes",
                                "classes [MEMBER]\n\nLists made fitness classes for a member, 0 to 199 (default 0), "
                                "under hard filters.\n",
                                1, run);
}
