#pragma once
// The curves of an index in its file: two optional sections, "curves" and "curve_points". docs/file_format.md has their
// bytes. An index that was never tuned writes neither, and reading one from before they existed finds none.

#include <cstdint>
#include <vector>

#include "file/file_reader.hpp"
#include "file/file_writer.hpp"
#include "items/recall_curves.hpp"

namespace segue {

// What lies in the sections while a file is written.
class CurveSections {
 public:
  explicit CurveSections(const RecallCurves& curves);
  // Borrows from this.
  void append_to(std::vector<SectionToWrite>& sections) const;

  struct CurveRow {
    std::uint64_t k;
    std::uint64_t queries;
    std::uint64_t items;
    std::uint64_t changed;
    std::uint64_t points;
  };
  struct PointRow {
    std::uint64_t effort;
    double recall;
    double recall_low;
    double distances;
  };

 private:
  std::vector<CurveRow> curves_;
  std::vector<PointRow> points_;
};

// Everything is checked, whatever `verify` was: the sections are small. kCorruptFile names the section.
Status read_curves(const FileReader& file, RecallCurves& curves);

}  // namespace segue
