#include "read_playlists.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "fit_text.hpp"
#include "parse_csv.hpp"
#include "parse_day.hpp"
#include "read_gzip.hpp"

namespace playlists {
namespace {

using Songs = std::vector<segue::Id>;  // the song of each track

constexpr std::size_t kLongest = 1'000'000;  // seconds

segue::Result<std::vector<CsvRow>> read_table(const std::string& path, const CsvRow& header) {
  auto text = read_gzip(path);
  if (!text.ok()) return text.status();
  auto rows = parse_csv(*text, header);
  if (!rows.ok()) return segue::invalid_argument(path + ": " + rows.status().message());
  return rows;
}

std::vector<std::string> split_artists(const std::string& joined) {
  std::vector<std::string> artists;
  for (std::size_t begin = 0; begin < joined.size();) {
    std::size_t end = joined.find('|', begin);
    if (end == std::string::npos) end = joined.size();
    artists.push_back(joined.substr(begin, end - begin));
    begin = end + 1;
  }
  return artists;
}

// A number below `limit`, or limit where the text is none.
std::size_t parse_below(const std::string& text, std::size_t limit) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && value < limit ? value : limit;
}

segue::Result<Songs> read_songs(const std::string& path, PlaylistLog& log) {
  auto rows = read_table(path, {"row", "track_id", "title", "artists", "album", "duration_s"});
  if (!rows.ok()) return rows.status();
  Songs song_of;
  std::unordered_map<std::string, segue::Id> known;
  for (CsvRow& row : *rows) {
    // No title holds a line end, so the key is unambiguous.
    const auto [place, is_new] = known.emplace(row[2] + '\n' + row[3], static_cast<segue::Id>(log.songs.size()));
    if (is_new) {
      const std::size_t seconds = parse_below(row[5], kLongest);
      if (seconds == kLongest) return segue::invalid_argument(path + ": no duration in seconds: " + row[5]);
      log.songs.push_back(
          {std::move(row[2]), split_artists(row[3]), std::move(row[4]), static_cast<std::int64_t>(seconds)});
    }
    song_of.push_back(place->second);
  }
  log.tracks = song_of.size();
  return song_of;
}

segue::Status read_contents(const std::string& path, const Songs& song_of, PlaylistLog& log) {
  auto rows = read_table(path, {"playlist", "track_row", "added", "removed"});
  if (!rows.ok()) return rows.status();
  log.entries = rows->size();
  log.contents.resize(log.names.size());
  log.additions.resize(log.names.size());
  std::vector<std::unordered_set<segue::Id>> seen(log.names.size());
  for (const CsvRow& row : *rows) {
    const std::size_t list = parse_below(row[0], log.names.size());
    const std::size_t track = parse_below(row[1], song_of.size());
    if (list == log.names.size() || track == song_of.size()) {
      return segue::invalid_argument(path + ": no such playlist or track: " + row[0] + ", " + row[1]);
    }
    const auto day = parse_day(row[2]);
    if (!day.ok()) return segue::invalid_argument(path + ": " + day.status().message());
    log.additions[list].push_back({song_of[track], *day});
    // A song that left a list and came back is in it once.
    if (seen[list].insert(song_of[track]).second) log.contents[list].push_back(song_of[track]);
  }
  return {};
}

}  // namespace

segue::Result<PlaylistLog> read_playlists(const std::string& folder) {
  PlaylistLog log;
  std::ifstream names(folder + "/playlists.txt");
  if (!names) return segue::not_found("cannot open " + folder + "/playlists.txt");
  for (std::string name; std::getline(names, name);) log.names.push_back(name);

  auto song_of = read_songs(folder + "/tracks.csv.gz", log);
  if (!song_of.ok()) return song_of.status();
  SEGUE_RETURN_IF_ERROR(read_contents(folder + "/playlist_tracks.csv.gz", *song_of, log));
  return log;
}

std::string describe(const Song& song) {
  std::string text = song.title + " — ";
  for (std::size_t i = 0; i < song.artists.size(); ++i) text += (i == 0 ? "" : ", ") + song.artists[i];
  if (song.artists.empty()) text += "?";
  return text;
}

std::string describe(const Song& song, std::size_t width) {
  const std::string whole = describe(song);
  if (display_width(whole) <= width) return whole;
  std::string artist = song.artists.empty() ? "?" : song.artists.front();
  const std::string more = song.artists.size() > 1 ? " +" + std::to_string(song.artists.size() - 1) : "";
  artist = fit(artist, std::min(display_width(artist), width / 2)) + more;
  const std::size_t left = width - std::min(width, display_width(artist) + 3);
  return fit(song.title, std::min(display_width(song.title), left)) + " — " + artist;
}

}  // namespace playlists
