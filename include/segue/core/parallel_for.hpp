#pragma once
// parallel_for: the one parallel loop of the library.
//
//   parallel_for(n, threads, 16, [&](std::size_t begin, std::size_t end, std::size_t worker) { ... });
//
// Hands [0, n) out in pieces of at most `grain`, in order, to at most `threads` workers (0: as many as OpenMP would
// use); `worker` is below worker_count(n, threads, grain) and stays the same within a piece. With one piece or one
// thread nothing is started: the body runs in the caller. An exception in a body stops further pieces and is thrown
// again in the caller. Calls from inside a body run in that worker alone.

#include <cstddef>
#include <functional>

namespace segue {

std::size_t worker_count(std::size_t n, int threads, std::size_t grain) noexcept;

// `threads`, or 1 where the whole loop reads so few bytes (some 50 microseconds' worth) that waking a team costs more.
int threads_for(std::size_t bytes, int threads) noexcept;

void parallel_for(std::size_t n, int threads, std::size_t grain,
                  const std::function<void(std::size_t begin, std::size_t end, std::size_t worker)>& body);

}  // namespace segue
