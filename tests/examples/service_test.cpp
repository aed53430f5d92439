// The pieces that home, now_playing, blend and weekly_discovery share, on small inputs whose answers are plain, against
// slow references, and on the log that the repository carries.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "playlists/ask_both.hpp"
#include "playlists/find_interests.hpp"
#include "playlists/known_artists.hpp"
#include "playlists/measure_lists.hpp"
#include "playlists/measure_search.hpp"
#include "playlists/parse_day.hpp"
#include "playlists/print_list.hpp"
#include "playlists/read_service.hpp"
#include "playlists/split_by_time.hpp"

namespace playlists {
namespace {

using Ids = std::vector<segue::Id>;

std::shared_ptr<segue::Index> index_of(const std::vector<float>& vectors, std::size_t dim) {
  auto made = segue::build(segue::MatrixView(vectors, dim), {}, {.metric = segue::Metric::kCosine, .kind = "flat"});
  return made.ok() ? std::shared_ptr<segue::Index>(std::move(*made)) : nullptr;
}

TEST(ParseDay, CountsAsTheCalendarDoes) {
  EXPECT_EQ(*parse_day("1970-01-01"), 0);
  EXPECT_EQ(*parse_day("2021-01-01"), 18'628);
  EXPECT_EQ(*parse_day("2000-02-29") + 1, *parse_day("2000-03-01"));
  for (std::int64_t day = -1000; day < 50'000; day += 13) EXPECT_EQ(*parse_day(print_day(day)), day);
}

TEST(ParseDay, RefusesWhatIsNone) {
  for (const char* text : {"", "2021-1-1", "2021-02-29", "2021-13-01", "2021-01-00", "2021-01-01 ", "01-01-2021",
                           "2021/01/01", "202x-01-01", "-021-01-01"}) {
    const auto day = parse_day(text);
    ASSERT_FALSE(day.ok()) << text;
    EXPECT_NE(day.status().message().find("got \"" + std::string(text) + "\""), std::string::npos);
  }
}

TEST(SplitByTime, KnowsNothingOfLater) {
  PlaylistLog log;
  log.names = {"a", "later", "b"};
  log.additions = {{{5, 10}, {3, 8}, {7, 20}, {3, 21}, {4, 20}, {9, 10}, {7, 25}}, {{1, 20}}, {{2, 19}, {2, 19}}};
  const Listeners listeners = split_by_time(log, 20);
  EXPECT_EQ(listeners.names, (std::vector<std::string>{"a", "b"})) << "who held nothing is no listener yet";
  EXPECT_EQ(listeners.split.seen, (std::vector<Ids>{{3, 5, 9}, {2}})) << "oldest first, then as in the file";
  EXPECT_EQ(listeners.split.held_back, (std::vector<Ids>{{7, 4}, {}})) << "what came back is not new";
}

TEST(SplitByTime, AgreesWithASlowReference) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 50; ++round) {
    PlaylistLog log;
    for (int list = 0; list < 4; ++list) {
      log.names.push_back(std::to_string(list));
      log.additions.emplace_back();
      for (auto i = random() % 30; i > 0; --i) {
        log.additions.back().push_back(
            {static_cast<segue::Id>(random() % 12), static_cast<std::int64_t>(random() % 9)});
      }
    }
    const Listeners split = split_by_time(log, 4);
    std::size_t row = 0;
    for (std::size_t list = 0; list < log.names.size(); ++list) {
      // Day by day through the whole file, each song where it first comes.
      Ids history, future;
      for (std::int64_t day = 0; day < 9; ++day) {
        for (const Addition& a : log.additions[list]) {
          const bool had = std::count(history.begin(), history.end(), a.song) != 0 ||
                           std::count(future.begin(), future.end(), a.song) != 0;
          if (a.day == day && !had) (day < 4 ? history : future).push_back(a.song);
        }
      }
      if (history.empty()) continue;
      ASSERT_LT(row, split.names.size());
      EXPECT_EQ(split.names[row], log.names[list]);
      EXPECT_EQ(split.split.seen[row], history);
      EXPECT_EQ(split.split.held_back[row], future);
      ++row;
    }
    EXPECT_EQ(row, split.names.size());
  }
}

TEST(FindInterests, FindsTheTwoOfTwoAndTheOneOfOne) {
  // Three rows near (1, 0), two near (0, 1).
  const std::vector<float> rows = {1, 0.1F, 0.1F, 1, 1, 0, 0, 0.9F, 1, -0.1F};
  const std::vector<float> interests = find_interests(rows, 2);
  ASSERT_EQ(interests.size(), 4U);
  const std::vector<float> expected = {1, 0, 0.05F, 0.95F};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(interests[i], expected[i], 1e-6) << i;
  EXPECT_EQ(find_interests({0.5F, 0.25F, 0.5F, 0.25F, 0.5F, 0.25F}, 2), (std::vector<float>{0.5F, 0.25F}));
  EXPECT_EQ(find_interests({3, 4}, 2), (std::vector<float>{3, 4}));
  EXPECT_EQ(mean_row({1, 2, 3, 6}, 2), (std::vector<float>{2, 4}));
}

TEST(MeasureLists, AgreesWithTheDefinitions) {
  const std::vector<float> vectors = {1, 0, 0, 2, 3, 3, -1, 0};
  const auto index = index_of(vectors, 2);
  ASSERT_NE(index, nullptr);
  const std::vector<std::int64_t> plays = {6, 1, 0, 1};
  // The second took nothing and counts only where nothing was needed; the third has an empty list.
  const auto f = measure_lists({{0, 2, 1, 3}, {2, 0}, {}}, {{1, 2, 9}, {}, {0}}, 3, plays, *index);
  ASSERT_TRUE(f.ok()) << f.status().message();
  EXPECT_DOUBLE_EQ(f->hit_rate, 0.5);
  EXPECT_DOUBLE_EQ(f->recall, (2.0 / 3 + 0) / 2);
  const double third = 1 / std::log2(3.0), half = 0.5;
  EXPECT_NEAR(f->ndcg, (third + half) / (1 + third + half) / 2, 1e-12);
  EXPECT_DOUBLE_EQ(f->coverage, 0.75) << "the fourth place of the first list does not count";
  const double often = -std::log2(6.0 / 8), rare = 3;
  EXPECT_NEAR(f->novelty, ((often + rare + rare) / 3 + (rare + often) / 2) / 2, 1e-12);
  const double diagonal = std::sqrt(0.5);
  EXPECT_NEAR(f->diversity, ((1 - (diagonal + 0 + diagonal) / 3) + (1 - diagonal)) / 2, 1e-6);
}

TEST(Percentiles, AreOfTheSortedTimes) {
  std::vector<double> times;
  for (int i = 199; i >= 0; --i) times.push_back(i);
  EXPECT_EQ(percentiles(times).p50, 100);
  EXPECT_EQ(percentiles(times).p99, 198);
  EXPECT_EQ(percentiles({}).p99, 0);
  EXPECT_EQ(to_string(Latency{212.4, 1040}), "p50 212 µs, p99 1,040 µs");
}

// Four songs in the plane, two listeners.
Service two_listeners() {
  Service service;
  service.songs = {{"a", {"x"}, ""}, {"b", {"y"}, ""}, {"c", {"x", "y"}, ""}, {"d", {}, ""}};
  service.names = {"first", "second"};
  service.history = {{0}, {1}};
  service.future = {{2}, {2, 3}};
  service.index = index_of({1, 0, 0, 1, 1, 1, -1, 0}, 2);
  return service;
}

TEST(Service, FindsListenersAndTheirLastSongs) {
  Service service = two_listeners();
  EXPECT_EQ(*service.number("second"), 1U);
  EXPECT_EQ(service.number("third").status().code(), segue::StatusCode::kNotFound);
  service.history[0] = {0, 3, 2};
  EXPECT_EQ(service.last(0, 2), (Ids{2, 3}));
  EXPECT_EQ(service.last(0, 9), (Ids{2, 3, 0}));
  EXPECT_EQ(known_artists(service, 0), (Artists{"x", "y"}));
  EXPECT_TRUE(by_any(service.songs[2], {"y"}));
  EXPECT_FALSE(by_any(service.songs[3], {"y"}));
}

TEST(AskBoth, ScoresAListForEach) {
  const Service service = two_listeners();
  const Pair pair = make_pair(service, 0, 1);
  EXPECT_EQ(pair.heard, (Ids{0, 1}));
  const auto opinion = ask_both(service, pair, {2, 3});
  ASSERT_TRUE(opinion.ok());
  const double diagonal = std::sqrt(0.5);
  EXPECT_NEAR(opinion->happiness[0], (diagonal - 1) / 2, 1e-6);
  EXPECT_NEAR(opinion->happiness[1], diagonal / 2, 1e-6);
  EXPECT_NEAR(opinion->mean, (diagonal - 1 + diagonal) / 4, 1e-6);
  EXPECT_NEAR(opinion->worse, (diagonal - 1) / 2, 1e-6);
  EXPECT_EQ(opinion->hits[0], 1U);
  EXPECT_EQ(opinion->hits[1], 2U);
}

TEST(PrintList, SaysWhoProposed) {
  const auto list = segue::ranked_list({4, 2});
  ASSERT_TRUE(list.ok());
  segue::GeneratorOptions options;
  options.sources = {{"one", *list}, {"other", *segue::ranked_list({2})}};
  const auto generator = segue::CandidateGenerator::create(options);
  ASSERT_TRUE(generator.ok());
  const auto found = (*generator)->generate({.k = 2});
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(found->ids, (Ids{2, 4}));
  EXPECT_EQ(print_provenance(*found, 0, options.sources), "one 2, other 1");
  EXPECT_EQ(print_provenance(*found, 1, options.sources), "one 1");
}

TEST(ReadService, KnowsWhatTheDayKnew) {
  const auto service = read_service(SEGUE_PLAYLISTS_DIR);
  ASSERT_TRUE(service.ok()) << service.status().message();
  EXPECT_EQ(service->names.size(), 171U);
  ASSERT_EQ(service->songs.size(), 44'892U);
  const Ids ids = service->index->ids();
  ASSERT_EQ(ids.size(), service->songs.size());
  EXPECT_EQ(ids.back(), 44'891);
  EXPECT_EQ(ids, service->catalog->ids());

  std::vector<std::int64_t> plays(service->songs.size());
  std::size_t later = 0;
  for (std::size_t listener = 0; listener < service->names.size(); ++listener) {
    const Ids &history = service->history[listener], &future = service->future[listener];
    const std::set<segue::Id> had(history.begin(), history.end());
    EXPECT_EQ(had.size(), history.size());
    for (const segue::Id song : history) ++plays[static_cast<std::size_t>(song)];
    for (const segue::Id song : future) EXPECT_FALSE(had.contains(song));
    later += future.size();
  }
  EXPECT_EQ(later, 2217U);
  EXPECT_EQ(plays, service->plays);
  EXPECT_GT(*std::min_element(plays.begin(), plays.end()), 0) << "what nobody had by then is not in the catalogue";

  // Titles and what listeners have, read from the log again.
  const auto log = read_playlists(SEGUE_PLAYLISTS_DIR);
  ASSERT_TRUE(log.ok());
  const Listeners listeners = split_by_time(*log, *parse_day(kDay));
  for (std::size_t listener = 0; listener < listeners.names.size(); ++listener) {
    ASSERT_EQ(service->names[listener], listeners.names[listener]);
    const Ids &ours = service->history[listener], &theirs = listeners.split.seen[listener];
    ASSERT_EQ(ours.size(), theirs.size());
    for (std::size_t i = 0; i < ours.size(); ++i) {
      ASSERT_EQ(describe(service->songs[static_cast<std::size_t>(ours[i])]),
                describe(log->songs[static_cast<std::size_t>(theirs[i])]));
    }
  }

  const auto counted = service->catalog->take(ids, "plays");
  const auto first = service->catalog->take(ids, "first_added");
  const auto artists = service->catalog->take(ids, "artist");
  ASSERT_TRUE(counted.ok() && first.ok() && artists.ok());
  const std::int64_t day = *parse_day(kDay);
  std::map<segue::Id, std::int64_t> first_day;
  for (std::size_t row = 0; row < ids.size(); ++row) {
    const auto song = static_cast<std::size_t>(ids[row]);
    ASSERT_EQ(counted->numbers[row], plays[song]);
    ASSERT_LT(first->numbers[row], day * kSecondsADay);
    first_day[ids[row]] = first->numbers[row] / kSecondsADay;
    ASSERT_EQ(artists->set(row).size(),
              std::set<std::string>(service->songs[song].artists.begin(), service->songs[song].artists.end()).size());
  }
  EXPECT_EQ(service->popular.size(), first_day.size());
  for (std::size_t i = 1; i < service->popular.size(); ++i) {
    ASSERT_GE(plays[static_cast<std::size_t>(service->popular[i - 1])],
              plays[static_cast<std::size_t>(service->popular[i])]);
  }
  EXPECT_GT(service->newest.size(), 1000U);
  for (std::size_t i = 0; i < service->newest.size(); ++i) {
    ASSERT_GE(first_day.at(service->newest[i]), day - 28);
    if (i == 0) continue;
    ASSERT_GE(first_day.at(service->newest[i - 1]), first_day.at(service->newest[i]));
  }
  EXPECT_EQ(service->interests(0).size(), 2 * service->index->dim());
  EXPECT_EQ(read_service(SEGUE_PLAYLISTS_DIR, "2019-01-01").status().code(), segue::StatusCode::kInvalidArgument);
  EXPECT_EQ(read_service(SEGUE_PLAYLISTS_DIR, "yesterday").status().code(), segue::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace playlists
