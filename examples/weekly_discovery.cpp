// Weekly discovery: for every listener, in one batch, songs that they never heard by artists who are new to them.
//
//   weekly_discovery                     prints the lists of three listeners, and figures over all
//   weekly_discovery "Indie Pop"         one listener's instead; a listener is one of the public playlists under data/
//
// Each request has exclusions of its own (all that the listener has), a filter of its own of what may be found (nothing
// by their artists), two interests, and asks for diversity and one song an artist. What the listeners took later of
// artists who were new to them judges the lists, beside those of the plain search and of the same batch without one
// rule. The pieces are in playlists/, a step a file.

#include <cstdio>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "playlists/fit_text.hpp"
#include "playlists/known_artists.hpp"
#include "playlists/measure_lists.hpp"
#include "playlists/print_list.hpp"
#include "playlists/read_service.hpp"
#include "playlists/report_step.hpp"
#include "playlists/run_program.hpp"
#include "segue/segue.hpp"

namespace {

using namespace playlists;

constexpr std::size_t k = 30;
constexpr std::size_t kShown = 8;
const std::vector<std::string> kListeners = {"Late Night Jazz", "hyperpop", "All Out 70s"};

// What a batch is made of: requests only borrow it.
struct Batch {
  std::vector<Artists> known;                 // of each listener
  std::vector<segue::Expression> new_to;      // songs by others
  std::vector<std::vector<float>> interests;  // one or two rows each
  Lists later;                                // what they took later of artists who were new to them
};

Batch gather(const Service& service) {
  Batch batch;
  for (std::size_t listener = 0; listener < service.names.size(); ++listener) {
    batch.known.push_back(known_artists(service, listener));
    batch.interests.push_back(service.interests(listener));
    // Some listeners know thousands; the column is looked at once for each listener all the same.
    const Artists& known = batch.known.back();
    batch.new_to.push_back(~segue::field("artist").isin({known.begin(), known.end()}));
    std::vector<segue::Id> later;
    for (const segue::Id id : service.future[listener]) {
      if (!by_any(service.songs[static_cast<std::size_t>(id)], known)) later.push_back(id);
    }
    batch.later.push_back(std::move(later));
  }
  return batch;
}

std::vector<segue::Request> make_requests(const Service& service, const Batch& batch, bool new_artists) {
  std::vector<segue::Request> requests;
  for (std::size_t listener = 0; listener < service.names.size(); ++listener) {
    requests.push_back({.k = k,
                        .vectors = segue::MatrixView(batch.interests[listener], service.index->dim()),
                        .combine = segue::Combine::kShares,
                        .exclude = service.history[listener]});
    if (new_artists) requests.back().filter = batch.new_to[listener];
  }
  return requests;
}

// How often a rule is broken, over all places: a song that was heard, an artist who is known, an artist twice.
void print_rules(const Service& service, const Batch& batch, const Lists& lists) {
  std::size_t places = 0, heard = 0, known = 0, twice = 0;
  for (std::size_t listener = 0; listener < lists.size(); ++listener) {
    const auto& history = service.history[listener];
    const std::unordered_set<segue::Id> had(history.begin(), history.end());
    Artists shown;
    for (const segue::Id id : lists[listener]) {
      const Song& song = service.songs[static_cast<std::size_t>(id)];
      heard += had.count(id);
      known += by_any(song, batch.known[listener]) ? 1 : 0;
      twice += by_any(song, shown) ? 1 : 0;
      shown.insert(song.artists.begin(), song.artists.end());
    }
    places += lists[listener].size();
  }
  std::printf("\n  Of %s places: heard before %zu, by an artist who is known %zu, an artist twice in a list %zu.\n",
              with_commas(places).c_str(), heard, known, twice);
}

std::string per_second(std::size_t requests, double seconds) {
  return with_commas(static_cast<std::size_t>(static_cast<double>(requests) / seconds));
}

segue::Result<Figures> print_row(const std::string& name, const Service& service, const Batch& batch,
                                 const Lists& lists, const std::string& speed) {
  const auto figures = measure_lists(lists, batch.later, k, service.plays, *service.index);
  if (!figures.ok()) return figures.status();
  print_figures(name, *figures);
  std::printf("    %s\n", speed.c_str());
  return figures;
}

Lists ids_of(const std::vector<segue::Candidates>& found) {
  Lists lists;
  for (const segue::Candidates& candidates : found) lists.push_back(candidates.ids);
  return lists;
}

// The plain search, with one vector a listener: it leaves out what was heard, and that is all.
segue::Status print_search(const Service& service, const Batch& batch) {
  std::vector<float> tastes;
  std::vector<segue::Id> heard;
  std::vector<std::size_t> offsets = {0};
  for (std::size_t listener = 0; listener < service.names.size(); ++listener) {
    const std::vector<float> taste = service.taste(listener);
    const std::vector<segue::Id>& history = service.history[listener];
    tastes.insert(tastes.end(), taste.begin(), taste.end());
    heard.insert(heard.end(), history.begin(), history.end());
    offsets.push_back(heard.size());
  }
  const Stopwatch watch;
  const auto found = service.index->search(segue::MatrixView(tastes, service.index->dim()), k,
                                           {.nprobe = kWide.nprobe, .exclude = {heard, offsets}});
  const double seconds = watch.seconds();
  if (!found.ok()) return found.status();
  Lists lists;
  for (std::size_t row = 0; row < service.names.size(); ++row) {
    const auto first = found->ids.begin() + static_cast<std::ptrdiff_t>(row * k);
    lists.emplace_back(first, first + k);
    std::erase(lists.back(), segue::kMissingId);
  }
  return print_row("the search alone", service, batch, lists, per_second(lists.size(), seconds) + " queries/s")
      .status();
}

segue::Status run(const std::vector<std::string>& arguments) {
  std::printf("Weekly discovery with Segue\n\n");
  const auto service = read_service(SEGUE_PLAYLISTS_DIR);
  if (!service.ok()) return service.status();
  const Batch batch = gather(*service);
  auto popular = segue::ranked_list(service->popular);
  if (!popular.ok()) return popular.status();

  segue::GeneratorOptions weekly;
  weekly.sources = {{"taste", segue::nearest_to_vectors(service->index, kWide)}};
  weekly.catalog = service->catalog;
  weekly.caps = {{"artist", 1}};
  weekly.mmr = segue::Mmr{service->index, 0.7f, 200};
  segue::GeneratorOptions alike = weekly, charts = weekly;
  alike.mmr.reset();
  charts.sources = {{"popular", *popular}};

  struct Row {
    const char* name;
    const segue::GeneratorOptions* options;
    bool filtered;
  };
  std::vector<Figures> table;
  for (const Row& row : {Row{"weekly discovery", &weekly, true}, Row{"without diversity", &alike, true},
                         Row{"without new artists", &weekly, false}, Row{"popular, same rules", &charts, true}}) {
    const auto generator = segue::CandidateGenerator::create(*row.options);
    if (!generator.ok()) return generator.status();
    const auto requests = make_requests(*service, batch, row.filtered);
    const Stopwatch watch;
    const auto found = (*generator)->generate(requests);
    const double seconds = watch.seconds();
    if (!found.ok()) return found.status();
    const Lists lists = ids_of(*found);
    if (table.empty()) {
      for (const std::string& name : arguments.empty() ? kListeners : arguments) {
        const auto listener = service->number(name);
        if (!listener.ok()) return listener.status();
        std::printf("\n  %s, which has %s artists (✓: taken later)\n\n", name.c_str(),
                    with_commas(batch.known[*listener].size()).c_str());
        print_list(*service, *listener, (*found)[*listener], weekly, kShown);
      }
      print_rules(*service, batch, lists);
      std::printf("\n  All %zu listeners, judged by what they took later of artists who were new to them:\n\n",
                  service->names.size());
      print_figures_header(k);
    }
    const std::string speed = per_second(requests.size(), seconds) + " requests/s";
    const auto figures = print_row(row.name, *service, batch, lists, speed);
    if (!figures.ok()) return figures.status();
    table.push_back(*figures);
  }
  SEGUE_RETURN_IF_ERROR(print_search(*service, batch));
  const Figures &own = table.front(), &popular_ones = table.back();
  std::printf(
      "\n  Against the popular songs under the same rules: %.2f times their recall, %.0f times their coverage, and\n"
      "  songs that are %.1f bits rarer.\n",
      own.recall / popular_ones.recall, own.coverage / popular_ones.coverage, own.novelty - popular_ones.novelty);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  return run_program(
      argc, argv, "weekly_discovery",
      "weekly_discovery [LISTENER]\n\nMakes a week's discoveries for all of the public playlists and prints "
      "those of one\n(default: of three).\n",
      1, run);
}
