#include "read_service.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "embed_tracks.hpp"
#include "find_interests.hpp"
#include "fit_text.hpp"
#include "parse_day.hpp"
#include "report_step.hpp"
#include "split_by_time.hpp"

namespace playlists {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kNewDays = 28;

std::size_t at(segue::Id song) { return static_cast<std::size_t>(song); }

// When each song first came to any playlist; kNever for those that none had before the day.
std::vector<std::int64_t> first_days(const PlaylistLog& log, std::int64_t day) {
  std::vector<std::int64_t> first(log.songs.size(), kNever);
  for (const auto& additions : log.additions) {
    for (const Addition& a : additions) {
      if (a.day < day) first[at(a.song)] = std::min(first[at(a.song)], a.day);
    }
  }
  return first;
}

segue::Result<std::shared_ptr<segue::Catalog>> make_catalog(const PlaylistLog& log, const std::vector<segue::Id>& ids,
                                                            const std::vector<std::int64_t>& first,
                                                            const std::vector<std::int64_t>& plays) {
  std::vector<std::vector<std::string>> artists;
  std::vector<std::string> lead, album;
  std::vector<std::int64_t> seconds, first_added, plays_of;
  std::vector<std::uint8_t> nobody, never;
  for (const segue::Id id : ids) {
    const Song& song = log.songs[at(id)];
    artists.push_back(song.artists);
    nobody.push_back(song.artists.empty());
    lead.push_back(song.artists.empty() ? "" : song.artists.front());
    album.push_back(song.album);
    seconds.push_back(song.seconds);
    never.push_back(first[at(id)] == kNever);
    first_added.push_back(never.back() != 0 ? 0 : first[at(id)] * kSecondsADay);
    plays_of.push_back(plays[at(id)]);
  }
  using segue::ColumnData;
  return segue::Catalog::create(
      std::vector{ColumnData::sets("artist", artists), ColumnData::categories("lead", lead, nobody),
                  ColumnData::categories("album", album), ColumnData::integers("seconds", seconds),
                  ColumnData::dates("first_added", first_added, never), ColumnData::integers("plays", plays_of)},
      {.ids = ids});
}

void rank(Service& service, const std::vector<std::int64_t>& first, std::int64_t day) {
  for (std::size_t song = 0; song < service.songs.size(); ++song) {
    if (service.plays[song] > 0) service.popular.push_back(static_cast<segue::Id>(song));
    if (first[song] != kNever && first[song] >= day - kNewDays) service.newest.push_back(static_cast<segue::Id>(song));
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
  service.plays.resize(log->songs.size());
  for (const auto& songs : listeners.split.seen) {
    for (const segue::Id song : songs) ++service.plays[at(song)];
  }
  report_step("read",
              with_commas(listeners.names.size()) + " listeners of " + with_commas(log->songs.size()) +
                  " songs; what came from " + day + " on is not known",
              watch.seconds());

  watch = {};
  const Embedding embedding = embed_tracks(*log, listeners.split);
  auto index = segue::build(segue::MatrixView(embedding.vectors, embedding.dim), embedding.songs,
                            {.metric = segue::Metric::kCosine, .kind = "ivf"});
  if (!index.ok()) return index.status();
  service.index = std::move(*index);
  const std::vector<std::int64_t> first = first_days(*log, *number);
  auto catalog = make_catalog(*log, embedding.songs, first, service.plays);
  if (!catalog.ok()) return catalog.status();
  service.catalog = std::move(*catalog);
  report_step("indexed",
              with_commas(embedding.songs.size()) + " songs in " + std::to_string(embedding.dim) +
                  " dimensions, and their columns",
              watch.seconds());

  service.songs = std::move(log->songs);
  service.names = std::move(listeners.names);
  service.history = std::move(listeners.split.seen);
  service.future = std::move(listeners.split.held_back);
  rank(service, first, *number);
  return service;
}

}  // namespace playlists
