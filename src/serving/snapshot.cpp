#include "serving/snapshot.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

namespace segue {

void ServingSnapshotBody::release() noexcept {
  // 1 MiB: some 30 us of work.
  constexpr std::uint64_t kPiece = std::uint64_t{1} << 20;
  constexpr std::chrono::microseconds kPause(100);
  prepared_.reset();
  index_.reset();
  // Somebody else still holds the index, or a part of it: it is theirs to free.
  if (memory_ == nullptr || memory_.use_count() != 1) return;
  for (std::uint64_t offset = 0; offset < memory_->size(); offset += kPiece) {
    memory_->drop_pages(offset, std::min(kPiece, memory_->size() - offset));
    if (offset + kPiece < memory_->size()) std::this_thread::sleep_for(kPause);
  }
  memory_.reset();
}

}  // namespace segue
