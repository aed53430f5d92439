// Now playing: a session plays on, track after track, each asked for when it is needed and there within a millisecond.
//
//   now_playing                     prints a run of twenty tracks, and figures over the sessions of all listeners
//   now_playing "Lo-Fi Beats"       another listener; a listener is one of the public playlists under data/
//
// The seeds of each request are the tracks played last, the nearest to now counting most; what was ever played is left
// out, one track more each time. Ten tracks by ten artists come back, and the first of them plays whose artist did not
// within the last five. Popular songs stand by with a small weight: sources are asked in their order, and these first,
// which takes no search. Where an answer is empty all the same, because time was up before anybody was asked, what is
// left of the last one plays on. A track hits if the listener took it later.
// The pieces are in playlists/, a step a file.

#include <algorithm>
#include <cstdio>
#include <span>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "playlists/fit_text.hpp"
#include "playlists/known_artists.hpp"
#include "playlists/measure_search.hpp"
#include "playlists/print_list.hpp"
#include "playlists/read_service.hpp"
#include "playlists/report_step.hpp"
#include "playlists/run_program.hpp"
#include "segue/segue.hpp"

namespace {

using namespace playlists;

constexpr std::size_t kTracks = 20;
constexpr std::size_t kNext = 10;  // proposals a request: the player keeps some in hand
constexpr std::size_t kSeeds = 20;
constexpr double kHalfLife = 10;          // a seed so many tracks back counts half
constexpr std::size_t kApart = 5;         // tracks between two of an artist
constexpr std::int64_t kDeadline = 1000;  // µs
constexpr const char* kListener = "hyperpop";

segue::Result<segue::GeneratorOptions> station_options(const Service& service) {
  auto popular = segue::ranked_list(service.popular);
  if (!popular.ok()) return popular.status();
  segue::GeneratorOptions options;
  options.sources = {{"popular", *popular, 0.05f}, {"session", segue::nearest_to_seeds(service.index, kWide)}};
  options.catalog = service.catalog;
  options.caps = {{"artist", 1}};
  return options;
}

segue::Expression filter() { return segue::field("seconds") <= 600; }

// The first that shares no artist with the last tracks; where all do, the first. (As a filter this would be an
// expression that was never there before in each request, and compiling it against the catalogue takes longer than the
// search.)
std::size_t choose(const Service& service, std::span<const segue::Id> next, std::span<const segue::Id> last) {
  const auto song = [&](segue::Id id) -> const Song& { return service.songs[static_cast<std::size_t>(id)]; };
  Artists heard;
  for (const segue::Id id : last) heard.insert(song(id).artists.begin(), song(id).artists.end());
  const auto found = std::find_if(next.begin(), next.end(), [&](segue::Id id) { return !by_any(song(id), heard); });
  return found == next.end() ? 0 : static_cast<std::size_t>(found - next.begin());
}

struct Track {
  segue::Id song = segue::kMissingId;
  bool hit = false;
  double microseconds = 0;
  std::size_t excluded = 0;
  segue::EndedBy ended_by = segue::EndedBy::kFull;
  std::string proposed_by;
};

// Plays on from the end of a listener's history.
segue::Result<std::vector<Track>> play(const Service& service, const segue::CandidateGenerator& station,
                                       std::size_t listener, std::int64_t deadline_us) {
  const std::vector<segue::Id>& future = service.future[listener];
  const std::unordered_set<segue::Id> took(future.begin(), future.end());
  std::vector<segue::Id> seeds = service.last(listener, kSeeds);
  std::vector<segue::Id> played = service.history[listener];
  std::vector<segue::Id> in_hand;
  std::vector<Track> run;
  while (run.size() < kTracks) {
    const Stopwatch watch;
    const auto found = station.generate({.k = kNext,
                                         .seeds = seeds,
                                         .seed_half_life = kHalfLife,
                                         .filter = filter(),
                                         .exclude = played,
                                         .deadline_us = deadline_us});
    const double microseconds = watch.seconds() * 1e6;
    if (!found.ok()) return found.status();
    const bool empty = found->ids.empty();
    if (!empty) in_hand = found->ids;
    if (in_hand.empty()) break;
    const std::size_t chosen = choose(service, in_hand, std::span(seeds).first(std::min(kApart, seeds.size())));
    const segue::Id next = in_hand[chosen];
    run.push_back({next, took.contains(next), microseconds, played.size(), found->ended_by,
                   empty ? "in hand" : print_provenance(*found, chosen, station.options().sources)});
    in_hand.erase(in_hand.begin() + static_cast<std::ptrdiff_t>(chosen));
    played.push_back(next);
    seeds.insert(seeds.begin(), next);
    seeds.resize(std::min(seeds.size(), kSeeds));
  }
  return run;
}

void print_run(const Service& service, std::size_t listener, const std::vector<Track>& run) {
  std::printf("\n  %s, after its %zu songs. Left out: everything played. ✓: the listener took it later.\n\n",
              service.names[listener].c_str(), service.history[listener].size());
  for (const segue::Id song : service.last(listener, kApart)) {
    std::printf("        %s  was there\n",
                fit(describe(service.songs[static_cast<std::size_t>(song)], 48), 48).c_str());
  }
  std::printf("\n");
  for (std::size_t i = 0; i < run.size(); ++i) {
    const Track& track = run[i];
    std::printf("  %2zu. %s %s  %s %4zu left out, %4.0f µs%s\n", i + 1, track.hit ? "✓" : " ",
                fit(describe(service.songs[static_cast<std::size_t>(track.song)], 48), 48).c_str(),
                fit(track.proposed_by, 22).c_str(), track.excluded, track.microseconds,
                track.ended_by == segue::EndedBy::kDeadline ? ", cut" : "");
  }
}

// How near each track is to the one before: the mean cosine of neighbours in a run.
segue::Result<double> flow_of(const Service& service, const std::vector<Track>& run) {
  std::vector<segue::Id> ids;
  for (const Track& track : run) ids.push_back(track.song);
  const auto rows = service.index->get(ids);  // of length 1, as cosine keeps them
  if (!rows.ok()) return rows.status();
  const std::size_t dim = service.index->dim();
  double sum = 0;
  for (std::size_t i = dim; i < rows->size(); ++i) sum += double{(*rows)[i]} * double{(*rows)[i - dim]};
  return ids.size() < 2 ? 0 : sum / static_cast<double>(ids.size() - 1);
}

// The runs of all listeners, in a row of a table; the share of hits.
segue::Result<double> print_figures_of(const std::string& name, const Service& service,
                                       const segue::CandidateGenerator& station, std::int64_t deadline_us) {
  std::vector<double> microseconds;
  std::size_t hits = 0, tracks = 0, with_hit = 0, judged = 0, cut = 0, late = 0;
  double flow = 0;
  for (std::size_t listener = 0; listener < service.names.size(); ++listener) {
    if (service.future[listener].empty()) continue;  // nothing to judge by
    const auto run = play(service, station, listener, deadline_us);
    if (!run.ok()) return run.status();
    const auto flows = flow_of(service, *run);
    if (!flows.ok()) return flows.status();
    flow += *flows;
    bool any = false;
    for (const Track& track : *run) {
      hits += track.hit ? 1 : 0, any = any || track.hit;
      cut += track.ended_by == segue::EndedBy::kDeadline ? 1 : 0;
      late += deadline_us > 0 && track.microseconds > static_cast<double>(deadline_us) ? 1 : 0;
      microseconds.push_back(track.microseconds);
    }
    tracks += run->size(), with_hit += any ? 1 : 0, ++judged;
  }
  const Latency latency = percentiles(microseconds);
  const auto share = [](auto part, std::size_t whole) {
    return static_cast<double>(part) / static_cast<double>(std::max<std::size_t>(1, whole));
  };
  std::printf("  %s %8.4f %14.4f %8.3f %8zu %6zu %6zu %8.0f µs %8.0f µs\n", fit(name, 22).c_str(), share(hits, tracks),
              share(with_hit, judged), share(flow, judged), tracks, cut, late, latency.p50, latency.p99);
  return share(hits, tracks);
}

segue::Status run(const std::vector<std::string>& arguments) {
  std::printf("Now playing, with Segue\n\n");
  const auto service = read_service(SEGUE_PLAYLISTS_DIR);
  if (!service.ok()) return service.status();
  const auto listener = service->number(arguments.empty() ? kListener : arguments[0]);
  if (!listener.ok()) return listener.status();
  auto options = station_options(*service);
  if (!options.ok()) return options.status();
  const auto station = segue::CandidateGenerator::create(*options);
  if (!station.ok()) return station.status();
  // The first request compiles the filter against the catalogue, which takes a millisecond; a service does that when it
  // starts.
  const auto compiled = service->catalog->select(filter());
  if (!compiled.ok()) return compiled.status();
  const auto tracks = play(*service, **station, *listener, kDeadline);
  if (!tracks.ok()) return tracks.status();
  print_run(*service, *listener, *tracks);

  options->sources.pop_back();
  const auto popular = segue::CandidateGenerator::create(*options);
  if (!popular.ok()) return popular.status();
  std::printf("\n  All listeners who took anything later, %zu tracks each:\n\n", kTracks);
  std::printf("  %s %8s %14s %8s %8s %6s %6s %11s %11s\n", fit("", 22).c_str(), "hits", "runs with one", "flow",
              "tracks", "cut", "late", "p50", "p99");
  const auto charts = print_figures_of("popular alone", *service, **popular, 0);
  if (!charts.ok()) return charts.status();
  const auto session = print_figures_of("no deadline", *service, **station, 0);
  if (!session.ok()) return session.status();
  for (const std::int64_t deadline : {kDeadline, std::int64_t{100}}) {
    const std::string name = "deadline of " + with_commas(static_cast<std::size_t>(deadline)) + " µs";
    if (const auto row = print_figures_of(name, *service, **station, deadline); !row.ok()) return row.status();
  }
  std::printf("\n  The session hits %.2f times as often as popular songs alone.\n", *session / *charts);
  std::printf(
      "  hits: the share of tracks that the listener took later. flow: the mean cosine of a track to the one\n"
      "  before. tracks: fewer where not even a first answer came in time. cut: requests that the deadline ended;\n"
      "  they gave the best until then. late: requests that took longer than their deadline, the machine's pauses\n"
      "  included.\n");
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  return run_program(argc, argv, "now_playing",
                     "now_playing [LISTENER]\n\nPlays on where one of the public playlists ends (default: hyperpop).\n",
                     1, run);
}
