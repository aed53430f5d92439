// An IvfIndex as a file, and back. docs/file_format.md has the sections.

#include <vector>

#include "codes/codes_file.hpp"
#include "items/curve_sections.hpp"
#include "items/take_sections.hpp"
#include "ivf/ivf_index.hpp"
#include "kernels/kernel_table.hpp"

namespace segue {

FileIdentity IvfIndexBody::identity() const {
  return {"ivf", metric_, storage(), coded_ && finer_ ? store_.storage() : Storage::kAuto, dim_, ids_.size()};
}

void IvfIndexBody::do_write(const WriteSections& write) const {
  const ListBlocks& blocks = layout_.blocks;
  const Fixed fixed{next_id_, options_.nlist, options_.seed, layout_.trained_on, blocks.fixed()};
  const VectorStore& centres = layout_.centroids.rows();
  std::vector<float> packed(centres.size() * dim_);
  for (std::size_t l = 0; l < centres.size(); ++l) centres.read(l, packed.data() + l * dim_);
  std::vector<SectionToWrite> sections = {make_section<Fixed>("ivf", {&fixed, 1})};
  add_row_sections(sections);
  sections.push_back(make_section<float>("centres", packed));
  sections.push_back(make_section<ListBlocks::Run>("lists", blocks.run_array().span()));
  sections.push_back(make_section<double>("list_energies", blocks.energy_array().span()));
  sections.push_back(make_section<double>("list_eighths", blocks.eighth_power_array().span()));
  sections.push_back(make_section<float>("code_basis", blocks.projection().basis().span()));
  if (const CodePlanes* planes = blocks.planes()) {
    sections.push_back(make_section<unsigned char>("code_bits", planes->bits()));
    sections.push_back(make_section<float>("code_steps", planes->steps()));
  }
  add_block_sections(blocks, sections);
  const CurveSections tuned(curves_);
  tuned.append_to(sections);
  write(identity(), sections);
}

Result<std::unique_ptr<Index>> IvfIndexBody::open(const FileReader& file, bool verify) {
  const FileIdentity& identity = file.identity();
  const std::size_t dim = identity.dim;
  TakeSections sections(file);
  const Buffer<Fixed> fixed = sections.take<Fixed>("ivf", 1);
  SEGUE_RETURN_IF_ERROR(sections.status());
  const IvfOptions options{fixed[0].nlist, identity.storage, identity.rerank, fixed[0].seed};
  if (const Status valid = check_options(dim, identity.metric, options); !valid.ok()) {
    return file.corrupt_section("ivf", valid.message());
  }
  auto index = std::make_unique<IvfIndexBody>(dim, identity.metric, options);
  index->open_rows(sections, fixed[0].next_id);
  const Buffer<float> centres = sections.take<float>("centres");
  ListBlocks::ListSections lists;
  lists.runs = sections.take<ListBlocks::Run>("lists");
  lists.energies = sections.take<double>("list_energies");
  if (file.has("list_eighths")) lists.eighth_powers = sections.take<double>("list_eighths");
  if (rabitq_bits(identity.storage) != 0 && file.has("code_bits")) {
    lists.bits = sections.take<unsigned char>("code_bits");
    lists.steps = sections.take<float>("code_steps");
  }
  Buffer<float> basis = take_basis(sections);
  lists.codes = take_block_sections(sections, identity.size);
  if (centres.size() % dim != 0) sections.fail("centres", "it does not hold whole rows");
  if (centres.empty() && identity.size != 0) sections.fail("centres", "there are items and no lists");
  const std::size_t nlist = centres.size() / dim;
  const kernels::KernelTable& kernels = index->store_.table();
  if (kernels.first_not_finite(centres.data(), nlist, dim) != nlist) {
    sections.fail("centres", "a number is not finite");
  }
  SEGUE_RETURN_IF_ERROR(sections.status());
  IvfLayout& layout = index->layout_;
  if (nlist != 0) {
    layout.centroids = Centroids(kernels, MatrixView(centres.data(), nlist, dim));
    Buffer<float> mean;
    if (layout.blocks.metric() == RowMetric::kSquaredL2) mean.assign({layout.centroids.mean(), dim});
    const Status fits = layout.blocks.adopt(
        fixed[0].codes, Projection::adopt(kernels, dim, std::move(basis), std::move(mean), {}, 0), layout.centroids,
        std::move(lists));
    if (!fits.ok()) return file.corrupt_section("lists", fits.message());
    layout.trained_on = fixed[0].trained_on;
    index->weigh_all(layout);
    layout.measure();
  }
  SEGUE_RETURN_IF_ERROR(read_curves(file, index->curves_));
  return finish_open(std::move(index), file, verify);
}

}  // namespace segue
