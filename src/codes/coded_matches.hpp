#pragma once
// CodedMatches: the rows that a filter lets through, where they are few, as codes of their own.
//
// Scanned whole, they take less time than finding out where among all others they lie: 1,200 of 60,000 images with 784
// dimensions some 10 us. And such a scan misses nothing. They are known by the slots that they have in the index, which says
// nothing of where they lie here.
//
// Others come and go beside them: a copy without what lay in the blocks that have changed since, and with what lies there
// now, takes microseconds.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "codes/code_blocks.hpp"

namespace segue {

class FilterMarks;

class CodedMatches : public CodeBlocks {
 public:
  // Copies of those with a mark. O(head) each.
  CodedMatches(const CodeBlocks& codes, const FilterMarks& marks);
  // Codes of row i of `rows`, whose slot in `others` is slots[i], in directions that were chosen for others. O(head * dim)
  // each.
  CodedMatches(const BlockArrays& others, std::shared_ptr<const Projection> projection, double defect, const VectorStore& rows,
               std::span<const std::uint32_t> slots);

  // Without those that lay in these blocks of the others; ascending, each once. Null: so much has changed since all were coded
  // that they had better be coded anew.
  std::unique_ptr<CodedMatches> without(std::span<const std::uint32_t> blocks) const;
  // More of them, as the constructors have it.
  void add(const CodeBlocks& codes, const FilterMarks& marks, std::span<const std::uint32_t> blocks);
  void add(const BlockArrays& others, const VectorStore& rows, std::span<const std::uint32_t> slots);

  // Without the directions, which are others'.
  std::size_t memory_usage() const noexcept { return array_memory() + blocks_.capacity() * sizeof(std::uint32_t); }

 private:
  void copy(const CodeBlocks& codes, const FilterMarks& marks, std::size_t block, std::size_t& to);
  void name(const BlockArrays& others, std::size_t position, std::uint32_t slot);

  std::vector<std::uint32_t> blocks_;  // by position: which of the others' it lay in
};

}  // namespace segue
