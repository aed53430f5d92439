#include "file/scratch_file.hpp"

#include <fcntl.h>

#include <cerrno>

#include "file/new_file.hpp"

namespace segue {

Result<ScratchFile> ScratchFile::create(const std::string& beside) {
  const std::string folder = folder_of(beside);
  std::string name;
  FileDescriptor fd = open_new_file(folder, O_RDWR, name);
  if (!fd.open()) return system_error(beside, "open of a scratch file in '" + folder + "'", errno, "nothing was changed");
  if (system_calls().unlink(name.c_str()) != 0) {
    return system_error(beside, "unlink of the scratch file '" + name + "'", errno, "nothing was changed");
  }
  return ScratchFile(beside, std::move(fd));
}

Status ScratchFile::append(std::span<const std::byte> bytes) {
  const int error = write_whole(fd_.get(), bytes, size_);
  if (error != 0) return failed("pwrite", error);
  size_ += bytes.size();
  return {};
}

Status ScratchFile::read(std::uint64_t offset, std::span<std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t got = retry_interrupted([&] {
      return system_calls().pread(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    });
    if (got <= 0) return failed("pread", got < 0 ? errno : EIO);
    offset += static_cast<std::uint64_t>(got);
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
  return {};
}

Result<std::shared_ptr<FileMemory>> ScratchFile::map() const {
  Result<std::shared_ptr<FileMemory>> memory = FileMemory::map(fd_.get(), size_, beside_, FileMemory::Pages::kReadOnly);
  if (memory.ok() && *memory == nullptr) return failed("mmap", ENODEV);
  return memory;
}

Status ScratchFile::failed(std::string_view call, int error) const {
  std::string advice = "nothing was changed";
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
    advice = "'" + folder_of(beside_) + "' has to hold what is put aside while building, " + std::to_string(size_) +
             " bytes so far, beside the file; " + advice;
  }
  return system_error(beside_, std::string(call) + " of a scratch file", error, advice);
}

}  // namespace segue
