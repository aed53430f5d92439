// Weekly discovery: for every listener, in one batch, songs that they never heard by artists who are new to them.
//
//   weekly_discovery                     prints the lists of three listeners, and figures over all
//   weekly_discovery "Lo-Fi Beats"       one listener's instead; a listener is one of the public playlists under data/
//
// Each request has exclusions of its own (all that the listener has), a filter of its own (none of their artists) and
// asks for diversity and one song an artist. What the listeners took later of artists who were new to them judges the
// lists, beside those of the plain search and of the same batch without one rule. The pieces are in playlists/, a step
// a file.

#include <cstdio>
#include <optional>
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
constexpr std::size_t kShown = 10;
const std::vector<std::string> kListeners = {"Indie Pop", "Lo-Fi Beats", "Hot Country"};

// What a batch is made of: requests only borrow it.
struct Batch {
  std::vector<Artists> known;  // of each listener
  std::vector<float> tastes;
  Lists later;  // what they took later of artists who were new to them
};

Batch gather(const Service& service) {
  Batch batch;
  for (std::size_t listener = 0; listener < service.names.size(); ++listener) {
    Artists known = known_artists(service, listener);
    const std::vector<float> taste = service.taste(listener);
    batch.tastes.insert(batch.tastes.end(), taste.begin(), taste.end());
    batch.later.emplace_back();
    for (const segue::Id id : service.future[listener]) {
      if (!by_any(service.songs[static_cast<std::size_t>(id)], known)) batch.later.back().push_back(id);
    }
    batch.known.push_back(std::move(known));
  }
  return batch;
}

// Everything by somebody they know is out. A set column can be asked for one artist at a time, so the filter looks at
// the column that has the first artist of each song; one who is new may bring a guest whom they know.
segue::Expression new_artists(const Artists& known) {
  return ~segue::field("lead").isin(std::vector<segue::Literal>(known.begin(), known.end()));
}

std::vector<segue::Request> make_requests(const Service& service, const Batch& batch, bool filtered) {
  const std::size_t dim = service.index->dim();
  std::vector<segue::Request> requests;
  for (std::size_t listener = 0; listener < service.names.size(); ++listener) {
    requests.push_back({.k = k,
                        .vectors = segue::MatrixView(batch.tastes, dim).slice(listener, 1),
                        .exclude = service.history[listener]});
    if (filtered) requests.back().filter = new_artists(batch.known[listener]);
  }
  return requests;
}

// How often a rule is broken, over all places: a song that was heard, a first artist who is known, an artist twice.
void print_rules(const Service& service, const Batch& batch, const Lists& lists) {
  std::size_t places = 0, heard = 0, known = 0, twice = 0;
  for (std::size_t listener = 0; listener < lists.size(); ++listener) {
    const auto& history = service.history[listener];
    const std::unordered_set<segue::Id> had(history.begin(), history.end());
    Artists shown;
    for (const segue::Id id : lists[listener]) {
      const Song& song = service.songs[static_cast<std::size_t>(id)];
      heard += had.count(id);
      known += !song.artists.empty() && batch.known[listener].contains(song.artists.front()) ? 1 : 0;
      twice += by_any(song, shown) ? 1 : 0;
      shown.insert(song.artists.begin(), song.artists.end());
    }
    places += lists[listener].size();
  }
  std::printf(
      "\n  Of %s places: heard before %zu, by a first artist who is known %zu, an artist twice in a list %zu.\n",
      with_commas(places).c_str(), heard, known, twice);
}

std::string per_second(std::size_t requests, double seconds) {
  return with_commas(static_cast<std::size_t>(static_cast<double>(requests) / seconds));
}

segue::Status print_row(const std::string& name, const Service& service, const Batch& batch, const Lists& lists,
                        const std::string& speed) {
  const auto figures = measure_lists(lists, batch.later, k, service.plays, *service.index);
  if (!figures.ok()) return figures.status();
  print_figures(name, *figures);
  std::printf("    %s\n", speed.c_str());
  return {};
}

Lists ids_of(const std::vector<segue::Candidates>& found) {
  Lists lists;
  for (const segue::Candidates& candidates : found) lists.push_back(candidates.ids);
  return lists;
}

// The plain search of the same vectors: it leaves out what was heard, and that is all.
segue::Status print_search(const Service& service, const Batch& batch, const std::vector<segue::Id>& heard,
                           const std::vector<std::size_t>& offsets) {
  const Stopwatch watch;
  const auto found =
      service.index->search(segue::MatrixView(batch.tastes, service.index->dim()), k, {.exclude = {heard, offsets}});
  const double seconds = watch.seconds();
  if (!found.ok()) return found.status();
  Lists lists;
  for (std::size_t row = 0; row < service.names.size(); ++row) {
    const auto first = found->ids.begin() + static_cast<std::ptrdiff_t>(row * k);
    lists.emplace_back(first, first + k);
    std::erase(lists.back(), segue::kMissingId);
  }
  return print_row("the search alone", service, batch, lists, per_second(lists.size(), seconds) + " queries/s");
}

segue::Status run(const std::vector<std::string>& arguments) {
  std::printf("Weekly discovery with Segue\n\n");
  const auto service = read_service(SEGUE_PLAYLISTS_DIR);
  if (!service.ok()) return service.status();
  const Batch batch = gather(*service);
  auto popular = segue::ranked_list(service->popular);
  if (!popular.ok()) return popular.status();

  segue::GeneratorOptions weekly;
  weekly.sources = {{"taste", segue::nearest_to_vectors(service->index)}};
  weekly.catalog = service->catalog;
  weekly.caps = {{"artist", 1}};
  weekly.mmr = segue::Mmr{service->index, 0.7f, 200};
  segue::GeneratorOptions alike = weekly, charts = weekly;
  alike.mmr.reset();
  charts.sources = {{"popular", *popular}};

  std::optional<Lists> made;
  struct Row {
    const char* name;
    const segue::GeneratorOptions* options;
    bool filtered;
  };
  std::string table;
  for (const Row& row : {Row{"weekly discovery", &weekly, true}, Row{"without diversity", &alike, true},
                         Row{"without new artists", &weekly, false}, Row{"popular, same rules", &charts, true}}) {
    const auto generator = segue::CandidateGenerator::create(*row.options);
    if (!generator.ok()) return generator.status();
    const auto requests = make_requests(*service, batch, row.filtered);
    const Stopwatch watch;
    const auto found = (*generator)->generate(requests);
    const double seconds = watch.seconds();
    if (!found.ok()) return found.status();
    const Stopwatch again;
    const auto same = (*generator)->generate(requests);
    const double seconds_again = again.seconds();
    if (!same.ok()) return same.status();
    const Lists lists = ids_of(*found);
    if (!made) {
      made = lists;
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
    const std::size_t n = requests.size();
    SEGUE_RETURN_IF_ERROR(print_row(
        row.name, *service, batch, lists,
        per_second(n, seconds) + " requests/s, " + per_second(n, seconds_again) + " requests/s when asked again"));
  }
  std::vector<segue::Id> heard;
  std::vector<std::size_t> offsets = {0};
  for (const auto& history : service->history) {
    heard.insert(heard.end(), history.begin(), history.end());
    offsets.push_back(heard.size());
  }
  SEGUE_RETURN_IF_ERROR(print_search(*service, batch, heard, offsets));
  std::printf(
      "\n  Asked again, the catalogue remembers what each of the %zu filters selects: the first row meets them "
      "first.\n",
      service->names.size());
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
