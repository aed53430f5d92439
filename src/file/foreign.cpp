#include "file/foreign.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "file/layout.hpp"

namespace segue {
namespace {

using namespace std::string_view_literals;

struct Known {
  std::string_view start;
  std::string_view what;
};

constexpr std::string_view kFaiss = "an index of FAISS, which faiss::read_index opens";

constexpr Known kKnown[] = {
    {"version https://git-lfs.github.com/spec/v1"sv,
     "a git-lfs pointer, not the file itself; fetch it with `git lfs pull`"},
    {"\x93NUMPY"sv, "a numpy array (.npy); load it with numpy and build an index from it"},
    {"PK\x03\x04"sv, "a zip archive (.npz, .zip or a torch checkpoint)"},
    {"PAR1"sv, "a Parquet table"},
    {"ARROW1"sv, "an Arrow file"},
    {"\x89HDF\r\n\x1a\n"sv, "an HDF5 file"},
    {"\x1f\x8b"sv, "compressed with gzip; decompress it first"},
    {"\x28\xb5\x2f\xfd"sv, "compressed with zstd; decompress it first"},
    {"\xfd"
     "7zXZ\0"sv,
     "compressed with xz; decompress it first"},
    {"\x04\x22\x4d\x18"sv, "compressed with lz4; decompress it first"},
    {"SQLite format 3\0"sv, "an SQLite database"},
    {"\x80\x02"sv, "a Python pickle"},
    {"\x80\x03"sv, "a Python pickle"},
    {"\x80\x04"sv, "a Python pickle"},
    {"\x80\x05"sv, "a Python pickle"},
    {"<!DOCTYPE"sv, "an HTML page, perhaps the answer to a failed download"},
    {"<!doctype"sv, "an HTML page, perhaps the answer to a failed download"},
    {"<html"sv, "an HTML page, perhaps the answer to a failed download"},
    {"<?xml"sv, "an XML text, perhaps the answer to a failed download"},
    {"IxFI"sv, kFaiss},
    {"IxF2"sv, kFaiss},
    {"IxFl"sv, kFaiss},
    {"IxPT"sv, kFaiss},
    {"IxMp"sv, kFaiss},
    {"IxM2"sv, kFaiss},
    {"IxPq"sv, kFaiss},
    {"IxSQ"sv, kFaiss},
    {"IxRF"sv, kFaiss},
    {"IwFl"sv, kFaiss},
    {"IwPQ"sv, kFaiss},
    {"IwSq"sv, kFaiss},
    {"IwPf"sv, kFaiss},
    {"IHNf"sv, kFaiss},
    {"IHNp"sv, kFaiss},
    {"IHNs"sv, kFaiss},
    {"INSf"sv, kFaiss},
};

// hnswlib writes no magic, but its first fields depend on each other: offsetLevel0_ = 0, max_elements_,
// cur_element_count <= max_elements_, size_data_per_element_, label_offset_ (8 bytes before the end of an element),
// offsetData_ before that.
bool looks_like_hnswlib(std::span<const std::byte> start) noexcept {
  std::uint64_t field[6];
  if (start.size() < sizeof(field)) return false;
  std::memcpy(field, start.data(), sizeof(field));
  return field[0] == 0 && field[2] <= field[1] && field[3] < (1u << 24) && field[4] + 8 == field[3] &&
         field[5] < field[4] && field[5] > 0;
}

}  // namespace

std::string describe_foreign(std::span<const std::byte> start, std::uint64_t file_bytes) {
  start = start.first(std::min<std::size_t>(start.size(), 128));
  const std::string_view text(reinterpret_cast<const char*>(start.data()), start.size());
  if (text.starts_with(std::string_view(layout::kMagic, 6))) {
    return "a Segue file damaged in its first line: it was transferred as text; copy it again in binary mode";
  }
  for (const Known& known : kKnown) {
    if (text.starts_with(known.start)) return std::string(known.what);
  }
  if (looks_like_hnswlib(start)) return "an index of hnswlib; load it there and add its vectors to a Segue index";
  if (std::all_of(start.begin(), start.end(), [](std::byte b) { return b == std::byte{0}; })) {
    return "zeros, as a crash or a failed copy may leave";
  }
  if (file_bytes < layout::kSmallestFile) return "something of " + std::to_string(file_bytes) + " bytes";
  return "of a kind that is not known here";
}

}  // namespace segue
