// An IvfIndex as a file, and back. docs/file_format.md has the sections.

#include <algorithm>
#include <bit>

#include "file/file_writer.hpp"
#include "items/curve_sections.hpp"
#include "items/take_sections.hpp"
#include "ivf/ivf_index.hpp"
#include "kernels/kernel_table.hpp"

namespace segue {

struct IvfIndexBody::Fixed {
  std::int64_t next_id;
  std::uint64_t nlist;  // as asked for; 0: auto
  std::uint64_t seed;
  std::uint64_t trained_on;
  ListBlocks::Fixed codes;
};

template <class Write>
auto IvfIndexBody::write_sections(const Write& write) const {
  const std::shared_lock lock(mutex_);
  const ListBlocks& blocks = layout_.blocks;
  const Fixed fixed{next_id_, options_.nlist, options_.seed, layout_.trained_on, blocks.fixed()};
  const auto* centres = reinterpret_cast<const float*>(layout_.centroids.rows().rows());
  std::vector<float> packed(layout_.centroids.size() * dim_);
  const std::size_t stride = layout_.centroids.rows().stride() / sizeof(float);
  for (std::size_t l = 0; l < layout_.centroids.size(); ++l) {
    std::copy_n(centres + l * stride, dim_, packed.begin() + static_cast<std::ptrdiff_t>(l * dim_));
  }
  std::vector<SectionToWrite> sections = {
      make_section<Fixed>("ivf", {&fixed, 1}),
      make_section<Id>("ids", ids_.id_array().span()),
      make_section<std::uint32_t>("id_table", ids_.table().span()),
      make_section<unsigned char>("rows", store_.bytes().span()),
      make_section<float>("centres", packed),
      make_section<float>("list_basis", blocks.projection().basis().span()),
      make_section<ListBlocks::Run>("lists", blocks.run_array().span()),
      make_section<double>("list_energies", blocks.energy_array().span()),
      make_section<unsigned char>("list_codes", blocks.code_array().span()),
      make_section<float>("list_scales", blocks.scale_array().span()),
      make_section<float>("list_biases", blocks.bias_array().span()),
      make_section<float>("list_tails", blocks.tail_array().span()),
      make_section<float>("list_bounds", blocks.bound_array().span()),
      make_section<std::uint32_t>("list_slots", blocks.slot_array().span()),
      make_section<std::uint32_t>("list_positions", blocks.position_array().span()),
  };
  const CurveSections tuned(curves_);
  tuned.append_to(sections);
  return write(FileIdentity{"ivf", metric_, store_.storage(), Storage::kAuto, dim_, ids_.size()},
               std::span<const SectionToWrite>(sections));
}

Status IvfIndexBody::save(const std::string& path) const {
  return guard_memory([&] {
    return write_sections([&](const FileIdentity& identity, std::span<const SectionToWrite> sections) {
      return write_file(path, identity, sections);
    });
  });
}

Result<std::vector<unsigned char>> IvfIndexBody::to_bytes() const {
  return write_sections([](const FileIdentity& identity, std::span<const SectionToWrite> sections) {
    return write_bytes(identity, sections);
  });
}

Result<std::unique_ptr<Index>> IvfIndexBody::open(const FileReader& file, bool verify) {
  const FileIdentity& identity = file.identity();
  TakeSections sections(file);
  const Buffer<Fixed> fixed = sections.take<Fixed>("ivf", 1);
  SEGUE_RETURN_IF_ERROR(sections.status());
  const IvfOptions options{fixed[0].nlist, identity.storage, fixed[0].seed};
  Result<std::unique_ptr<IvfIndex>> made = create(identity.dim, identity.metric, options);
  if (!made.ok()) return file.corrupt_section("ivf", made.status().message());
  auto index = std::make_unique<IvfIndexBody>(identity.dim, identity.metric, options);
  const std::size_t dim = identity.dim;
  Buffer<Id> ids = sections.take<Id>("ids", identity.size);
  Buffer<std::uint32_t> table = sections.take<std::uint32_t>("id_table");
  Buffer<unsigned char> rows = sections.take<unsigned char>("rows", identity.size, index->store_.stride());
  const Buffer<float> centres = sections.take<float>("centres");
  Buffer<float> basis = sections.take<float>("list_basis");
  ListBlocks::Arrays arrays;
  arrays.runs = sections.take<ListBlocks::Run>("lists");
  arrays.energies = sections.take<double>("list_energies");
  arrays.codes = sections.take<unsigned char>("list_codes");
  arrays.scales = sections.take<float>("list_scales");
  arrays.biases = sections.take<float>("list_biases");
  arrays.tails = sections.take<float>("list_tails");
  arrays.bounds = sections.take<float>("list_bounds");
  arrays.slots = sections.take<std::uint32_t>("list_slots");
  arrays.positions = sections.take<std::uint32_t>("list_positions", identity.size);
  if (identity.size > kMaxItems) sections.fail("ids", "there are more items than an index can hold");
  if (!table.empty() && !std::has_single_bit(table.size())) sections.fail("id_table", "its size is not a power of two");
  if (centres.size() % dim != 0) sections.fail("centres", "it does not hold whole rows");
  if (basis.size() % dim != 0 || basis.size() / dim > dim) {
    sections.fail("list_basis", "it does not hold whole directions, or too many");
  }
  if (centres.empty() && identity.size != 0) sections.fail("centres", "there are items and no lists");
  SEGUE_RETURN_IF_ERROR(sections.status());
  const kernels::KernelTable& kernels = index->store_.table();
  if (kernels.first_not_finite(centres.data(), centres.size() / dim, dim) != centres.size() / dim) {
    return file.corrupt_section("centres", "a number is not finite");
  }
  IvfLayout& layout = index->layout_;
  if (!centres.empty()) {
    layout.centroids = Centroids(kernels, MatrixView(centres.data(), centres.size() / dim, dim));
    Buffer<float> mean;
    if (layout.blocks.metric() == RowMetric::kSquaredL2) mean.assign({layout.centroids.mean(), dim});
    const Status fits = layout.blocks.adopt(
        fixed[0].codes, Projection::adopt(kernels, dim, std::move(basis), std::move(mean), {}, 0), layout.centroids,
        std::move(arrays));
    if (!fits.ok()) return file.corrupt_section("lists", fits.message());
    layout.spread.resize(layout.centroids.size());
    layout.trained_on = fixed[0].trained_on;
    index->weigh(layout);
  }
  index->ids_ = IdMap(std::move(ids), std::move(table), identity.size);
  index->store_.adopt(std::move(rows));
  index->next_id_ = std::max<Id>(0, fixed[0].next_id);
  SEGUE_RETURN_IF_ERROR(read_curves(file, index->curves_));
  index->unchecked_ = !verify;
  if (verify) {
    const Status valid = index->validate();
    if (!valid.ok()) return corrupt_file(file.name() + ": " + valid.message());
  }
  return std::unique_ptr<Index>(std::move(index));
}

}  // namespace segue
