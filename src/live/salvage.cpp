#include "live/live_state.hpp"
#include "segue/live/live_index.hpp"

namespace segue {

Result<SalvageReport> LiveIndex::salvage(const std::string& directory, const std::string& to) {
  Result<Recovered> recovered = recover(directory, {.read_only = true}, WalkPolicy::kSalvage);
  if (!recovered.ok()) return recovered.status();
  SEGUE_RETURN_IF_ERROR(LiveState::create(to, *recovered->index, {}));
  SalvageReport report;
  report.snapshot = recovered->snapshot;
  report.records = recovered->end.records;
  report.items = recovered->index->size();
  report.losses = std::move(recovered->report.notes);
  for (std::string& loss : recovered->end.losses) report.losses.push_back(std::move(loss));
  return report;
}

}  // namespace segue
