#pragma once
// ScratchPool<T>: memory that a query works in, kept between queries. No lock, no allocation once warm.
//
// A few slots hold idle objects; a lease takes one by an atomic exchange, or makes a new one, and puts it back. Threads
// begin at different slots, so that they rarely meet.

#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>

namespace segue {

template <class T>
class ScratchPool {
 public:
  ScratchPool() = default;
  ScratchPool(const ScratchPool&) = delete;
  ScratchPool& operator=(const ScratchPool&) = delete;
  ~ScratchPool() {
    for (auto& slot : slots_) delete slot.idle.load();
  }

  class Lease {
   public:
    explicit Lease(ScratchPool& pool) : pool_(pool), taken_(pool.take()) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() { pool_.put_back(std::move(taken_)); }
    T& operator*() noexcept { return *taken_; }
    T* operator->() noexcept { return taken_.get(); }

   private:
    ScratchPool& pool_;
    std::unique_ptr<T> taken_;
  };

 private:
  static constexpr std::size_t kSlots = 64;
  struct alignas(64) Slot {
    std::atomic<T*> idle{nullptr};
  };

  static std::size_t home() noexcept { return std::hash<std::thread::id>{}(std::this_thread::get_id()) % kSlots; }

  std::unique_ptr<T> take() {
    const std::size_t first = home();
    for (std::size_t i = 0; i < 4; ++i) {
      Slot& slot = slots_[(first + i) % kSlots];
      if (slot.idle.load(std::memory_order_relaxed) == nullptr) continue;
      if (T* idle = slot.idle.exchange(nullptr, std::memory_order_acquire)) return std::unique_ptr<T>(idle);
    }
    return std::make_unique<T>();
  }
  void put_back(std::unique_ptr<T> object) noexcept {
    const std::size_t first = home();
    for (std::size_t i = 0; i < 4; ++i) {
      T* expected = nullptr;
      if (slots_[(first + i) % kSlots].idle.compare_exchange_strong(expected, object.get(), std::memory_order_release,
                                                                    std::memory_order_relaxed)) {
        object.release();
        return;
      }
    }
  }

  std::array<Slot, kSlots> slots_;
};

}  // namespace segue
