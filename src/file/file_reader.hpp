#pragma once
// FileReader: a Segue file opened, checked, and its sections in place.
//
//   Result<FileReader> file = FileReader::open(path, /*use_mmap=*/true, /*verify=*/true);
//   if (!file.ok()) return file.status();
//   Result<std::span<float>> vectors = file->section<float>("vectors", n, dim);
//   keep(file->memory());   // the spans live as long as this
//
// open() without verify reads header, table and footer and costs microseconds whatever the size. With verify it sums
// every section at memory speed and checks that everything between them is zero: no byte can change unnoticed.
// Spans are 64-byte aligned and writable (where memory is limited only after allow_writes()); writing never reaches the
// file. Copies share the memory; reading is thread-safe.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "file/layout.hpp"
#include "file/parse.hpp"
#include "segue/status.hpp"

namespace segue {

class FileMemory;

class FileReader {
 public:
  // kNotFound: no such file. kIoError: a folder, a device, no permission, a read that failed. kCorruptFile: not a whole
  // Segue file. kOutOfMemory: no room for a copy (without mmap). Where a file system cannot map, the file is read.
  static Result<FileReader> open(const std::string& path, bool use_mmap, bool verify);
  // From a copy of `bytes`.
  static Result<FileReader> from_bytes(std::span<const unsigned char> bytes, bool verify);

  const FileIdentity& identity() const noexcept { return file_->identity; }
  const ParsedFile& parsed() const noexcept { return *file_; }
  // "'<path>'", to start messages with.
  const std::string& name() const noexcept { return name_; }

  bool has(std::string_view name) const noexcept;

  // The elements of a section. kCorruptFile names it when it is missing or its elements have another size.
  template <class T>
  Result<std::span<T>> section(std::string_view name) const {
    return typed<T>(raw(name, sizeof(T), kAny));
  }
  // It must hold exactly `count` elements.
  template <class T>
  Result<std::span<T>> section(std::string_view name, std::size_t count) const {
    return typed<T>(raw(name, sizeof(T), count));
  }
  // It must hold exactly rows x columns elements; the product may not fit 64 bits.
  template <class T>
  Result<std::span<T>> section(std::string_view name, std::size_t rows, std::size_t columns) const {
    const bool fits = columns == 0 || rows <= (kAny - 1) / columns;
    return typed<T>(raw(name, sizeof(T), fits ? rows * columns : kAny - 1));
  }

  // What keeps the spans valid.
  std::shared_ptr<void> memory() const noexcept;
  // The same for one of them, or a part of one, that one array takes for itself alone: its pages go when that lets go.
  std::shared_ptr<void> lend(std::span<const std::byte> part) const noexcept;
  const std::shared_ptr<FileMemory>& file_memory() const noexcept { return memory_; }
  // Before anything is written to a section. kOutOfMemory where a limit has no room for copies of all its pages.
  bool writable() const noexcept;
  Status allow_writes() const;
  // kCorruptFile about a section, in the words that this class uses, for what only its user can check:
  // "'<path>': section 'links': link 17 of vertex 3 points to no vertex".
  Status corrupt_section(std::string_view name, std::string_view what) const;
  // All checksums, and all zeros between sections. open() has done it when `verify` was set.
  Status verify() const;

 private:
  static constexpr std::size_t kAny = std::numeric_limits<std::size_t>::max();

  struct Raw {
    std::byte* data;
    std::size_t count;
  };

  FileReader(std::string name, std::shared_ptr<const ParsedFile> file, std::shared_ptr<FileMemory> memory);
  Result<Raw> raw(std::string_view name, std::size_t element_size, std::size_t count) const;

  template <class T>
  static Result<std::span<T>> typed(const Result<Raw>& raw) {
    static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= layout::kAlignment);
    if (!raw.ok()) return raw.status();
    return std::span<T>(reinterpret_cast<T*>(raw->data), raw->count);
  }

  std::string name_;
  std::shared_ptr<const ParsedFile> file_;
  std::shared_ptr<FileMemory> memory_;
};

}  // namespace segue
