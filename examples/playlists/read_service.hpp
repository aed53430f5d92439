#pragma once
// The public playlists as listeners of a catalogue on one day: what the programs beside this folder share.
//
//   const auto service = read_service(SEGUE_PLAYLISTS_DIR);
//   service->index->search(MatrixView(service->taste(7), 64), 10, ...);
//
// A playlist is a listener. What was in playlists before the day is known; what came after is the future, which only
// the metrics look at. The catalogue is the songs that some playlist had by then. With the songs that came later in it,
// it would give the future away: a song that nobody has is there only because somebody will take it. (Home had
// something of what came later for 0.90 of the listeners so, and has it for 0.43.)

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "read_playlists.hpp"
#include "segue/segue.hpp"

namespace playlists {

inline constexpr const char* kDay = "2021-01-01";

// How the index is searched. What a listener has fills the lists nearest to them and is left out, so that the default
// of 13 lists finds 0.88 of the nearest fifty songs; 512 of its 848 find 0.99, in 0.2 ms.
inline constexpr segue::NearestOptions kWide{.nprobe = 512};

// The songs and listeners of a day, each numbered from 0: history[i] and future[i] are of the listener names[i].
struct Service {
  std::vector<Song> songs;
  std::vector<std::string> names;
  std::vector<std::vector<segue::Id>> history;  // distinct songs, oldest first
  std::vector<std::vector<segue::Id>> future;   // what came later and is new to the listener
  // Cosine. Lists: made in a second, and a request takes some 0.4 ms, where a flat index takes 1.5 and far more for
  // those who have thousands of songs to leave out.
  std::shared_ptr<segue::Index> index;
  // artist (set), album (category), seconds (integer), first_added (date), plays (integer: how many listeners have it).
  std::shared_ptr<segue::Catalog> catalog;
  std::vector<segue::Id> popular;   // songs by how many listeners had them
  std::vector<segue::Id> newest;    // songs of the last four weeks, newest first
  std::vector<std::int64_t> plays;  // of each song
  std::size_t unknown = 0;          // how much of what came later was in no playlist before: nothing can find it

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
