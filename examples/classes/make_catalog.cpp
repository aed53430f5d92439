#include "classes/make_catalog.hpp"

#include <cstdint>
#include <string>

#include "playlists/parse_day.hpp"

namespace classes {

segue::Result<std::shared_ptr<segue::Catalog>> make_catalog(const std::vector<Class>& classes) {
  std::vector<std::string> discipline, instructor, difficulty, music;
  std::vector<std::int64_t> minutes, published;
  for (const Class& c : classes) {
    discipline.push_back(c.discipline);
    instructor.push_back(c.instructor);
    difficulty.push_back(c.difficulty);
    music.push_back(c.music);
    minutes.push_back(c.minutes);
    published.push_back(c.published * playlists::kSecondsADay);
  }
  using segue::ColumnData;
  return segue::Catalog::create(
      std::vector{ColumnData::categories("discipline", discipline), ColumnData::categories("instructor", instructor),
                  ColumnData::integers("minutes", minutes), ColumnData::categories("difficulty", difficulty),
                  ColumnData::categories("music", music), ColumnData::dates("published", published)});
}

}  // namespace classes
