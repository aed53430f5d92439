#pragma once
// FilePlan: where everything lies in a file to be, and what header, table and footer say.
//
// start(), add_section() in the order of the file, the checksums of the sections into the table, finish().

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "file/layout.hpp"
#include "segue/status.hpp"

namespace segue {

struct FilePlan {
  layout::Header header = {};
  std::vector<layout::SectionEntry> table;
  layout::Footer footer = {};

  // kInvalidArgument, here and below: what the format does not take.
  Status start(const FileIdentity& identity, std::size_t sections);
  // Its checksum is still missing then.
  Status add_section(std::string_view name, std::size_t element_size, std::uint64_t bytes);
  // All sections were added and summed.
  Status finish();
};

}  // namespace segue
