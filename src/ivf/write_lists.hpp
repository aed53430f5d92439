#pragma once
// From rows that were put aside to the sections of their blocks: so many blocks at a time as memory holds.

#include <cstddef>
#include <functional>

#include "file/file_assembler.hpp"
#include "ivf/list_blocks.hpp"
#include "ivf/row_spill.hpp"

namespace segue {

// Bytes of a block in memory while it is laid out.
std::size_t bytes_of_block(const ListBlocks& lists) noexcept;

// `lists` knows from end_staging() where each list lies; `rows` holds the rows as `lists` packed them, slot after slot in
// each list. Adds the sections "codes" to "code_positions" of codes/codes_file.hpp. keep_on(done, blocks) says whether to.
Status write_lists(const ListBlocks& lists, std::size_t blocks, RowSpill& rows, std::size_t blocks_at_once,
                   const std::function<Status(std::size_t, std::size_t)>& keep_on, FileAssembler& file);

}  // namespace segue
