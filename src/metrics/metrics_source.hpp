#pragma once
// MetricsSource: what metrics ask when somebody reads them. MetricsLink: that it is known to them, and no longer than it is.

#include <cstdint>
#include <memory>
#include <mutex>

#include "segue/metrics.hpp"

namespace segue {

class IndexInternals;

class MetricsSource {
 public:
  // Adds its gauges.
  virtual void add_gauges(MetricsSnapshot& snapshot) const = 0;
  // What a shadow query scans; null: nothing.
  virtual const IndexInternals* scanned() const noexcept { return nullptr; }

 protected:
  ~MetricsSource() = default;
};

// Whoever has one calls leave() as the first thing of its destructor, while it can still be asked. No lock that
// add_gauges() takes may be held in any call but get().
class MetricsLink {
 public:
  MetricsLink() = default;
  MetricsLink(const MetricsLink&) = delete;
  MetricsLink& operator=(const MetricsLink&) = delete;
  ~MetricsLink();

  // Null: none. What there was before, and in `number` what the metrics know the source by.
  std::shared_ptr<Metrics> set(std::shared_ptr<Metrics> metrics, const MetricsSource& source, std::uint64_t& number);
  // Once it returns nobody asks the source any more.
  void leave() noexcept;
  std::shared_ptr<Metrics> get() const;

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<Metrics> metrics_;
  std::uint64_t number_ = 0;
};

}  // namespace segue
