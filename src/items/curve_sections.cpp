#include "items/curve_sections.hpp"

#include <span>

namespace segue {
namespace {
constexpr const char* kCurves = "curves";
constexpr const char* kPoints = "curve_points";
}  // namespace

CurveSections::CurveSections(const RecallCurves& curves) {
  for (const RecallCurve& c : curves.all()) {
    curves_.push_back({c.k, c.queries, c.items, c.changed, c.points.size()});
    for (const CurvePoint& p : c.points) points_.push_back({p.effort, p.recall, p.recall_low, p.distances});
  }
}

void CurveSections::append_to(std::vector<SectionToWrite>& sections) const {
  if (curves_.empty()) return;
  sections.push_back(make_section<CurveRow>(kCurves, std::span<const CurveRow>(curves_)));
  sections.push_back(make_section<PointRow>(kPoints, std::span<const PointRow>(points_)));
}

Status read_curves(const FileReader& file, RecallCurves& curves) {
  if (!file.has(kCurves)) return {};
  const auto rows = file.section<CurveSections::CurveRow>(kCurves);
  if (!rows.ok()) return rows.status();
  const auto points = file.section<CurveSections::PointRow>(kPoints);
  if (!points.ok()) return points.status();
  if (rows->size() > kMaxCurves) return file.corrupt_section(kCurves, "there are more curves than an index keeps");

  std::vector<RecallCurve> read;
  std::span<const CurveSections::PointRow> rest = *points;
  std::size_t k = 0;
  for (const CurveSections::CurveRow& row : *rows) {
    if (row.points > rest.size()) return file.corrupt_section(kPoints, "it has fewer points than the curves name");
    if (row.k <= k) return file.corrupt_section(kCurves, "k does not ascend");
    k = row.k;
    RecallCurve curve{row.k, row.queries, row.items, row.changed, {}};
    if (row.points > kMaxCurvePoints) return file.corrupt_section(kCurves, "a curve has too many points");
    for (const CurveSections::PointRow& p : rest.first(row.points)) {
      curve.points.push_back({p.effort, p.recall, p.recall_low, p.distances});
    }
    rest = rest.subspan(row.points);
    const Status valid = check_curve(curve);
    if (!valid.ok()) return file.corrupt_section(kPoints, valid.message());
    read.push_back(std::move(curve));
  }
  if (!rest.empty()) return file.corrupt_section(kPoints, "it has more points than the curves name");
  curves.adopt(std::move(read));
  return {};
}

}  // namespace segue
