#include "read_service.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <utility>

#include "embed_tracks.hpp"
#include "find_interests.hpp"
#include "fit_text.hpp"
#include "parse_day.hpp"
#include "report_step.hpp"
#include "split_by_time.hpp"

namespace playlists {
namespace {

constexpr std::int64_t kNewDays = 28;

std::size_t at(segue::Id song) { return static_cast<std::size_t>(song); }

// The songs of the log that some listener has, numbered densely in their old order; of what came later the rest is
// dropped and counted.
void keep_known(const PlaylistLog& log, Listeners& listeners, Service& service) {
  std::vector<segue::Id> known(log.songs.size(), segue::kMissingId);
  for (const auto& songs : listeners.split.seen) {
    for (const segue::Id song : songs) known[at(song)] = 0;
  }
  for (std::size_t song = 0; song < known.size(); ++song) {
    if (known[song] == segue::kMissingId) continue;
    known[song] = static_cast<segue::Id>(service.songs.size());
    service.songs.push_back(log.songs[song]);
  }
  for (std::size_t i = 0; i < listeners.names.size(); ++i) {
    for (segue::Id& song : listeners.split.seen[i]) song = known[at(song)];
    for (segue::Id& song : listeners.split.held_back[i]) song = known[at(song)];
    service.unknown += std::erase(listeners.split.held_back[i], segue::kMissingId);
  }
}

// When each song that is kept first came to any playlist.
std::vector<std::int64_t> first_days(const PlaylistLog& log, std::int64_t day) {
  std::map<segue::Id, std::int64_t> first;  // ascending, as keep_known() numbers them
  for (const auto& additions : log.additions) {
    for (const Addition& a : additions) {
      if (a.day >= day) continue;
      const auto [place, is_new] = first.try_emplace(a.song, a.day);
      if (!is_new) place->second = std::min(place->second, a.day);
    }
  }
  std::vector<std::int64_t> days;
  for (const auto& [song, when] : first) days.push_back(when);
  return days;
}

segue::Result<std::shared_ptr<segue::Catalog>> make_catalog(const Service& service,
                                                            const std::vector<std::int64_t>& first) {
  std::vector<std::vector<std::string>> artists;
  std::vector<std::string> album;
  std::vector<std::int64_t> seconds, first_added;
  for (std::size_t song = 0; song < service.songs.size(); ++song) {
    artists.push_back(service.songs[song].artists);
    album.push_back(service.songs[song].album);
    seconds.push_back(service.songs[song].seconds);
    first_added.push_back(first[song] * kSecondsADay);
  }
  using segue::ColumnData;
  return segue::Catalog::create(std::vector{ColumnData::sets("artist", artists), ColumnData::categories("album", album),
                                            ColumnData::integers("seconds", seconds),
                                            ColumnData::dates("first_added", first_added),
                                            ColumnData::integers("plays", service.plays)});
}

void rank(Service& service, const std::vector<std::int64_t>& first, std::int64_t day) {
  for (std::size_t song = 0; song < service.songs.size(); ++song) {
    service.popular.push_back(static_cast<segue::Id>(song));
    if (first[song] >= day - kNewDays) service.newest.push_back(static_cast<segue::Id>(song));
  }
  const auto more_plays = [&](segue::Id a, segue::Id b) { return service.plays[at(a)] > service.plays[at(b)]; };
  std::stable_sort(service.popular.begin(), service.popular.end(), more_plays);
  std::stable_sort(service.newest.begin(), service.newest.end(), more_plays);
  std::stable_sort(service.newest.begin(), service.newest.end(),
                   [&](segue::Id a, segue::Id b) { return first[at(a)] > first[at(b)]; });
}

}  // namespace

segue::Result<std::size_t> Service::number(const std::string& name) const {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  return segue::not_found("there is no listener \"" + name + "\"; there are " + std::to_string(names.size()) +
                          ", for instance \"" + names.front() + "\" and \"" + names.back() + "\"");
}

std::vector<float> Service::taste(std::size_t listener) const {
  const auto vectors = index->get(history[listener]);  // of length 1, as cosine keeps them
  return vectors.ok() ? mean_row(*vectors, index->dim()) : std::vector<float>(index->dim());
}

std::vector<float> Service::interests(std::size_t listener) const {
  const auto vectors = index->get(history[listener]);
  return vectors.ok() ? find_interests(*vectors, index->dim()) : std::vector<float>(index->dim());
}

std::vector<segue::Id> Service::last(std::size_t listener, std::size_t n) const {
  const std::vector<segue::Id>& all = history[listener];
  return {all.rbegin(), all.rbegin() + static_cast<std::ptrdiff_t>(std::min(n, all.size()))};
}

segue::Result<Service> read_service(const std::string& folder, const std::string& day) {
  const auto number = parse_day(day);
  if (!number.ok()) return number.status();
  Stopwatch watch;
  auto log = read_playlists(folder);
  if (!log.ok()) return log.status();
  Listeners listeners = split_by_time(*log, *number);
  if (listeners.names.empty()) return segue::invalid_argument("no playlist held anything before " + day);

  Service service;
  keep_known(*log, listeners, service);
  service.plays.resize(service.songs.size());
  for (const auto& songs : listeners.split.seen) {
    for (const segue::Id song : songs) ++service.plays[at(song)];
  }
  std::size_t later = 0;
  for (const auto& songs : listeners.split.held_back) later += songs.size();
  report_step(
      "read",
      with_commas(listeners.names.size()) + " listeners and " + with_commas(service.songs.size()) + " songs on " + day,
      watch.seconds());
  std::printf("  later      they took %s of these songs, new to them, and %s times one that was nowhere before\n",
              with_commas(later).c_str(), with_commas(service.unknown).c_str());

  watch = {};
  const std::vector<std::int64_t> first = first_days(*log, *number);
  log->songs = service.songs;
  const Embedding embedding = embed_tracks(*log, listeners.split);
  auto index = segue::build(segue::MatrixView(embedding.vectors, embedding.dim), embedding.songs,
                            {.metric = segue::Metric::kCosine, .kind = "ivf"});
  if (!index.ok()) return index.status();
  service.index = std::move(*index);
  auto catalog = make_catalog(service, first);
  if (!catalog.ok()) return catalog.status();
  service.catalog = std::move(*catalog);
  report_step("indexed", std::to_string(embedding.dim) + " dimensions, by the company that songs keep, and the columns",
              watch.seconds());

  service.names = std::move(listeners.names);
  service.history = std::move(listeners.split.seen);
  service.future = std::move(listeners.split.held_back);
  rank(service, first, *number);
  return service;
}

}  // namespace playlists
