// The pieces of examples/playlists, on small inputs whose answers are plain, and the log that the repository carries.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "npy.hpp"
#include "playlists/embed_tracks.hpp"
#include "playlists/fit_text.hpp"
#include "playlists/measure_search.hpp"
#include "playlists/parse_csv.hpp"
#include "playlists/read_gzip.hpp"

namespace playlists {
namespace {

// Two scenes: lists 0 to 9 draw from songs 0 to 49, lists 10 to 19 from songs 50 to 99. Song 100 is by an artist of the
// first scene and in no list; of song 101 nothing is known.
PlaylistLog two_scenes() {
  PlaylistLog log;
  for (int song = 0; song < 100; ++song) {
    const std::string artist = "artist " + std::to_string(song / 5);
    log.songs.push_back({"t" + std::to_string(song), {artist}, "album " + std::to_string(song)});
  }
  log.songs.push_back({"stray", {"artist 0"}, "stray"});
  log.songs.push_back({"unknown", {"nobody"}, "unknown"});
  for (int list = 0; list < 20; ++list) {
    log.names.push_back("list " + std::to_string(list));
    std::vector<segue::Id> songs;
    for (int i = 0; i < 30; ++i) songs.push_back((list / 10) * 50 + (list * 7 + i * 3) % 50);
    std::sort(songs.begin(), songs.end());
    songs.erase(std::unique(songs.begin(), songs.end()), songs.end());
    log.contents.push_back(songs);
  }
  return log;
}

double cosine(const Embedding& e, std::size_t a, std::size_t b) {
  double dot = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < e.dim; ++i) {
    const double x = e.vectors[a * e.dim + i], y = e.vectors[b * e.dim + i];
    dot += x * y, aa += x * x, bb += y * y;
  }
  return dot / std::sqrt(aa * bb);
}

std::string temporary(const std::string& name) { return (std::filesystem::path(testing::TempDir()) / name).string(); }

TEST(ParseCsv, ReadsQuotesCommasAndLineEnds) {
  const auto rows = parse_csv("a,b\n1,\"x, \"\"y\"\"\nz\"\n,\r\nlast,row", {"a", "b"});
  ASSERT_TRUE(rows.ok()) << rows.status().message();
  EXPECT_EQ(*rows, (std::vector<CsvRow>{{"1", "x, \"y\"\nz"}, {"", ""}, {"last", "row"}}));
}

TEST(ParseCsv, NamesTheRowThatIsWrong) {
  const auto short_row = parse_csv("a,b\n1,2\n3\n", {"a", "b"});
  ASSERT_FALSE(short_row.ok());
  EXPECT_EQ(short_row.status().message(), "row 2 has 1 fields, expected 2");
  EXPECT_FALSE(parse_csv("a,b\n\"1,2\n", {"a", "b"}).ok());
  EXPECT_FALSE(parse_csv("a,c\n", {"a", "b"}).ok());
  EXPECT_FALSE(parse_csv("", {"a", "b"}).ok());
}

TEST(ReadGzip, RefusesWhatIsMissingOrCutShort) {
  EXPECT_EQ(read_gzip(temporary("no-such.gz")).status().code(), segue::StatusCode::kNotFound);
  std::ifstream whole(std::string(SEGUE_PLAYLISTS_DIR) + "/playlist_tracks.csv.gz", std::ios::binary);
  std::string bytes(std::istreambuf_iterator<char>(whole), {});
  ASSERT_GT(bytes.size(), 100'000U);
  const std::string path = temporary("cut.gz");
  std::ofstream(path, std::ios::binary) << bytes.substr(0, bytes.size() / 2);
  EXPECT_EQ(read_gzip(path).status().code(), segue::StatusCode::kIoError);
}

TEST(ReadPlaylists, TheRepositorysLogIsWhole) {
  const auto log = read_playlists(SEGUE_PLAYLISTS_DIR);
  ASSERT_TRUE(log.ok()) << log.status().message();
  EXPECT_EQ(log->tracks, 63'413U);
  EXPECT_EQ(log->entries, 94'269U);
  EXPECT_EQ(log->songs.size(), 60'254U);
  EXPECT_EQ(log->names.size(), 250U);
  for (const auto& songs : log->contents) {
    EXPECT_GE(songs.size(), 5U);
    EXPECT_EQ(std::set<segue::Id>(songs.begin(), songs.end()).size(), songs.size());
  }
}

TEST(HoldBack, PartsEachPlaylistAndDependsOnTheSeedAlone) {
  PlaylistLog log = two_scenes();
  log.contents.push_back({});
  log.contents.emplace_back();
  for (segue::Id song = 0; song < 100; ++song) log.contents.back().push_back(song);
  const Split split = hold_back(log, {.at_most = 15, .seed = 4});
  for (std::size_t list = 0; list < log.contents.size(); ++list) {
    EXPECT_EQ(split.held_back[list].size(), std::min<std::size_t>(15, log.contents[list].size() / 5));
    std::vector<segue::Id> both = split.seen[list];
    both.insert(both.end(), split.held_back[list].begin(), split.held_back[list].end());
    std::sort(both.begin(), both.end());
    EXPECT_EQ(both, log.contents[list]);
  }
  EXPECT_EQ(hold_back(log, {.at_most = 15, .seed = 4}).held_back, split.held_back);
  EXPECT_NE(hold_back(log, {.at_most = 15, .seed = 5}).held_back, split.held_back);
}

TEST(EmbedTracks, PutsSongsThatGoTogetherTogether) {
  const PlaylistLog log = two_scenes();
  const Split split = hold_back(log);
  std::size_t last = 0;
  EmbedOptions options{.dim = 8};
  options.progress = [&](std::size_t done, std::size_t total) {
    EXPECT_EQ(done, last + 1);
    EXPECT_LE(done, total);
    last = done;
  };
  const Embedding e = embed_tracks(log, split, options);
  EXPECT_EQ(last, 5U);
  EXPECT_EQ(e.dim, 8U);
  ASSERT_EQ(e.songs.size(), 101U) << "all but the one of which nothing is known";
  EXPECT_EQ(e.songs.back(), 100);

  double within = 0, across = 0;
  for (std::size_t i = 0; i < 50; ++i) {
    for (std::size_t j = 0; j < 50; ++j) within += cosine(e, i, j) / 2500, across += cosine(e, i, 50 + j) / 2500;
  }
  EXPECT_GT(within, 0.2);
  EXPECT_LT(std::abs(across), 0.05);
  EXPECT_GT(cosine(e, 100, 0), 0.3) << "a stray song is near those of its artist";

  EXPECT_EQ(embed_tracks(log, split, options = {.dim = 8}).vectors, e.vectors) << "bit for bit";
}

TEST(EmbedTracks, IsTheExactDecompositionWhenNothingIsCutOff) {
  const PlaylistLog log = two_scenes();
  const Split split = hold_back(log);
  // With all 20 dimensions a rotation of X: inner products do not depend on the seed of the subspace.
  const Embedding a = embed_tracks(log, split, {.dim = 20, .seed = 1});
  const Embedding b = embed_tracks(log, split, {.dim = 20, .seed = 2});
  ASSERT_EQ(a.songs, b.songs);
  for (std::size_t i = 0; i < a.songs.size(); i += 7) {
    for (std::size_t j = 0; j < a.songs.size(); j += 5) {
      double x = 0, y = 0;
      for (std::size_t d = 0; d < 20; ++d) {
        x += a.vectors[i * 20 + d] * a.vectors[j * 20 + d];
        y += b.vectors[i * 20 + d] * b.vectors[j * 20 + d];
      }
      EXPECT_NEAR(x, y, 1e-3) << i << ' ' << j;
    }
  }
}

TEST(MeasureSearch, CountsHitsAsDefined) {
  Split split;
  split.held_back = {{1, 2}, {3, 4, 5, 6}, {}};
  // Half of the first, a quarter of the second; a list of which nothing was held back does not count.
  EXPECT_DOUBLE_EQ(hit_rate({1, 9, 8, 3, 9, 8, 1, 2, 3}, 3, split), (0.5 + 0.25) / 2);
}

TEST(MeasureSearch, PopularityLeavesOutWhatAListHolds) {
  Split split;
  split.seen = {{0, 1}, {1, 2}, {1, 2, 3}};
  EXPECT_EQ(propose_popular(split, 5, 2), (std::vector<segue::Id>{2, 3, 0, 3, 0, 4}));
}

TEST(FitText, MeasuresWhatATerminalShows) {
  EXPECT_EQ(display_width("Björk"), 5U);
  EXPECT_EQ(display_width("東京"), 4U);
  EXPECT_EQ(display_width("e\u0301"), 1U);
  EXPECT_EQ(fit("Björk", 7), "Björk  ");
  EXPECT_EQ(fit("Sigur Rós", 8), "Sigur R…");
  EXPECT_EQ(fit("東京事変", 6), "東京… ") << "half a character does not fit";
  EXPECT_EQ(with_commas(63'413), "63,413");
  EXPECT_EQ(with_commas(999), "999");
  const Song song{"A Title That Goes On and On", {"Somebody", "Else"}, ""};
  EXPECT_EQ(describe(song), "A Title That Goes On and On — Somebody, Else");
  EXPECT_EQ(describe(song, 24), "A Title T… — Somebody +1");
}

TEST(Npy, RefusesWhatItCannotRead) {
  const std::string path = temporary("ids.npy");
  ASSERT_TRUE(npy::write_ids(path, {1, 2, 3, 4, 5, 6}, 3).ok());
  EXPECT_EQ(std::filesystem::file_size(path), 128U + 6 * 8);
  const auto ids = npy::read_floats(path);
  ASSERT_FALSE(ids.ok()) << "numbers of 64 bits";
  EXPECT_EQ(ids.status().code(), segue::StatusCode::kInvalidArgument);

  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  header.append(127 - 10 - header.size(), ' ').append("\n");
  const std::string head = std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size()) + '\0' + header;
  std::ofstream(path, std::ios::binary) << head << std::string(24, '\0');
  const auto whole = npy::read_floats(path);
  ASSERT_TRUE(whole.ok()) << whole.status().message();
  EXPECT_EQ(whole->rows, 2U);
  EXPECT_EQ(whole->cols, 3U);
  for (std::size_t size = 0; size < head.size() + 24; ++size) {
    std::ofstream(path, std::ios::binary) << (head + std::string(24, '\0')).substr(0, size);
    EXPECT_FALSE(npy::read_floats(path).ok()) << "cut to " << size << " bytes";
  }
}

}  // namespace
}  // namespace playlists
