#pragma once
// FileAssembler: a Segue file whose sections come in pieces, several at a time, and never are in memory as a whole.
//
//   Result<FileAssembler> file = FileAssembler::create(path, identity, 2);
//   const Result<std::size_t> ids = file->add_section("ids", 8, 8 * n);   // in the order in which they lie
//   SEGUE_RETURN_IF_ERROR(file->append(*ids, piece));                     // each from its front to its back
//   ...
//   SEGUE_RETURN_IF_ERROR(file->commit());
//
// The same bytes as write_file makes of the same sections, and the same promises: the path holds its old content or all of
// the new. A section's place depends on the sizes of those before it alone, so it can be filled before later ones are
// known. Header and table are written last. One thread at a time.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "file/atomic_file.hpp"
#include "file/checksum.hpp"
#include "file/file_plan.hpp"

namespace segue {

class FileAssembler {
 public:
  // Errors as those of write_file. `bytes_to_come` serves messages about a full disk.
  static Result<FileAssembler> create(const std::string& path, const FileIdentity& identity, std::size_t sections,
                                      std::uint64_t bytes_to_come);

  Result<std::size_t> add_section(std::string_view name, std::size_t element_size, std::uint64_t bytes);
  Status append(std::size_t section, std::span<const std::byte> bytes);
  // A whole section at once.
  template <class T>
  Status add(std::string_view name, std::span<const T> elements) {
    static_assert(std::is_trivially_copyable_v<T>);
    const Result<std::size_t> section = add_section(name, sizeof(T), elements.size_bytes());
    if (!section.ok()) return section.status();
    return append(*section, std::as_bytes(elements));
  }
  // All sections are there, and full.
  Status commit();

 private:
  struct Filled {
    Checksum sum;
    std::uint64_t bytes = 0;
  };

  FileAssembler(AtomicFile file, FilePlan plan) : file_(std::move(file)), plan_(std::move(plan)) {}

  AtomicFile file_;
  FilePlan plan_;
  std::vector<Filled> filled_;
};

}  // namespace segue
