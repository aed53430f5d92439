#include "classes/print_classes.hpp"

#include <cstdio>

#include "playlists/parse_day.hpp"

namespace classes {

void print_classes(const Catalogue& catalogue, const Member& member, const segue::Candidates& found) {
  std::printf("  %4s  %-6s %-13s %-10s %7s  %-12s %-12s %-10s  %s\n", "", "id", "instructor", "discipline", "minutes",
              "difficulty", "music", "published", "score");
  for (std::size_t i = 0; i < found.ids.size(); ++i) {
    const Class& c = catalogue.classes[static_cast<std::size_t>(found.ids[i])];
    std::printf("  %3zu.  %-6lld %-13s %-10s %7lld  %-12s %-12s %-10s  %.3f\n", i + 1,
                static_cast<long long>(found.ids[i]), c.instructor.c_str(), c.discipline.c_str(),
                static_cast<long long>(c.minutes), c.difficulty.c_str(),
                (c.music + (c.music == member.music ? " *" : "")).c_str(), playlists::print_day(c.published).c_str(),
                static_cast<double>(found.scores[i]));
  }
  std::printf("  * the music that this member takes most\n");
}

}  // namespace classes
