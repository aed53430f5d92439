// The Home page of a listener: several sources blended into one list, under rules that hold for all of it.
//
//   home                    prints the list of one listener, who proposed what, and figures over all listeners
//   home "Late Night Jazz"  another listener; a listener is one of the public playlists under data/
//
// Sources: songs near two interests of the listener, songs near the last five, what is popular, what is new. Rules: two
// an artist, none longer than ten minutes, nothing that the listener has, diversity, no bonus for being popular. What
// the listeners took later judges it, beside each source alone. The pieces are in playlists/, a step a file.

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "playlists/fit_text.hpp"
#include "playlists/measure_lists.hpp"
#include "playlists/measure_search.hpp"
#include "playlists/print_list.hpp"
#include "playlists/read_service.hpp"
#include "playlists/report_step.hpp"
#include "playlists/run_program.hpp"
#include "segue/segue.hpp"

namespace {

using namespace playlists;

constexpr std::size_t k = 50;
constexpr std::size_t kShown = 20;
constexpr std::size_t kSession = 5;
constexpr std::int64_t kDeadline = 20'000;  // µs
constexpr const char* kListener = "Shoegaze Classics";

segue::Result<segue::GeneratorOptions> home_options(const Service& service) {
  auto popular = segue::ranked_list(service.popular);
  if (!popular.ok()) return popular.status();
  auto newest = segue::ranked_list(service.newest);
  if (!newest.ok()) return newest.status();

  segue::GeneratorOptions options;
  // What costs nothing stands first: under a deadline each source may take an equal part of the time that is left.
  options.sources = {{"popular", *popular, 0.2f},
                     {"new", *newest, 0.2f},
                     {"session", segue::nearest_to_seeds(service.index, kWide), 0.6f},
                     {"taste", segue::nearest_to_vectors(service.index, kWide)}};
  options.catalog = service.catalog;
  options.caps = {{"artist", 2}};
  options.mmr = segue::Mmr{service.index, 0.7f, 200};
  options.popularity = segue::Popularity{"plays", 0.05};
  return options;
}

// What one listener asks for; borrowed by the request.
struct Asked {
  std::vector<float> interests;
  std::vector<segue::Id> session;
};

Asked ask(const Service& service, std::size_t listener) {
  return {service.interests(listener), service.last(listener, kSession)};
}

segue::Request request_of(const Service& service, std::size_t listener, const Asked& asked) {
  return {.k = k,
          .vectors = segue::MatrixView(asked.interests, service.index->dim()),
          .combine = segue::Combine::kShares,  // so that the larger interest does not push the other out
          .seeds = asked.session,
          .filter = segue::field("seconds") <= 600,
          .exclude = service.history[listener],
          .deadline_us = kDeadline};
}

// All listeners at once, without a deadline, as the list that is shown: so both are the same on a slow machine.
segue::Result<Figures> judge(const Service& service, const std::vector<Asked>& asked,
                             const segue::CandidateGenerator& generator) {
  std::vector<segue::Request> requests;
  for (std::size_t listener = 0; listener < asked.size(); ++listener) {
    requests.push_back(request_of(service, listener, asked[listener]));
    requests.back().deadline_us = 0;
  }
  auto found = generator.generate(requests);
  if (!found.ok()) return found.status();
  Lists lists;
  for (segue::Candidates& candidates : *found) lists.push_back(std::move(candidates.ids));
  return measure_lists(lists, service.future, k, service.plays, *service.index);
}

// One request after the other, each with its deadline.
segue::Status time_requests(const Service& service, const std::vector<Asked>& asked,
                            const segue::CandidateGenerator& generator) {
  std::vector<double> microseconds;
  std::size_t cut = 0;
  for (std::size_t listener = 0; listener < asked.size(); ++listener) {
    const segue::Request request = request_of(service, listener, asked[listener]);
    const Stopwatch watch;
    const auto found = generator.generate(request);
    microseconds.push_back(watch.seconds() * 1e6);
    if (!found.ok()) return found.status();
    cut += found->ended_by == segue::EndedBy::kDeadline ? 1 : 0;
  }
  std::printf("  A request for Home: %s; %zu of %zu cut by the deadline of %lld µs.\n",
              to_string(percentiles(microseconds)).c_str(), cut, asked.size(), static_cast<long long>(kDeadline));
  return {};
}

// The whole of Home, and each source alone under the same filter, exclusions and cap.
segue::Status compare(const Service& service, const segue::GeneratorOptions& home) {
  std::vector<std::pair<std::string, segue::GeneratorOptions>> rows = {{"home", home}};
  for (const segue::SourceSpec& source : home.sources) {
    segue::GeneratorOptions alone;
    alone.sources = {source};
    alone.catalog = home.catalog;
    alone.caps = home.caps;
    rows.emplace_back(source.name + " alone", std::move(alone));
  }
  std::vector<Asked> asked;
  for (std::size_t listener = 0; listener < service.names.size(); ++listener) asked.push_back(ask(service, listener));

  std::printf("\n  All %zu listeners, judged by what they took later:\n\n", service.names.size());
  print_figures_header(k);
  Figures whole, best, charts;
  std::string best_name;
  for (const auto& [name, options] : rows) {
    const auto generator = segue::CandidateGenerator::create(options);
    if (!generator.ok()) return generator.status();
    const auto figures = judge(service, asked, **generator);
    if (!figures.ok()) return figures.status();
    print_figures(name, *figures);
    if (name == "home") whole = *figures;
    if (name == "popular alone") charts = *figures;
    if (name != "home" && figures->recall > best.recall) best = *figures, best_name = name;
  }
  std::printf(
      "\n  Home has %.1f times the recall of popular songs alone; against the best source, %s, %.2f times\n"
      "  its recall and %.1f times its diversity.\n",
      whole.recall / charts.recall, best_name.c_str(), whole.recall / best.recall, whole.diversity / best.diversity);

  const auto generator = segue::CandidateGenerator::create(home);
  if (!generator.ok()) return generator.status();
  return time_requests(service, asked, **generator);
}

segue::Status run(const std::vector<std::string>& arguments) {
  std::printf("Home pages with Segue\n\n");
  const auto service = read_service(SEGUE_PLAYLISTS_DIR);
  if (!service.ok()) return service.status();
  const auto listener = service->number(arguments.empty() ? kListener : arguments[0]);
  if (!listener.ok()) return listener.status();
  const auto options = home_options(*service);
  if (!options.ok()) return options.status();
  const auto home = segue::CandidateGenerator::create(*options);
  if (!home.ok()) return home.status();

  const Asked asked = ask(*service, *listener);
  segue::Request request = request_of(*service, *listener, asked);
  request.deadline_us = 0;
  const auto found = (*home)->generate(request);
  if (!found.ok()) return found.status();
  std::printf("\n  %s has %zu songs, the last five:\n", service->names[*listener].c_str(),
              service->history[*listener].size());
  for (const segue::Id song : asked.session) {
    std::printf("         %s\n", describe(service->songs[static_cast<std::size_t>(song)], 80).c_str());
  }
  std::printf("\n  Home (✓: taken later; behind each song its score and who proposed it at which place):\n\n");
  print_list(*service, *listener, *found, *options, kShown);
  std::printf("\n");
  print_reports(*found, options->sources);
  return compare(*service, *options);
}

}  // namespace

int main(int argc, char** argv) {
  return run_program(
      argc, argv, "home",
      "home [LISTENER]\n\nMakes the Home page of one of the public playlists (default: Shoegaze Classics).\n", 1, run);
}
