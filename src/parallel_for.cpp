#include "segue/core/parallel_for.hpp"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>
#include <vector>

namespace segue {
namespace {

// Workers pull pieces from a shared counter; the first exception is kept.
class Pieces {
 public:
  Pieces(std::size_t n, std::size_t grain,
         const std::function<void(std::size_t, std::size_t, std::size_t)>& body) noexcept
      : n_(n), grain_(grain), body_(body) {}

  void work(std::size_t worker) noexcept {
    while (!failed_.load(std::memory_order_relaxed)) {
      const std::size_t begin = next_.fetch_add(grain_, std::memory_order_relaxed);
      if (begin >= n_) return;
      try {
        body_(begin, std::min(n_, begin + grain_), worker);
      } catch (...) {
        if (!failed_.exchange(true)) error_ = std::current_exception();
      }
    }
  }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  const std::size_t n_;
  const std::size_t grain_;
  const std::function<void(std::size_t, std::size_t, std::size_t)>& body_;
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> failed_{false};
  std::exception_ptr error_;
};

}  // namespace

std::size_t worker_count(std::size_t n, int threads, std::size_t grain) noexcept {
  const std::size_t pieces = (n + grain - 1) / grain;
  if (pieces <= 1 || threads == 1 || omp_in_parallel()) return 1;
  const auto wanted = static_cast<std::size_t>(threads > 0 ? threads : omp_get_max_threads());
  return std::max<std::size_t>(1, std::min(wanted, pieces));
}

int threads_for(std::size_t bytes, int threads) noexcept {
  constexpr std::size_t kWorthATeam = std::size_t{1} << 20;
  return bytes < kWorthATeam ? 1 : threads;
}

void parallel_for(std::size_t n, int threads, std::size_t grain,
                  const std::function<void(std::size_t, std::size_t, std::size_t)>& body) {
  if (n == 0) return;
  const std::size_t workers = worker_count(n, threads, grain);
  Pieces pieces(n, grain, body);
  if (workers == 1) {
    pieces.work(0);
  } else {
#ifdef SEGUE_PARALLEL_FOR_STD_THREADS  // ThreadSanitizer cannot see into the usual OpenMP runtimes
    std::vector<std::thread> team;
    for (std::size_t w = 1; w < workers; ++w) team.emplace_back([&pieces, w] { pieces.work(w); });
    pieces.work(0);
    for (std::thread& member : team) member.join();
#else
#pragma omp parallel num_threads(static_cast<int>(workers))
    pieces.work(static_cast<std::size_t>(omp_get_thread_num()));
#endif
  }
  pieces.rethrow();
}

}  // namespace segue
