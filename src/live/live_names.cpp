#include "live/live_names.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "file/directory.hpp"

namespace segue {
namespace {

constexpr std::string_view kLock = "LOCK";
constexpr std::string_view kSnapshot = "snapshot-";
constexpr std::string_view kSnapshotEnd = ".segue";
constexpr std::string_view kSegment = "journal-";
constexpr std::string_view kSegmentEnd = ".log";
constexpr std::size_t kDigits = 20;

std::string name_of(std::string_view start, std::uint64_t number, std::string_view end) {
  char digits[kDigits + 1];
  std::snprintf(digits, sizeof(digits), "%020llu", static_cast<unsigned long long>(number));
  return std::string(start) + digits + std::string(end);
}

std::optional<std::uint64_t> number_of(std::string_view name, std::string_view start, std::string_view end) {
  if (name.size() != start.size() + kDigits + end.size() || !name.starts_with(start) || !name.ends_with(end)) return {};
  const std::string_view digits = name.substr(start.size(), kDigits);
  std::uint64_t number = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || stop != digits.data() + digits.size()) return {};
  return number;
}

}  // namespace

std::string snapshot_path(const std::string& directory, std::uint64_t sequence) {
  return directory + "/" + name_of(kSnapshot, sequence, kSnapshotEnd);
}

std::string segment_path(const std::string& directory, std::uint64_t first_sequence) {
  return directory + "/" + name_of(kSegment, first_sequence, kSegmentEnd);
}

std::string lock_path(const std::string& directory) { return directory + "/" + std::string(kLock); }

Result<LiveFiles> list_live_files(const std::string& directory) {
  Result<std::vector<std::string>> names = list_directory(directory);
  if (!names.ok()) return names.status();
  LiveFiles files;
  for (std::string& name : *names) {
    if (const auto snapshot = number_of(name, kSnapshot, kSnapshotEnd)) {
      files.snapshots.push_back(*snapshot);
    } else if (const auto segment = number_of(name, kSegment, kSegmentEnd)) {
      files.segments.push_back(*segment);
    } else if (name.starts_with(".segue-") && name.ends_with(".tmp")) {
      files.temporary.push_back(std::move(name));
    } else if (name != kLock) {
      files.others.push_back(std::move(name));
    }
  }
  std::sort(files.snapshots.begin(), files.snapshots.end());
  std::sort(files.segments.begin(), files.segments.end());
  std::sort(files.others.begin(), files.others.end());
  return files;
}

}  // namespace segue
