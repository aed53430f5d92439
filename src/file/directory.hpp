#pragma once
// What a directory of files needs beyond its files: to be made, listed, synced, and locked.

#include <string>
#include <vector>

#include "file/system_calls.hpp"
#include "segue/status.hpp"

namespace segue {

// A directory whose parent is there; it is no error that it is there itself. Durable once its parent is synced, which
// this does.
Status make_directory(const std::string& path);
// The names in it, in no order, without "." and "..". kNotFound: no such directory.
Result<std::vector<std::string>> list_directory(const std::string& path);
// Names that came and went survive a power cut.
Status sync_directory(const std::string& path);
// It is no error that there is none of that name.
Status remove_file(const std::string& path);

// A file that one process, and one place in it, holds at a time. The system lets go of it however the process ends.
class LockFile {
 public:
  // The file is made where it is not there, and then says who holds it. kAlreadyExists: somebody else does; the message
  // says who.
  static Result<LockFile> acquire(const std::string& path);

  void release() noexcept { fd_.close(); }

 private:
  explicit LockFile(FileDescriptor fd) : fd_(std::move(fd)) {}
  FileDescriptor fd_;
};

}  // namespace segue
