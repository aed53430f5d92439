// From a log of playlists to candidates: hold back a part of each playlist, make vectors of the songs from the rest,
// index them, continue the playlists, and see how many of the songs that were held back come up.
//
// Songs that are only in the held-back part are in the index too, by artist and title, and take 31 % of the places:
// without them the hit-rate is half as high (0.19, not 0.38), so take it for a comparison of searches, not for what a
// service would reach.
//
//   continue_playlists --out results
//
// prints what it finds and leaves results/playlists.segue and results/recall_and_speed.svg. The index is one call to
// HnswIndex::create, one to add and one to search; the rest is about making and judging its input and output. The
// pieces are in playlists/, a step a file.

#include <cstdio>
#include <filesystem>
#include <iostream>

#include "playlists/draw_curve.hpp"
#include "playlists/embed_tracks.hpp"
#include "playlists/fit_text.hpp"
#include "playlists/parse_options.hpp"
#include "playlists/print_continuation.hpp"
#include "playlists/progress_bar.hpp"
#include "playlists/report_step.hpp"
#include "segue/segue.hpp"

namespace {

using namespace playlists;

constexpr std::size_t kProposals = 100;
constexpr std::size_t kDefaultEf = 200;  // of the searches for proposals
constexpr const char* kShown[] = {"Shoegaze Classics", "Bollywood Top 50", "All Out 80s"};

struct Indexes {
  std::unique_ptr<segue::HnswIndex> graph;
  std::unique_ptr<segue::FlatIndex> exact;
  double graph_seconds = 0;
};

segue::Result<Indexes> index_songs(const Embedding& embedding, const Options& asked) {
  auto graph = segue::HnswIndex::create(embedding.dim, asked.metric, {.seed = asked.seed});
  if (!graph.ok()) return graph.status();
  auto exact = segue::FlatIndex::create(embedding.dim, asked.metric);
  if (!exact.ok()) return exact.status();

  const segue::MatrixView vectors(embedding.vectors, embedding.dim);
  const Stopwatch watch;
  {
    ProgressBar bar("indexing");
    segue::AddOptions options;
    options.progress = [&](std::size_t done, std::size_t total) {
      bar.show(done, total);
      return true;
    };
    SEGUE_RETURN_IF_ERROR((*graph)->add(vectors, embedding.songs, options));
  }
  const double seconds = watch.seconds();
  SEGUE_RETURN_IF_ERROR((*exact)->add(vectors, embedding.songs));
  return Indexes{std::move(*graph), std::move(*exact), seconds};
}

struct Row {
  const char* name;
  const segue::Index* index;  // nullptr: popularity
  std::size_t ef;
};

// Recall, hits, latency and memory of each way to propose. Gives back what the graph proposes.
segue::Result<std::vector<segue::Id>> compare(const Indexes& indexes, const Requests& requests, const Split& split,
                                              std::size_t songs, std::size_t rounds) {
  const auto truth = indexes.exact->search(requests.view(), kProposals, {.exclude = requests.exclude()});
  if (!truth.ok()) return truth.status();
  std::vector<segue::Id> proposals;

  std::printf("\n  %-26s %9s %13s %9s %9s %9s\n", "", "recall@10", "hit-rate@100", "p50", "p99", "memory");
  for (const Row row : {Row{"exact (FlatIndex)", indexes.exact.get(), 0},
                        Row{"index (HnswIndex, ef 200)", indexes.graph.get(), kDefaultEf}}) {
    auto found = row.index->search(requests.view(), kProposals, {.ef = row.ef, .exclude = requests.exclude()});
    if (!found.ok()) return found.status();
    const auto recall = segue::recall(found->ids, kProposals, truth->ids, kProposals, 10);
    if (!recall.ok()) return recall.status();
    const auto latency = measure_latency(*row.index, requests, kProposals, row.ef, rounds);
    if (!latency.ok()) return latency.status();
    std::printf("  %-26s %9.4f %13.4f %6.0f µs %6.0f µs %6.1f MB\n", row.name, *recall,
                hit_rate(found->ids, kProposals, split), latency->p50, latency->p99,
                static_cast<double>(row.index->memory_usage()) / 1e6);
    proposals = std::move(found->ids);
  }
  const double popular = hit_rate(propose_popular(split, songs, kProposals), kProposals, split);
  std::printf("  %-26s %9s %13.4f\n", "popularity", "", popular);
  std::printf(
      "\n  hit-rate@100: which part of a playlist's held-back songs is among its first 100 proposals, mean\n"
      "  over the playlists. Times: one call for 100 proposals that leaves out the playlist's own songs,\n"
      "  one thread.\n");
  return proposals;
}

segue::Status draw(const std::string& path, const Indexes& indexes, const Requests& requests, std::size_t songs,
                   std::size_t rounds) {
  constexpr std::size_t k = 10;
  const auto truth = indexes.exact->search(requests.view(), k, {.exclude = requests.exclude()});
  if (!truth.ok()) return truth.status();
  const auto exact = measure_point(*indexes.exact, requests, k, 0, truth->ids, rounds);
  if (!exact.ok()) return exact.status();
  std::vector<CurvePoint> curve;
  for (std::size_t ef : {10U, 14U, 20U, 28U, 40U, 56U, 80U, 112U, 160U, 240U, 360U, 512U}) {
    const auto point = measure_point(*indexes.graph, requests, k, ef, truth->ids, rounds);
    if (!point.ok()) return point.status();
    curve.push_back(*point);
  }
  const std::string subtitle = with_commas(songs) + " songs × " + std::to_string(requests.dim) + " dimensions, " +
                               std::string(to_string(indexes.graph->metric())) + "; batches of " +
                               std::to_string(requests.size()) + " playlists, each without its own songs";
  return draw_curve(path, subtitle, curve, *exact);
}

segue::Status run(const Options& options) {
  std::error_code error;
  std::filesystem::create_directories(options.out, error);
  if (error) return segue::io_error("cannot make " + options.out + ": " + error.message());
  const std::size_t rounds = options.quick ? 1 : 5;

  std::printf("Continuing public playlists with Segue\n\n");
  Stopwatch watch;
  auto log = read_playlists(options.data);
  if (!log.ok()) return log.status();
  report_step("read",
              std::to_string(log->names.size()) + " playlists of " + with_commas(log->songs.size()) + " songs (" +
                  with_commas(log->tracks) + " tracks, " + with_commas(log->entries) + " entries)",
              watch.seconds());

  watch = {};
  const Split split = hold_back(*log, {.seed = options.seed});
  std::size_t held = 0;
  for (const auto& songs : split.held_back) held += songs.size();
  report_step("held back",
              with_commas(held) + " songs: a fifth of each playlist, at most 100; seed " + std::to_string(options.seed),
              watch.seconds());

  watch = {};
  Embedding embedding;
  {
    ProgressBar bar("embedding");
    const auto show = [&](std::size_t done, std::size_t total) { bar.show(done, total); };
    embedding = embed_tracks(*log, split, {.dim = options.dim, .seed = options.seed, .progress = show});
  }
  report_step("embedded",
              with_commas(embedding.songs.size()) + " songs in " + std::to_string(embedding.dim) +
                  " dimensions; nothing is known of the other " +
                  with_commas(log->songs.size() - embedding.songs.size()),
              watch.seconds());

  auto indexes = index_songs(embedding, options);
  if (!indexes.ok()) return indexes.status();
  const segue::HnswOptions& built = indexes->graph->options();
  report_step("indexed",
              "HnswIndex, " + std::string(to_string(options.metric)) + ", m " + std::to_string(built.m) +
                  ", ef_construction " + std::to_string(built.ef_construction),
              indexes->graph_seconds);

  watch = {};
  const std::string file = options.out + "/playlists.segue";
  SEGUE_RETURN_IF_ERROR(indexes->graph->save(file));
  char megabytes[32];
  std::snprintf(megabytes, sizeof megabytes, "%.1f MB", static_cast<double>(std::filesystem::file_size(file)) / 1e6);
  report_step("saved", std::string("playlists.segue, ") + megabytes, watch.seconds());

  const Requests requests = make_requests(split, embed_playlists(split, embedding), embedding.dim);
  auto proposals = compare(*indexes, requests, split, log->songs.size(), rounds);
  if (!proposals.ok()) return proposals.status();
  for (const char* name : kShown) {
    const std::size_t list = find_playlist(*log, name);
    if (list == log->names.size()) continue;
    std::fflush(stdout);
    print_continuation(std::cout, *log, split, list, std::span(*proposals).subspan(list * kProposals, kProposals));
  }
  std::cout << std::flush;

  const std::string picture = options.out + "/recall_and_speed.svg";
  SEGUE_RETURN_IF_ERROR(draw(picture, *indexes, requests, embedding.songs.size(), rounds));
  std::printf("\n  Left behind: the index, %s\n", file.c_str());
  std::printf("  and a picture of recall against speed, %s\n", picture.c_str());
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = parse_options(argc, argv);
  if (options.ok() && options->help) {
    std::fputs(kUsage, stdout);
    return 0;
  }
  const segue::Status status = options.ok() ? run(*options) : options.status();
  if (status.ok()) return 0;
  std::fprintf(stderr, "continue_playlists: %s\n", status.message().c_str());
  return 1;
}
