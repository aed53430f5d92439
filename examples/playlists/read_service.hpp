#pragma once
// The public playlists as listeners of a catalogue on one day: what the programs beside this folder share.
//
//   const auto service = read_service(SEGUE_PLAYLISTS_DIR);
//   service->index->search(MatrixView(service->taste(7), 64), 10, ...);
//
// A playlist is a listener. What it held before the day is known: from that come the vectors, the index and the columns
// of the catalogue. What came after is the future, which only the metrics look at. (Songs that came later are in the
// catalogue too, with vectors by their artists and titles: a service knows its songs beforehand. But nothing else of
// them is known: `plays` is 0 and `first_added` is missing.)

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "read_playlists.hpp"
#include "segue/segue.hpp"

namespace playlists {

inline constexpr const char* kDay = "2021-01-01";

// Songs, and the listeners who had any before the day. All are numbered: names[i], history[i], future[i].
struct Service {
  std::vector<Song> songs;
  std::vector<std::string> names;
  std::vector<std::vector<segue::Id>> history;  // distinct songs, oldest first
  std::vector<std::vector<segue::Id>> future;   // what came later and is new to the listener
  // Cosine, over all songs of which anything is known. Lists: made in a second, and a request takes some 0.4 ms, where
  // a flat index takes 1.5 and more for those who have thousands of songs to leave out. Its figures differ by a
  // hundredth.
  std::shared_ptr<segue::Index> index;
  // artist (set), lead (the first of them, a category), album, seconds, first_added (date), plays (integer: how many
  // listeners have it).
  std::shared_ptr<segue::Catalog> catalog;
  std::vector<segue::Id> popular;   // songs by how many listeners had them
  std::vector<segue::Id> newest;    // songs of the last four weeks, newest first
  std::vector<std::int64_t> plays;  // of each song

  // Of the listener with that name. kNotFound names some.
  segue::Result<std::size_t> number(const std::string& name) const;
  // What they like on the whole: the mean direction of their songs.
  std::vector<float> taste(std::size_t listener) const;
  // Two directions, that of more songs first: their songs, halved where they differ most, and the mean of each half.
  // One where they do not differ.
  std::vector<float> interests(std::size_t listener) const;
  // Their last n songs, the latest first.
  std::vector<segue::Id> last(std::size_t listener, std::size_t n) const;
};

// Reads the log, makes of it what a service knows on that day, and prints a line about each.
segue::Result<Service> read_service(const std::string& folder, const std::string& day = kDay);

}  // namespace playlists
