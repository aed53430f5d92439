#include "ivf/write_lists.hpp"

#include <algorithm>
#include <span>
#include <vector>

#include "kernels/kernel_table.hpp"

namespace segue {
namespace {

using kernels::kBlockRows;

// Some blocks that follow each other.
class BlockWindow final : public BlockArrays {
 public:
  explicit BlockWindow(const ListBlocks& like) : BlockArrays(like.table(), like.metric()) {
    set_shape_of(like);
  }
  void start(std::size_t blocks) {
    resize_positions(0);
    resize_positions(blocks * kBlockRows);
  }
  using BlockArrays::unpack_row;
};

// In the order of the file.
struct Sections {
  std::size_t codes, scales, biases, tails, bounds, slots;
};

class ListWriter {
 public:
  ListWriter(const ListBlocks& lists, std::size_t blocks, RowSpill& rows, FileAssembler& file)
      : lists_(lists), blocks_(blocks), rows_(rows), file_(file), window_(lists), positions_(lists.size()) {}

  Status run(std::size_t at_once, const std::function<Status(std::size_t, std::size_t)>& keep_on) {
    SEGUE_RETURN_IF_ERROR(add_sections());
    for (std::size_t first = 0; first < blocks_; first += at_once) {
      SEGUE_RETURN_IF_ERROR(keep_on(first, blocks_));
      const std::size_t end = std::min(blocks_, first + at_once);
      window_.start(end - first);
      for (std::size_t range = 0; range < rows_.ranges(); ++range) SEGUE_RETURN_IF_ERROR(lay_out(range, first, end));
      SEGUE_RETURN_IF_ERROR(append());
    }
    return file_.add<std::uint32_t>("code_positions", positions_.span());
  }

 private:
  Status add_sections() {
    const std::size_t rows = blocks_ * kBlockRows;
    const bool l2 = lists_.metric() == RowMetric::kSquaredL2;
    const auto add = [&](const char* name, std::size_t element, std::size_t count, std::size_t& section) -> Status {
      const Result<std::size_t> added = file_.add_section(name, element, element * count);
      if (added.ok()) section = *added;
      return added.status();
    };
    SEGUE_RETURN_IF_ERROR(add("codes", 1, blocks_ * lists_.groups() * kernels::kBlockGroupBytes, sections_.codes));
    SEGUE_RETURN_IF_ERROR(add("code_scales", sizeof(float), rows, sections_.scales));
    SEGUE_RETURN_IF_ERROR(add("code_biases", sizeof(float), l2 ? rows : 0, sections_.biases));
    SEGUE_RETURN_IF_ERROR(add("code_tails", sizeof(float), lists_.has_tails() ? rows : 0, sections_.tails));
    SEGUE_RETURN_IF_ERROR(
        add("code_bounds", sizeof(float), blocks_ * sizeof(BlockBound) / sizeof(float), sections_.bounds));
    return add("code_slots", sizeof(std::uint32_t), rows, sections_.slots);
  }

  // The rows of a range whose blocks are among first .. end.
  Status lay_out(std::size_t range, std::size_t first, std::size_t end) {
    const std::size_t list = rows_.first_list(range), last = rows_.first_list(range + 1);
    if (list == last) return {};
    const ListBlocks::Run& final_run = lists_.run(last - 1);
    if (lists_.run(list).first >= end || final_run.first + final_run.blocks <= first) return {};
    next_.assign(last - list, 0);
    return rows_.read(range, [&](std::uint32_t l, const unsigned char* row) {
      const std::size_t position = lists_.run(l).first * kBlockRows + next_[l - list]++;
      if (position < first * kBlockRows || position >= end * kBlockRows) return;
      const std::size_t here = position - first * kBlockRows;
      window_.unpack_row(row, here);
      positions_[window_.slot(here)] = static_cast<std::uint32_t>(position) + 1;
    });
  }

  Status append() {
    const auto put = [&](std::size_t section, const auto& array) {
      return file_.append(section, std::as_bytes(array.span()));
    };
    SEGUE_RETURN_IF_ERROR(put(sections_.codes, window_.code_array()));
    SEGUE_RETURN_IF_ERROR(put(sections_.scales, window_.scale_array()));
    SEGUE_RETURN_IF_ERROR(put(sections_.biases, window_.bias_array()));
    SEGUE_RETURN_IF_ERROR(put(sections_.tails, window_.tail_array()));
    SEGUE_RETURN_IF_ERROR(put(sections_.bounds, window_.bound_array()));
    return put(sections_.slots, window_.slot_array());
  }

  const ListBlocks& lists_;
  std::size_t blocks_;
  RowSpill& rows_;
  FileAssembler& file_;
  BlockWindow window_;
  Sections sections_ = {};
  std::vector<std::uint32_t> next_;  // rows so far of each list of a range
  Buffer<std::uint32_t> positions_;
};

}  // namespace

std::size_t bytes_of_block(const ListBlocks& lists) noexcept {
  return lists.groups() * kernels::kBlockGroupBytes + 4 * kBlockRows * sizeof(float) + sizeof(BlockBound);
}

Status write_lists(const ListBlocks& lists, std::size_t blocks, RowSpill& rows, std::size_t blocks_at_once,
                   const std::function<Status(std::size_t, std::size_t)>& keep_on, FileAssembler& file) {
  return ListWriter(lists, blocks, rows, file).run(blocks_at_once, keep_on);
}

}  // namespace segue
