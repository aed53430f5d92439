#pragma once
// A small file with sections of awkward sizes, for the tests of this folder.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "file/file_writer.hpp"

namespace segue::test {

struct ExampleFile {
  FileIdentity identity{"example", Metric::kCosine, Storage::kSq8, Storage::kF32, 17, 23};
  std::vector<float> vectors;
  std::vector<std::int64_t> ids;
  std::vector<unsigned char> odd;  // a length that needs padding
  std::vector<std::uint32_t> links;

  ExampleFile() {
    for (int i = 0; i < 23 * 17; ++i) vectors.push_back(0.25f * static_cast<float>(i) - 40.0f);
    for (int i = 0; i < 23; ++i) ids.push_back(std::int64_t{1} << i);
    for (int i = 0; i < 77; ++i) odd.push_back(static_cast<unsigned char>(255 - i));
    for (std::uint32_t i = 0; i < 16; ++i) links.push_back(i * i);  // exactly one line of 64 bytes
  }

  // `odd` comes in pieces, some of them empty.
  std::vector<SectionToWrite> sections() const {
    std::vector<SectionToWrite> all = {
        make_section<float>("vectors", vectors), make_section<std::int64_t>("ids", ids),
        make_section<std::uint32_t>("empty", {}), {"odd", 1, {}, {}}, make_section<std::uint32_t>("links", links)};
    const std::span<const std::byte> bytes = std::as_bytes(std::span(odd));
    all[3].bytes = bytes.first(10);
    all[3].pieces = {bytes.subspan(10, 0), bytes.subspan(10, 66), bytes.subspan(76, 1), {}};
    return all;
  }

  std::vector<unsigned char> bytes() const { return write_bytes(identity, sections()).value(); }
};

}  // namespace segue::test
