#pragma once
// PinnedSlots<T>: the T that is current, for many readers, and one writer at a time that exchanges it.
//
// Two slots; an index says which is current. Readers count themselves in and out, each in a cache line that it shares with
// few other threads, so that they neither wait nor disturb each other. A reader counts itself into the slot that it saw
// current and then looks whether it still is: if so the writer, who looks at the counts only after it has moved the index,
// has either seen the count or will (both sides store, then load, all sequentially consistent: Dekker's argument). If not
// it counts itself out and begins again; that happens only where an exchange falls between two of its instructions.
// The same idea: left-right (Ramalhete & Correia 2015), and sleepable RCU with its two sets of counters.
//
//   const PinnedSlots<T>::Pin pin(slots);   // *pin stays as long as `pin`
//
// The last count never frees anything: the writer waits until the counts of the old slot are zero and takes it out.

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <utility>

namespace segue {

template <class T>
class PinnedSlots {
  struct alignas(64) Shard {
    std::array<std::atomic<std::uint64_t>, 2> pins{};
  };

 public:
  PinnedSlots() = default;
  PinnedSlots(const PinnedSlots&) = delete;
  PinnedSlots& operator=(const PinnedSlots&) = delete;

  class Pin {
   public:
    explicit Pin(const PinnedSlots& slots) noexcept : slots_(slots), shard_(slots.shards_[my_shard()]) {
      for (;;) {
        slot_ = slots.current_.load(std::memory_order_seq_cst);
        shard_.pins[slot_].fetch_add(1, std::memory_order_seq_cst);
        if (slots.current_.load(std::memory_order_seq_cst) == slot_) return;
        shard_.pins[slot_].fetch_sub(1, std::memory_order_release);
      }
    }
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;
    ~Pin() { shard_.pins[slot_].fetch_sub(1, std::memory_order_release); }

    const T& operator*() const noexcept { return *slots_.slots_[slot_]; }
    const T* operator->() const noexcept { return slots_.slots_[slot_].get(); }
    const std::shared_ptr<const T>& share() const noexcept { return slots_.slots_[slot_]; }

   private:
    const PinnedSlots& slots_;
    Shard& shard_;
    std::size_t slot_;
  };

  // Puts `next` in place and waits until nobody is in the old one, which it returns. One caller at a time.
  std::shared_ptr<const T> exchange(std::shared_ptr<const T> next) noexcept {
    const std::size_t old = current_.load(std::memory_order_relaxed);
    // Nobody is in the other slot: the exchange that emptied it waited for that, and who comes late does not look inside.
    slots_[1 - old] = std::move(next);
    current_.store(1 - old, std::memory_order_seq_cst);
    wait_until_left(old);
    return std::exchange(slots_[old], nullptr);
  }

 private:
  static constexpr std::size_t kShards = 64;

  static std::size_t my_shard() noexcept {
    static std::atomic<std::size_t> threads{0};
    thread_local const std::size_t mine = threads.fetch_add(1, std::memory_order_relaxed) % kShards;
    return mine;
  }

  // A search takes tens of microseconds to milliseconds, so that is how often the writer looks.
  void wait_until_left(std::size_t slot) const noexcept {
    std::chrono::microseconds pause(20);
    for (const Shard& shard : shards_) {
      while (shard.pins[slot].load(std::memory_order_seq_cst) != 0) {
        std::this_thread::sleep_for(pause);
        pause = std::min(pause * 2, std::chrono::microseconds(2000));
      }
    }
  }

  mutable std::array<Shard, kShards> shards_;
  alignas(64) std::atomic<std::size_t> current_{0};
  std::array<std::shared_ptr<const T>, 2> slots_;
};

}  // namespace segue
