#pragma once
// Buffer<T>: the array under every store. Owned and growable, or borrowed from a mapped file until it must grow.
//
// Growth is geometric and keeps what was there; memory that was reserved but never touched is not resident. Large
// buffers ask for huge pages: a walk reads rows at random, and with 4 KiB pages every read misses the TLB as well.
// New elements are zero. Writing to a borrowed buffer is fine (the mapping is private); growing one copies it.
// Not thread-safe, like std::vector. Throws std::bad_alloc; public calls turn that into kOutOfMemory.

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

namespace segue {

// Anonymous memory, 64-byte aligned and zeroed. Blocks from 2 MiB on are aligned to huge pages.
void* allocate_pages(std::size_t bytes);
void free_pages(void* memory, std::size_t bytes) noexcept;
// Moves the block to a new size; pages are remapped rather than copied where the system can.
void* reallocate_pages(void* memory, std::size_t old_bytes, std::size_t new_bytes);
// Whether blocks of that size are moved by their pages, in microseconds.
bool moves_by_pages(std::size_t bytes) noexcept;

template <class T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Buffer() noexcept = default;
  explicit Buffer(std::size_t size) { resize(size); }
  // Borrows `elements`, which `memory` keeps alive.
  Buffer(std::span<T> elements, std::shared_ptr<void> memory) noexcept
      : data_(elements.data()), size_(elements.size()), capacity_(elements.size()), lender_(std::move(memory)) {}

  Buffer(const Buffer& other) { assign(other.span()); }
  Buffer& operator=(const Buffer& other) {
    if (this != &other) { Buffer copy(other); swap(copy); }
    return *this;
  }
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    Buffer taken(std::move(other));
    swap(taken);
    return *this;
  }
  ~Buffer() { release(); }

  T* data() noexcept { return data_; }
  const T* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  std::size_t capacity() const noexcept { return capacity_; }
  bool empty() const noexcept { return size_ == 0; }
  T& operator[](std::size_t i) noexcept { return data_[i]; }
  const T& operator[](std::size_t i) const noexcept { return data_[i]; }
  T& back() noexcept { return data_[size_ - 1]; }
  const T* begin() const noexcept { return data_; }
  const T* end() const noexcept { return data_ + size_; }
  std::span<const T> span() const noexcept { return {data_, size_}; }
  std::size_t memory_usage() const noexcept { return capacity_ * sizeof(T); }

  // Room for at least `wanted` elements, exactly that if it is the first; then by halves.
  void reserve(std::size_t wanted) {
    if (wanted > capacity_) grow(grown(wanted));
  }
  // The same for a buffer that is being read: publish(piece) runs a short piece while nobody reads. What has to be copied is
  // copied before.
  template <class Publish>
  void reserve(std::size_t wanted, const Publish& publish) {
    if (wanted <= capacity_) return;
    if (lender_ == nullptr && moves_by_pages(capacity_ * sizeof(T))) return publish([&] { grow(grown(wanted)); });
    Buffer fresh;
    fresh.grow(grown(wanted));
    if (size_ != 0) std::memcpy(static_cast<void*>(fresh.data_), data_, size_ * sizeof(T));
    fresh.size_ = size_;
    publish([&] { swap(fresh); });
  }
  void resize(std::size_t size) {
    reserve(size);
    if (size < size_) std::memset(static_cast<void*>(data_ + size), 0, (size_ - size) * sizeof(T));
    size_ = size;
  }
  void resize(std::size_t size, T fill) {
    const std::size_t before = size_;
    resize(size);
    if (size > before) std::fill(data_ + before, data_ + size, fill);
  }
  void push_back(T value) {
    reserve(size_ + 1);
    data_[size_++] = value;
  }
  T pop_back() noexcept {
    const T value = data_[--size_];
    std::memset(static_cast<void*>(data_ + size_), 0, sizeof(T));
    return value;
  }
  void clear() { resize(0); }
  void assign(std::span<const T> elements) {
    clear();
    resize(elements.size());
    if (!elements.empty()) std::memcpy(static_cast<void*>(data_), elements.data(), elements.size_bytes());
  }
  void swap(Buffer& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    lender_.swap(other.lender_);
  }

 private:
  std::size_t grown(std::size_t wanted) const noexcept {
    return capacity_ == 0 ? wanted : std::max(wanted, capacity_ + capacity_ / 2);
  }
  void grow(std::size_t capacity) {
    if (lender_ != nullptr || data_ == nullptr) {
      void* fresh = allocate_pages(capacity * sizeof(T));
      if (size_ != 0) std::memcpy(fresh, data_, size_ * sizeof(T));
      lender_.reset();
      data_ = static_cast<T*>(fresh);
    } else {
      data_ = static_cast<T*>(reallocate_pages(data_, capacity_ * sizeof(T), capacity * sizeof(T)));
    }
    capacity_ = capacity;
  }
  void release() noexcept {
    if (data_ != nullptr && lender_ == nullptr) free_pages(data_, capacity_ * sizeof(T));
  }

  T* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  std::shared_ptr<void> lender_;
};

}  // namespace segue
