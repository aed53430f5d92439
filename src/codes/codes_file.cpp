#include "codes/codes_file.hpp"

#include "kernels/kernel_table.hpp"

namespace segue {

void add_block_sections(const BlockArrays& arrays, std::vector<SectionToWrite>& sections) {
  sections.push_back(make_section<unsigned char>("codes", arrays.code_array().span()));
  sections.push_back(make_section<float>("code_scales", arrays.scale_array().span()));
  sections.push_back(make_section<float>("code_biases", arrays.bias_array().span()));
  sections.push_back(make_section<float>("code_tails", arrays.tail_array().span()));
  sections.push_back(make_section<float>("code_bounds", arrays.bound_array().span()));
  sections.push_back(make_section<std::uint32_t>("code_slots", arrays.slot_array().span()));
  sections.push_back(make_section<std::uint32_t>("code_positions", arrays.position_array().span()));
}

BlockArrays::Sections take_block_sections(TakeSections& sections, std::size_t slots) {
  BlockArrays::Sections taken;
  taken.codes = sections.take<unsigned char>("codes");
  taken.scales = sections.take<float>("code_scales");
  taken.biases = sections.take<float>("code_biases");
  taken.tails = sections.take<float>("code_tails");
  taken.bounds = sections.take<float>("code_bounds");
  taken.slots = sections.take<std::uint32_t>("code_slots");
  taken.positions = sections.take<std::uint32_t>("code_positions", slots);
  return taken;
}

Buffer<float> take_basis(TakeSections& sections) {
  const std::size_t dim = sections.file().identity().dim;
  Buffer<float> basis = sections.take<float>("code_basis");
  if (basis.size() % dim != 0 || basis.size() / dim > dim) {
    sections.fail("code_basis", "it does not hold whole directions, or too many");
  }
  return basis;
}

void add_code_sections(const CodeBlocks& codes, std::vector<SectionToWrite>& sections) {
  const Projection& projection = codes.projection();
  sections.push_back(make_section<CodeBlocks::Fixed>("code", {&codes.fixed(), 1}));
  sections.push_back(make_section<float>("code_basis", projection.basis().span()));
  sections.push_back(make_section<float>("code_centre", projection.centre().span()));
  sections.push_back(make_section<double>("code_energies", projection.energies()));
  add_block_sections(codes, sections);
}

void take_code_sections(TakeSections& sections, std::size_t slots, CodeBlocks& codes) {
  const std::size_t dim = sections.file().identity().dim;
  const Buffer<CodeBlocks::Fixed> fixed = sections.take<CodeBlocks::Fixed>("code", 1);
  Buffer<float> basis = take_basis(sections);
  Buffer<float> centre = sections.take_optional<float>("code_centre", dim);
  Buffer<double> energies = sections.take<double>("code_energies");
  if (!energies.empty() && energies.size() != basis.size() / dim) {
    sections.fail("code_energies", "it has another size than the basis");
  }
  BlockArrays::Sections arrays = take_block_sections(sections, slots);
  if (!sections.status().ok()) return;
  Projection projection = Projection::adopt(codes.table(), dim, std::move(basis), std::move(centre),
                                            std::move(energies), fixed[0].total_energy);
  const Status fits = codes.adopt(fixed[0], std::move(projection), std::move(arrays));
  if (!fits.ok()) sections.fail("code", fits.message());
}

}  // namespace segue
