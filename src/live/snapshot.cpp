#include "live/snapshot.hpp"

#include <array>
#include <cstring>
#include <new>
#include <utility>

#include "file/file_reader.hpp"
#include "file/parse.hpp"
#include "live/live_names.hpp"
#include "segue/file.hpp"

namespace segue {
namespace {

constexpr const char* kSection = "live";
constexpr std::size_t kPage = 4096;
constexpr std::size_t kAlignment = 64;

}  // namespace

Status SectionCopy::reserve(std::uint64_t bytes) {
  memory_ = {};
  try {
    memory_.resize(static_cast<std::size_t>(bytes));
  } catch (const std::bad_alloc&) {
    return out_of_memory("no memory for a copy of " + std::to_string(bytes) + " bytes");
  }
  for (std::size_t at = 0; at < memory_.size(); at += kPage) memory_[at] = std::byte{0};
  return {};
}

Status SectionCopy::take(const FileIdentity& identity, std::span<const SectionToWrite> sections) {
  identity_ = identity;
  sections_.clear();
  std::size_t end = 0;
  for (const SectionToWrite& section : sections) {
    std::size_t bytes = section.bytes.size();
    for (const std::span<const std::byte> piece : section.pieces) bytes += piece.size();
    sections_.push_back({std::string(section.name), section.element_size, end, bytes});
    end += (bytes + kAlignment - 1) / kAlignment * kAlignment;
  }
  if (end > memory_.size()) SEGUE_RETURN_IF_ERROR(reserve(end));
  for (std::size_t i = 0; i < sections.size(); ++i) {
    std::byte* out = memory_.data() + sections_[i].offset;
    const auto append = [&](std::span<const std::byte> bytes) {
      if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
      out += bytes.size();
    };
    append(sections[i].bytes);
    for (const std::span<const std::byte> piece : sections[i].pieces) append(piece);
  }
  return {};
}

std::vector<SectionToWrite> SectionCopy::sections() const {
  std::vector<SectionToWrite> all;
  for (const Section& section : sections_) {
    const std::span<const std::byte> bytes(memory_.data() + section.offset, section.bytes);
    all.push_back({section.name, section.element_size, bytes, {}});
  }
  return all;
}

Result<std::uint64_t> write_snapshot(const std::string& directory, const SnapshotName& name, const FileIdentity& identity,
                                     std::span<const SectionToWrite> sections) {
  const std::array<std::uint64_t, 2> live = {name.identity, name.sequence};
  std::vector<SectionToWrite> all;
  std::uint64_t bytes = 0;
  for (const SectionToWrite& section : sections) {
    if (section.name == kSection) continue;  // of the directory that the index was loaded from
    all.push_back(section);
    bytes += section.bytes.size();
    for (const std::span<const std::byte> piece : section.pieces) bytes += piece.size();
  }
  all.push_back(make_section<std::uint64_t>(kSection, live));
  SEGUE_RETURN_IF_ERROR(write_file(snapshot_path(directory, name.sequence), identity, all));
  return bytes;
}

std::vector<SectionToWrite> without_catalog(std::span<const SectionToWrite> sections) {
  std::vector<SectionToWrite> left;
  for (const SectionToWrite& section : sections) {
    if (section.name != "cat" && !section.name.starts_with("cat_")) left.push_back(section);
  }
  return left;
}

Result<LoadedSnapshot> load_snapshot(const std::string& directory, std::uint64_t sequence, bool mmap) {
  const std::string path = snapshot_path(directory, sequence);
  LoadedSnapshot loaded;
  {
    const Result<FileReader> file = FileReader::open(path, true, false);
    if (!file.ok()) return file.status();
    const Result<std::span<std::uint64_t>> live = file->section<std::uint64_t>(kSection, 2);
    if (!live.ok()) return live.status();
    loaded.name = {(*live)[0], (*live)[1]};
    loaded.bytes = file->parsed().bytes;
    if (loaded.name.sequence != sequence) {
      return file->corrupt_section(kSection, "holds the changes up to " + std::to_string(loaded.name.sequence) +
                                                 ", its name says " + std::to_string(sequence) +
                                                 "; the file was renamed or copied over another");
    }
  }
  Result<std::unique_ptr<Index>> index = load(path, {.mmap = mmap, .verify = true});
  if (!index.ok()) return index.status();
  loaded.index = std::move(index).value();
  return loaded;
}

}  // namespace segue
