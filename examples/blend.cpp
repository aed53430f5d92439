// A blend for two listeners: one list that both should like, made in three ways.
//
//   blend                                  the default pair, and figures over thirty pairs
//   blend "Hot Country" "RapCaviar"        another pair; a listener is one of the public playlists under data/
//
// One request carries the tastes of both as two query vectors, and says how they go together: the average of both
// scores, the score of the less happy one, or shares, where each proposes in turn. What either has is left out, and no
// artist comes twice. A person's score of a song is its cosine to their taste; the worse of the two says whether
// somebody is left behind. The pieces are in playlists/, a step a file.

#include <algorithm>
#include <cstdio>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "playlists/ask_both.hpp"
#include "playlists/fit_text.hpp"
#include "playlists/measure_search.hpp"
#include "playlists/random.hpp"
#include "playlists/read_service.hpp"
#include "playlists/report_step.hpp"
#include "playlists/run_program.hpp"
#include "segue/segue.hpp"

namespace {

using namespace playlists;

constexpr std::size_t k = 20;
constexpr std::size_t kShown = 10;
constexpr std::size_t kPairs = 30;
constexpr const char* kFirst = "Indie Pop";
constexpr const char* kSecond = "Hot Country";
constexpr segue::Combine kWays[] = {segue::Combine::kAverage, segue::Combine::kLeastHappy, segue::Combine::kShares};

segue::Request request_of(const Service& service, const Pair& pair, segue::Combine combine) {
  return {.k = k,
          .vectors = segue::MatrixView(pair.tastes, service.index->dim()),
          .combine = combine,
          .filter = segue::field("seconds") <= 600,
          .exclude = pair.heard};
}

std::size_t shared(const std::vector<segue::Id>& x, const std::vector<segue::Id>& y) {
  const std::unordered_set<segue::Id> ids(x.begin(), x.end());
  return static_cast<std::size_t>(std::count_if(y.begin(), y.end(), [&](segue::Id id) { return ids.contains(id); }));
}

void print_blend(const Service& service, const Pair& pair, segue::Combine combine, const std::vector<segue::Id>& list,
                 const Opinion& opinion) {
  std::printf("\n  %s\n", std::string(to_string(combine)).c_str());
  for (std::size_t i = 0; i < std::min(kShown, list.size()); ++i) {
    std::printf("  %3zu. %s  %6.3f%s  %6.3f%s\n", i + 1,
                fit(describe(service.songs[static_cast<std::size_t>(list[i])], 56), 56).c_str(), opinion.scores[0][i],
                pair.later[0].contains(list[i]) ? " ✓" : "  ", opinion.scores[1][i],
                pair.later[1].contains(list[i]) ? " ✓" : "");
  }
}

segue::Status show_pair(const Service& service, const segue::CandidateGenerator& blend, const Pair& pair) {
  std::printf(
      "\n  %s and %s: behind each song the score of the first and of the second, ✓ where that one took it\n"
      "  later; the first %zu of %zu. They share %zu songs.\n",
      service.names[pair.who[0]].c_str(), service.names[pair.who[1]].c_str(), kShown, k,
      shared(service.history[pair.who[0]], service.history[pair.who[1]]));
  std::vector<std::vector<segue::Id>> lists;
  std::string table;
  for (const segue::Combine combine : kWays) {
    const auto found = blend.generate(request_of(service, pair, combine));
    if (!found.ok()) return found.status();
    const auto opinion = ask_both(service, pair, found->ids);
    if (!opinion.ok()) return opinion.status();
    print_blend(service, pair, combine, found->ids, *opinion);
    lists.push_back(found->ids);
    char line[160];
    std::snprintf(line, sizeof line, "  %s %8.3f %8.3f %8.3f %8.3f   ", fit(to_string(combine), 12).c_str(),
                  opinion->happiness[0], opinion->happiness[1], opinion->mean, opinion->worse);
    table += line;
    for (std::size_t other = 0; other < lists.size(); ++other) {
      table += " " + std::to_string(shared(lists[other], found->ids));
    }
    table += "\n";
  }
  std::printf("\n  %s %8s %8s %8s %8s    songs shared with the lists above, and with itself\n%s", fit("", 12).c_str(),
              "first", "second", "mean", "worse", table.c_str());
  return {};
}

segue::Status measure_pairs(const Service& service, const segue::CandidateGenerator& blend) {
  std::vector<Pair> pairs;
  for (std::uint64_t draw = 0; pairs.size() < kPairs; ++draw) {
    const std::size_t a = mix(2 * draw) % service.names.size(), b = mix(2 * draw + 1) % service.names.size();
    if (a != b && !service.future[a].empty() && !service.future[b].empty()) pairs.push_back(make_pair(service, a, b));
  }
  std::printf("\n  %zu pairs drawn at random, %zu songs each:\n\n  %s %8s %8s %13s %14s\n", kPairs, k,
              fit("", 12).c_str(), "mean", "worse", "less happy", "hit for one");
  std::string times;
  for (const segue::Combine combine : kWays) {
    double mean = 0, worse = 0, less_happy = 0;
    std::size_t hit = 0;
    std::vector<double> microseconds;
    for (const Pair& pair : pairs) {
      const segue::Request request = request_of(service, pair, combine);
      const Stopwatch watch;
      const auto found = blend.generate(request);
      microseconds.push_back(watch.seconds() * 1e6);
      if (!found.ok()) return found.status();
      const auto opinion = ask_both(service, pair, found->ids);
      if (!opinion.ok()) return opinion.status();
      mean += opinion->mean / kPairs, worse += opinion->worse / kPairs;
      less_happy += std::min(opinion->happiness[0], opinion->happiness[1]) / kPairs;
      hit += opinion->hits[0] + opinion->hits[1] > 0 ? 1 : 0;
    }
    const std::string name = fit(to_string(combine), 12);
    std::printf("  %s %8.3f %8.3f %13.3f %14.2f\n", name.c_str(), mean, worse, less_happy,
                static_cast<double>(hit) / kPairs);
    times += "  a request, " + name + ": " + to_string(percentiles(microseconds)) + "\n";
  }
  std::printf(
      "\n  mean: of both scores. worse: of the smaller score of each song. less happy: the mean score of whoever\n"
      "  likes the list less. hit for one: the share of pairs of whom somebody took a song of it later.\n%s",
      times.c_str());
  return {};
}

segue::Status run(const std::vector<std::string>& arguments) {
  std::printf("Blends for two, with Segue\n\n");
  const auto service = read_service(SEGUE_PLAYLISTS_DIR);
  if (!service.ok()) return service.status();
  const auto a = service->number(arguments.empty() ? kFirst : arguments[0]);
  if (!a.ok()) return a.status();
  const auto b = service->number(arguments.size() < 2 ? kSecond : arguments[1]);
  if (!b.ok()) return b.status();

  segue::GeneratorOptions options;
  options.sources = {{"tastes", segue::nearest_to_vectors(service->index, kWide)}};
  options.catalog = service->catalog;
  options.caps = {{"artist", 1}};
  const auto blend = segue::CandidateGenerator::create(std::move(options));
  if (!blend.ok()) return blend.status();
  SEGUE_RETURN_IF_ERROR(show_pair(*service, **blend, make_pair(*service, *a, *b)));
  return measure_pairs(*service, **blend);
}

}  // namespace

int main(int argc, char** argv) {
  return run_program(argc, argv, "blend",
                     "blend [LISTENER] [LISTENER]\n\nMakes one list for two of the public playlists, in three ways "
                     "(default: Indie Pop and Hot Country).\n",
                     2, run);
}
