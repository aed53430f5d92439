#pragma once
// Snapshots: the file of an index with one section more, "live", which says whose it is and which changes it holds.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "file/file_writer.hpp"
#include "segue/catalog.hpp"
#include "segue/core/buffer.hpp"
#include "segue/index.hpp"
#include "segue/status.hpp"

namespace segue {

// All sections of an index as they were at one moment, in memory; to be written later.
class SectionCopy {
 public:
  // Memory for so many bytes, its pages in place, so that take() has only to copy. kOutOfMemory.
  Status reserve(std::uint64_t bytes);
  Status take(const FileIdentity& identity, std::span<const SectionToWrite> sections);
  // Nothing was taken.
  bool empty() const noexcept { return sections_.empty(); }
  const FileIdentity& identity() const noexcept { return identity_; }
  // Borrowed from this.
  std::vector<SectionToWrite> sections() const;

 private:
  struct Section {
    std::string name;
    std::size_t element_size;
    std::size_t offset;
    std::size_t bytes;
  };

  // Pages of its own, which go back to the system: what a heap gets back, here as much as the index has, it keeps for this
  // thread, and from then on takes blocks of that size from itself.
  Buffer<std::byte> memory_;
  FileIdentity identity_;
  std::vector<Section> sections_;
};

struct SnapshotName {
  std::uint64_t identity = 0;
  std::uint64_t sequence = 0;
};

// Durable once this returns ok. The bytes that it took.
Result<std::uint64_t> write_snapshot(const std::string& directory, const SnapshotName& name, const FileIdentity& identity,
                                     std::span<const SectionToWrite> sections);
// What an index's file has, with that catalog in place of its own; null: none.
std::vector<SectionToWrite> without_catalog(std::span<const SectionToWrite> sections);

struct LoadedSnapshot {
  std::unique_ptr<Index> index;
  SnapshotName name;
  std::uint64_t bytes = 0;
};
// Every byte is checked. kCorruptFile: it is damaged, or not the snapshot that its name says.
Result<LoadedSnapshot> load_snapshot(const std::string& directory, std::uint64_t sequence, bool mmap);

}  // namespace segue
