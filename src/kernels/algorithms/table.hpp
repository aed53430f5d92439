#pragma once
// Fills a KernelTable from a Floats, a Codes and a Blocks (lanes/scalar.hpp says what these are).
//
// A family that an instruction set serves better by other means (AMX tiles for bf16 and sq8, FP16 arithmetic for f16)
// gets its own Family or Tile type and a make_table that uses it; nothing above the table changes.

#include "kernels/algorithms/blocks.hpp"
#include "kernels/algorithms/decoded.hpp"
#include "kernels/algorithms/matrix.hpp"
#include "kernels/algorithms/scan.hpp"
#include "kernels/algorithms/tile.hpp"

namespace segue::kernels::SEGUE_KERNELS_NAMESPACE {
namespace {

template <class Family, class Tile>
constexpr FamilyKernels make_family() noexcept {
  return {
      .row_bytes = row_bytes<Family>,
      .encode = encode<Family>,
      .decode = Family::decode,
      .query_bytes = Family::query_bytes,
      .prepare_query = Family::prepare_query,
      .tile_scratch_bytes = Tile::scratch_bytes,
      .score_list = {score_list<Family, kDot>, score_list<Family, kSquaredL2>},
      .score_decoded_list = {nullptr, nullptr},
      .score_block = {score_block<Family, kDot>, score_block<Family, kSquaredL2>},
      .score_tile = {Tile::template score<kDot>, Tile::template score<kSquaredL2>},
  };
}

template <class Floats, class Rows>
constexpr FamilyKernels make_float_family() noexcept {
  using Family = FloatFamily<Floats, Rows>;
  if constexpr (Floats::kHasTile) {
    return make_family<Family, FloatTile<Floats, Rows>>();
  } else {
    return make_family<Family, RowsTile<Family>>();
  }
}

template <class Family, class Tile, class Decoded>
constexpr FamilyKernels make_coded_family() noexcept {
  FamilyKernels family = make_family<Family, Tile>();
  family.score_decoded_list[kDot] = score_list<Decoded, kDot>;
  family.score_decoded_list[kSquaredL2] = score_list<Decoded, kSquaredL2>;
  return family;
}

template <class Floats, class Codes>
constexpr FamilyKernels make_sq8_family() noexcept {
  using Family = Sq8Family<Codes>;
  using Decoded = DecodedFamily<Floats, Sq8Decoded<Floats>>;
  if constexpr (Codes::kHasTile) {
    return make_coded_family<Family, Sq8Tile<Codes>, Decoded>();
  } else {
    return make_coded_family<Family, RowsTile<Family>, Decoded>();
  }
}

template <class Floats, class Codes>
constexpr FamilyKernels make_sq4_family() noexcept {
  using Family = Sq4Family<Codes>;
  return make_coded_family<Family, RowsTile<Family>, DecodedFamily<Floats, Sq4Decoded<Floats>>>();
}

template <class Floats>
constexpr MatrixKernels make_matrix() noexcept {
  const auto of = []<class Matrix>(const Matrix&) constexpr noexcept -> MatrixKernels {
    return {.bytes = Matrix::bytes, .lay_out = Matrix::lay_out, .multiply = Matrix::multiply};
  };
  if constexpr (Floats::kHasTile) {
    return of(PanelMatrix<Floats>());
  } else {
    return of(RowMatrix<Floats>());
  }
}

template <class Floats, class Codes, class Blocks>
constexpr KernelTable make_table(const char* name) noexcept {
  return {
      .name = name,
      .families = {make_float_family<Floats, F32Rows<Floats>>(), make_float_family<Floats, F16Rows<Floats>>(),
                   make_float_family<Floats, Bf16Rows<Floats>>(), make_sq8_family<Floats, Codes>(),
                   make_sq4_family<Floats, Codes>()},
      .matrix = make_matrix<Floats>(),
      .max_block_code = Blocks::kMaxQueryCode,
      .scan_blocks = scan_blocks<Blocks>,
      .scan_planes = scan_planes<Blocks>,
      .sq8_row_as_query = Sq8Family<Codes>::row_as_query,
      .select_greater = select_positions<Floats, true>,
      .select_less = select_positions<Floats, false>,
      .first_not_finite = first_not_finite,
  };
}

}  // namespace
}  // namespace segue::kernels::SEGUE_KERNELS_NAMESPACE
