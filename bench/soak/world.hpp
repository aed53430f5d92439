#pragma once
// World: what has to be in the index, so that answers can be checked while it changes. A place holds one item or none; each
// writer has places of its own. The item of a place is gone and comes back under another id, or keeps its id and gets
// another vector, so the size stays what it is, and as many ids are new as are gone.

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "segue/types.hpp"

namespace segue::bench {

class World {
 public:
  struct Item {
    Id id;
    std::uint64_t vector;  // MadeVectors::write()
    bool there;
  };

  explicit World(std::size_t places) : items_(places), drawn_(places) {
    for (std::size_t i = 0; i < places; ++i) items_[i] = {static_cast<Id>(i), i, true};
  }

  std::size_t places() const noexcept { return items_.size(); }
  std::size_t place_of(Id id) const noexcept { return static_cast<std::size_t>(id) % items_.size(); }

  // A writer's: between begin() and end(), for a place of its own.
  Item& item(std::size_t place) noexcept { return items_[place]; }
  // The id that comes after this one at its place, and a vector that nothing had.
  Id next_id(Id id) const noexcept { return id + static_cast<Id>(items_.size()); }
  std::uint64_t next_vector() {
    const std::lock_guard lock(mutex_);
    return drawn_++;
  }

  // Around each update: index and world change together, as far as a pause() can see.
  void begin() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !paused_; });
    ++writing_;
  }
  void end() {
    const std::lock_guard lock(mutex_);
    if (--writing_ == 0) changed_.notify_all();
  }

  // No update is under way while `look`, of what is there, runs. One at a time.
  template <class Look>
  void pause(const Look& look) {
    std::unique_lock lock(mutex_);
    paused_ = true;
    changed_.wait(lock, [this] { return writing_ == 0; });
    look(static_cast<const std::vector<Item>&>(items_));
    paused_ = false;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool paused_ = false;
  std::size_t writing_ = 0;
  std::vector<Item> items_;
  std::uint64_t drawn_;
};

}  // namespace segue::bench
