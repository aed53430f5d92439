#include "metrics/metrics_source.hpp"

#include <cassert>
#include <utility>

#include "metrics/metrics_body.hpp"

namespace segue {

MetricsLink::~MetricsLink() { assert(metrics_ == nullptr && "leave() comes first"); }

std::shared_ptr<Metrics> MetricsLink::set(std::shared_ptr<Metrics> metrics, const MetricsSource& source,
                                          std::uint64_t& number) {
  const std::uint64_t joined = metrics == nullptr ? 0 : body_of(*metrics).join(source);
  const std::lock_guard lock(mutex_);
  if (metrics_ != nullptr) body_of(*metrics_).leave(number_);
  metrics_.swap(metrics);
  number = number_ = joined;
  return metrics;
}

void MetricsLink::leave() noexcept {
  std::shared_ptr<Metrics> left;
  {
    const std::lock_guard lock(mutex_);
    left = std::move(metrics_);
    metrics_ = nullptr;
    if (left != nullptr) body_of(*left).leave(number_);
  }
}

std::shared_ptr<Metrics> MetricsLink::get() const {
  const std::lock_guard lock(mutex_);
  return metrics_;
}

}  // namespace segue
