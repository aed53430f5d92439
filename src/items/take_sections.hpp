#pragma once
// Takes the sections of a file one after the other, as buffers that borrow them, and keeps the first error.

#include <string_view>

#include "file/file_reader.hpp"
#include "segue/core/buffer.hpp"

namespace segue {

class TakeSections {
 public:
  explicit TakeSections(const FileReader& file) : file_(file) {}

  template <class T>
  Buffer<T> take(std::string_view name) {
    return keep(file_.section<T>(name));
  }
  template <class T>
  Buffer<T> take(std::string_view name, std::size_t rows, std::size_t columns = 1) {
    return keep(file_.section<T>(name, rows, columns));
  }
  // Empty, or one a slot.
  template <class T>
  Buffer<T> take_optional(std::string_view name, std::size_t count) {
    Buffer<T> all = take<T>(name);
    if (!all.empty() && all.size() != count) fail(name, "it has another size than the index");
    return all;
  }
  void fail(std::string_view name, std::string_view what) {
    if (status_.ok()) status_ = file_.corrupt_section(name, what);
  }
  const FileReader& file() const noexcept { return file_; }
  const Status& status() const noexcept { return status_; }

 private:
  template <class T>
  Buffer<T> keep(const Result<std::span<T>>& section) {
    if (section.ok()) return Buffer<T>(*section, file_.lend(std::as_bytes(*section)));
    if (status_.ok()) status_ = section.status();
    return {};
  }

  const FileReader& file_;
  Status status_;
};

}  // namespace segue
