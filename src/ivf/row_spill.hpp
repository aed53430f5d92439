#pragma once
// RowSpill: coded rows put aside in a scratch file by ranges of lists, to be read again range by range.
//
// Ranges hold about as many lists each. Within a range rows come back in the order in which they went. Memory: a buffer a
// range, and eight bytes for each time that one was full.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "file/scratch_file.hpp"
#include "segue/status.hpp"

namespace segue {

class RowSpill {
 public:
  static Result<RowSpill> create(const std::string& beside, std::size_t lists, std::size_t ranges,
                                 std::size_t row_bytes, std::size_t buffer_bytes);

  std::size_t ranges() const noexcept { return ranges_.size(); }
  // The lists of a range: first_list(r) .. first_list(r + 1).
  std::size_t first_list(std::size_t range) const noexcept { return (range * lists_ + ranges() - 1) / ranges(); }

  // Where the next row of that list belongs: row_bytes to be filled before the next call.
  Result<unsigned char*> add(std::uint32_t list);
  // Nothing is added any more. take(list, row), row by row.
  using Take = std::function<void(std::uint32_t list, const unsigned char* row)>;
  Status read(std::size_t range, const Take& take);
  // Frees the buffers that add() needs; read() makes one.
  Status end();

 private:
  struct Range {
    std::vector<unsigned char> buffer;
    std::size_t used = 0;
    std::vector<std::uint64_t> pieces;  // offsets in the file, a full buffer each but the last
    std::size_t last_bytes = 0;
  };

  RowSpill(ScratchFile file, std::size_t lists, std::size_t ranges, std::size_t row_bytes, std::size_t buffer_bytes);
  Status flush(Range& range);

  ScratchFile file_;
  std::size_t lists_;
  std::size_t entry_bytes_;  // a list's number and a row
  std::size_t buffer_bytes_;
  std::vector<Range> ranges_;
};

}  // namespace segue
