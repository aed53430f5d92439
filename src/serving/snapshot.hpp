#pragma once
// The body of a ServingSnapshot, and the order in which it comes apart.

#include <any>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "file/file_memory.hpp"
#include "segue/serving.hpp"

namespace segue {

class ServingSnapshotBody final : public ServingSnapshot {
 public:
  ~ServingSnapshotBody() override { release(); }
  ServingSnapshotBody() = default;

  const Index& index() const noexcept override { return *index_; }
  std::uint64_t generation() const noexcept override { return generation_; }
  const std::string& path() const noexcept override { return path_; }
  std::chrono::system_clock::time_point loaded_at() const noexcept override { return loaded_at_; }
  const std::any& anything_prepared() const noexcept override { return prepared_; }

  std::shared_ptr<const Index> index_;
  std::any prepared_;
  std::shared_ptr<FileMemory> memory_;  // of a mapped file, beside what the index holds of it
  std::string path_;
  std::uint64_t generation_ = 0;
  std::chrono::system_clock::time_point loaded_at_;
  ServingSnapshotBody* next_ = nullptr;  // of those that wait for the reaper

 private:
  // Pages go a megabyte at a time: unmapping gigabytes in one call holds the lock of the address space, for which a
  // query that maps or unmaps memory (malloc does, for large arrays) would wait; and the pauses let queries have the core.
  void release() noexcept;
};

}  // namespace segue
