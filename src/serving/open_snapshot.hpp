#pragma once
// Opens an index for serving: gently, so that the one that serves does not notice.

#include <memory>
#include <optional>
#include <string>

#include "segue/serving.hpp"
#include "serving/snapshot.hpp"

namespace segue {

// In a thread that stands back as far as the options say: maps the file, refuses another metric than `metric`, brings the
// pages in, and verifies. Then, in this thread, `prepare` looks. The snapshot has no generation yet.
Result<std::unique_ptr<ServingSnapshotBody>> open_snapshot(const std::string& path, const ServingOptions& options,
                                                           std::optional<Metric> metric);
// The same with an index that is there: the metric and `prepare`.
Result<std::unique_ptr<ServingSnapshotBody>> adopt_snapshot(std::shared_ptr<const Index> index,
                                                            const ServingOptions& options, std::optional<Metric> metric);

// Whether this thread is in `prepare` of these options: who swaps there would wait for itself.
bool is_preparing(const ServingOptions& options) noexcept;

}  // namespace segue
