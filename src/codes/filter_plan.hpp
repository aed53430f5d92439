#pragma once
// FilterPlan: a filter as one index of coded rows sees it.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "codes/coded_matches.hpp"
#include "codes/filter_marks.hpp"
#include "codes/packed_rows.hpp"

namespace segue {

struct FilterPlan {
  FilterMarks marks;
  std::vector<std::uint32_t> slots = {};   // all that it lets through, where they are so few that a scan would cost more
  std::vector<unsigned char> barred = {};  // lists: 1 where there is nothing that it lets through, else 0
  std::size_t open_lists = 0;              // how many are not barred
  std::shared_ptr<const PackedRows> packed = {};  // what it lets through of each list; null: not yet, or not worth it
  std::shared_ptr<const CodedMatches> coded = {};  // all that it lets through, to be scanned instead; null: as above
  ChangeLog::Moment made = {};

  std::size_t memory_usage() const noexcept {
    return marks.memory_usage() + slots.capacity() * sizeof(std::uint32_t) + barred.capacity() +
           (packed == nullptr ? 0 : packed->memory_usage()) + (coded == nullptr ? 0 : coded->memory_usage());
  }
};

}  // namespace segue
