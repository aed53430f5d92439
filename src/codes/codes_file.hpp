#pragma once
// Blocks of codes in a file: the arrays as they lie in memory; docs/file_format.md lists the sections.

#include <vector>

#include "codes/code_blocks.hpp"
#include "file/file_writer.hpp"
#include "items/take_sections.hpp"

namespace segue {

void add_block_sections(const BlockArrays& arrays, std::vector<SectionToWrite>& sections);
// Borrows them. `slots` is how many the index has. What is wrong is left in sections.status().
BlockArrays::Sections take_block_sections(TakeSections& sections, std::size_t slots);
Buffer<float> take_basis(TakeSections& sections);

// CodeBlocks, and by what they are coded.
void add_code_sections(const CodeBlocks& codes, std::vector<SectionToWrite>& sections);
void take_code_sections(TakeSections& sections, std::size_t slots, CodeBlocks& codes);

}  // namespace segue
