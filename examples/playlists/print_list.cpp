#include "print_list.hpp"

#include <algorithm>
#include <cstdio>
#include <unordered_set>
#include <vector>

#include "fit_text.hpp"

namespace playlists {

std::string print_provenance(const segue::Candidates& found, std::size_t i,
                             const std::vector<segue::SourceSpec>& sources) {
  std::string text;
  for (std::size_t j = found.offsets[i]; j < found.offsets[i + 1]; ++j) {
    text += (text.empty() ? "" : ", ") + sources[found.sources[j]].name + " " + std::to_string(found.ranks[j] + 1);
  }
  return text;
}

void print_list(const Service& service, std::size_t listener, const segue::Candidates& found,
                const segue::GeneratorOptions& options, std::size_t rows) {
  const std::vector<segue::Id>& future = service.future[listener];
  const std::unordered_set<segue::Id> took(future.begin(), future.end());
  for (std::size_t i = 0; i < std::min(rows, found.ids.size()); ++i) {
    const segue::Id id = found.ids[i];
    std::printf("  %3zu. %s %s %6.3f  %s\n", i + 1, took.contains(id) ? "✓" : " ",
                fit(describe(service.songs[static_cast<std::size_t>(id)], 50), 50).c_str(),
                static_cast<double>(found.scores[i]), print_provenance(found, i, options.sources).c_str());
  }
}

void print_reports(const segue::Candidates& found, const std::vector<segue::SourceSpec>& sources) {
  std::vector<std::size_t> in_list(sources.size());
  for (const std::uint16_t source : found.sources) ++in_list[source];
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const segue::SourceReport& report = found.reports[i];
    std::printf("    %s proposed %4zu, of which %3zu are in the list of %zu; %5.0f µs%s%s\n",
                fit(sources[i].name, 9).c_str(), report.proposed, in_list[i], found.ids.size(), report.microseconds,
                report.cut ? ", cut by the deadline" : "",
                report.status.ok() ? "" : (", failed: " + report.status.message()).c_str());
  }
  std::printf("    ended by: %s%s%s\n", std::string(to_string(found.ended_by)).c_str(),
              found.reason.empty() ? "" : "; ", found.reason.c_str());
}

}  // namespace playlists
