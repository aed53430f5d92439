#pragma once
// AtomicFile: a file that appears under its name whole, or not at all.
//
//   Result<AtomicFile> file = AtomicFile::create(path, bytes_to_come);
//   SEGUE_RETURN_IF_ERROR(file->append(bytes));
//   SEGUE_RETURN_IF_ERROR(file->commit());
//
// The bytes go to a new file beside the target, which commit() syncs and renames; then it syncs the folder, so that the
// name survives a power cut too. Whatever fails before the rename leaves the target as it was and removes the new file.
// One thread at a time; several AtomicFiles of one path may run at once, the last commit wins.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "file/system_calls.hpp"
#include "segue/status.hpp"

namespace segue {

class AtomicFile {
 public:
  // `bytes_to_come` serves messages about a full disk. Follows symbolic links. Refuses a target that is there and is no
  // regular file: renaming over a device would replace it.
  static Result<AtomicFile> create(const std::string& path, std::uint64_t bytes_to_come);

  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  // Without commit(): removes what was written.
  ~AtomicFile();

  // Small pieces are gathered into writes of a mebibyte.
  Status append(std::span<const std::byte> bytes);
  // Somewhere in the file; what is never written in front of it is zero. Not together with append().
  Status write_at(std::uint64_t offset, std::span<const std::byte> bytes);
  // After it, nothing more may be written.
  Status commit();

 private:
  AtomicFile(std::string path, std::string target, std::string temporary, FileDescriptor fd,
             std::uint64_t bytes_to_come);
  Status flush();
  Status write_all(std::span<const std::byte> bytes);
  Status failed(std::string_view call, int error) const;

  std::string path_;       // as given, for messages
  std::string target_;     // where its links lead
  std::string temporary_;  // empty once it is renamed or removed
  FileDescriptor fd_;
  std::uint64_t bytes_to_come_;
  std::vector<std::byte> buffer_;
};

}  // namespace segue
