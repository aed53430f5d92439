#include "codes/codes_file.hpp"

#include "kernels/kernel_table.hpp"

namespace segue {

void add_code_sections(const CodeBlocks& codes, std::vector<SectionToWrite>& sections) {
  const Projection& projection = codes.projection();
  sections.push_back(make_section<CodeBlocks::Fixed>("code", {&codes.fixed(), 1}));
  sections.push_back(make_section<float>("code_basis", projection.basis().span()));
  sections.push_back(make_section<float>("code_centre", projection.centre().span()));
  sections.push_back(make_section<double>("code_energies", projection.energies()));
  sections.push_back(make_section<unsigned char>("codes", codes.code_array().span()));
  sections.push_back(make_section<float>("code_scales", codes.scale_array().span()));
  sections.push_back(make_section<float>("code_biases", codes.bias_array().span()));
  sections.push_back(make_section<float>("code_tails", codes.tail_array().span()));
  sections.push_back(make_section<float>("code_bounds", codes.bound_array().span()));
  sections.push_back(make_section<std::uint32_t>("code_slots", codes.slot_array().span()));
  sections.push_back(make_section<std::uint32_t>("code_positions", codes.position_array().span()));
}

void take_code_sections(TakeSections& sections, std::size_t slots, CodeBlocks& codes) {
  const std::size_t dim = sections.file().identity().dim;
  const Buffer<CodeBlocks::Fixed> fixed = sections.take<CodeBlocks::Fixed>("code", 1);
  Buffer<float> basis = sections.take<float>("code_basis");
  Buffer<float> centre = sections.take_optional<float>("code_centre", dim);
  Buffer<double> energies = sections.take<double>("code_energies");
  if (basis.size() % dim != 0 || basis.size() / dim > dim) {
    sections.fail("code_basis", "it does not hold whole directions, or too many");
  }
  if (!energies.empty() && energies.size() != basis.size() / dim) {
    sections.fail("code_energies", "it has another size than the basis");
  }
  Buffer<unsigned char> coded = sections.take<unsigned char>("codes");
  Buffer<float> scales = sections.take<float>("code_scales");
  Buffer<float> biases = sections.take<float>("code_biases");
  Buffer<float> tails = sections.take<float>("code_tails");
  Buffer<float> bounds = sections.take<float>("code_bounds");
  Buffer<std::uint32_t> slot_at = sections.take<std::uint32_t>("code_slots");
  Buffer<std::uint32_t> positions = sections.take<std::uint32_t>("code_positions", slots);
  if (!sections.status().ok()) return;
  Projection projection = Projection::adopt(codes.table(), dim, std::move(basis), std::move(centre),
                                            std::move(energies), fixed[0].total_energy);
  const Status fits = codes.adopt(fixed[0], std::move(projection), std::move(coded), std::move(scales),
                                  std::move(biases), std::move(tails), std::move(bounds), std::move(slot_at),
                                  std::move(positions));
  if (!fits.ok()) sections.fail("code", fits.message());
}

}  // namespace segue
