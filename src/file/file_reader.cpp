#include "file/file_reader.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "file/checksum.hpp"
#include "file/file_memory.hpp"
#include "file/source.hpp"

namespace segue {
namespace {

std::string hexadecimal(std::uint64_t value) {
  char text[17];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(value));
  return text;
}

bool all_zero(std::span<const std::byte> bytes) noexcept {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

FileReader::FileReader(std::string name, std::shared_ptr<const ParsedFile> file, std::shared_ptr<FileMemory> memory)
    : name_(std::move(name)), file_(std::move(file)), memory_(std::move(memory)) {}

Result<FileReader> FileReader::open(const std::string& path, bool use_mmap, bool verify) {
  Result<FileSource> source = FileSource::open(path);
  if (!source.ok()) return source.status();
  // Parsed from a copy that no other process can change under the checks.
  Result<ParsedFile> parsed = parse_file(*source);
  if (!parsed.ok()) return parsed.status();

  Result<std::shared_ptr<FileMemory>> memory(std::shared_ptr<FileMemory>{});
  if (use_mmap) memory = FileMemory::map(source->fd(), source->size(), path);
  if (memory.ok() && *memory == nullptr) memory = FileMemory::read(*source);
  if (!memory.ok()) return memory.status();

  FileReader reader(source->name(), std::make_shared<const ParsedFile>(std::move(*parsed)), std::move(*memory));
  if (verify) SEGUE_RETURN_IF_ERROR(reader.verify());
  return reader;
}

Result<FileReader> FileReader::from_bytes(std::span<const unsigned char> bytes, bool verify) {
  const MemorySource source(std::as_bytes(bytes));
  Result<ParsedFile> parsed = parse_file(source);
  if (!parsed.ok()) return parsed.status();
  Result<std::shared_ptr<FileMemory>> memory = FileMemory::read(source);
  if (!memory.ok()) return memory.status();
  FileReader reader(source.name(), std::make_shared<const ParsedFile>(std::move(*parsed)), std::move(*memory));
  if (verify) SEGUE_RETURN_IF_ERROR(reader.verify());
  return reader;
}

bool FileReader::has(std::string_view name) const noexcept {
  return std::any_of(file_->sections.begin(), file_->sections.end(),
                     [&](const ParsedSection& section) { return section.name == name; });
}

std::shared_ptr<void> FileReader::memory() const noexcept { return memory_; }

std::shared_ptr<void> FileReader::lend(std::span<const std::byte> part) const noexcept {
  return FileMemory::lend(memory_, part);
}

bool FileReader::writable() const noexcept { return memory_->writable(); }

Status FileReader::allow_writes() const {
  const int error = memory_->make_writable();
  if (error == 0) return {};
  if (error != ENOMEM) return io_error(name_ + ": mprotect failed (errno " + std::to_string(error) + ")");
  return out_of_memory(name_ + ": changing an index may copy any of its " + std::to_string(memory_->size()) +
                       " bytes, for which this process's limit (ulimit -d, or strict overcommit) has no room; it can "
                       "be searched, not changed");
}

Status FileReader::corrupt_section(std::string_view name, std::string_view what) const {
  return corrupt(name_, "section '" + std::string(name) + "': " + std::string(what));
}

Result<FileReader::Raw> FileReader::raw(std::string_view name, std::size_t element_size, std::size_t count) const {
  const auto found = std::find_if(file_->sections.begin(), file_->sections.end(),
                                  [&](const ParsedSection& section) { return section.name == name; });
  if (found == file_->sections.end()) return corrupt_section(name, "is missing");
  if (found->element_size != element_size) {
    return corrupt_section(name, "elements of " + std::to_string(found->element_size) + " bytes, expected " +
                                     std::to_string(element_size));
  }
  const std::uint64_t there = found->bytes / element_size;
  if (count != kAny && there != count) {
    return corrupt_section(name, std::to_string(there) + " elements, expected " + std::to_string(count));
  }
  return Raw{memory_->data() + found->offset, static_cast<std::size_t>(there)};
}

Status FileReader::verify() const {
  memory_->expect_sequential_use();
  const auto bytes_at = [&](std::uint64_t begin, std::uint64_t end) {
    return std::span<const std::byte>(memory_->data() + begin, static_cast<std::size_t>(end - begin));
  };
  const std::uint64_t footer = file_->bytes - sizeof(layout::Footer);
  std::uint64_t end = sizeof(layout::Header) + file_->sections.size() * sizeof(layout::SectionEntry);
  Status status;
  for (const ParsedSection& section : file_->sections) {
    if (!all_zero(bytes_at(end, section.offset))) {
      status = corrupt_section(section.name, "the padding before it is not zero; the file is damaged, copy it again");
      break;
    }
    end = section.offset + section.bytes;
    const std::uint64_t sum = checksum_of(bytes_at(section.offset, end));
    if (sum != section.checksum) {
      status = corrupt_section(section.name, "checksum " + hexadecimal(sum) + ", expected " +
                                                 hexadecimal(section.checksum) + " (bytes " +
                                                 std::to_string(section.offset) + " to " + std::to_string(end) +
                                                 "); the file is damaged, copy it again or rebuild the index");
      break;
    }
  }
  if (status.ok() && !all_zero(bytes_at(end, footer))) {
    status = corrupt(name_, "footer: the padding before it is not zero; the file is damaged, copy it again");
  }
  memory_->expect_random_use();
  return status;
}

}  // namespace segue
