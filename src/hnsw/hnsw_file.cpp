#include "hnsw/hnsw_file.hpp"

#include <algorithm>
#include <bit>

#include "codes/codes_file.hpp"
#include "items/check_input.hpp"
#include "items/curve_sections.hpp"
#include "items/take_sections.hpp"

namespace segue {
namespace {

// The section "hnsw".
struct Fixed {
  std::uint64_t m;
  std::uint64_t ef_construction;
  std::uint64_t seed;
  std::int64_t next_id;
  std::uint32_t entry;
  std::uint32_t adapting;  // 0: the storage is what was asked for; else see pack_adapting
};

// There where regions have been drawn.
constexpr std::string_view kRegions = "regions";
constexpr std::string_view kRegionCentres = "region_centres";

// What the index was asked to keep and when it last looked: 1 ("auto") or 2 ("pca8"), the asked rerank storage from bit 4,
// from bit 8 one more than the binary logarithm of the items that it looked at ("auto" may have kept float32 then).
std::uint32_t pack_adapting(const HnswState& state) noexcept {
  if (!adapts(state.options.storage)) return 0;
  const std::uint32_t asked = state.options.storage == Storage::kAuto ? 1 : 2;
  const auto rerank = static_cast<std::uint32_t>(state.options.rerank);
  return asked | (rerank << 4) | (static_cast<std::uint32_t>(std::bit_width(state.trained_on)) << 8);
}

// Makes the state ready for rows of kPca8. Their numbers may be anything; rows are only as long as they say.
void open_coder(const FileReader& file, TakeSections& sections, HnswState& state) {
  const kernels::KernelTable& table = state.rows.table();
  Buffer<float> basis = sections.take<float>("pca_basis");
  Buffer<float> centre = sections.take<float>("pca_centre", state.dim);
  const std::size_t head = basis.size() / state.dim;
  if (!sections.status().ok()) return;
  if (head < 1 || head > std::min(state.dim, HeadCoder::kMaxHead) || head * state.dim != basis.size()) {
    return sections.fail("pca_basis", "its size fits no number of directions");
  }
  state.coder = std::make_shared<const HeadCoder>(
      table, Projection::adopt(table, state.dim, std::move(basis), std::move(centre), {}, 0));
  state.rows = VectorStore(table, Storage::kPca8, head);
  if (file.identity().rerank != Storage::kAuto) state.fine.emplace(table, file.identity().rerank, state.dim);
}

}  // namespace

void write_state(const HnswState& state, Id next_id, const RecallCurves& curves, const WriteSections& write) {
  const Fixed fixed{state.options.m, state.options.ef_construction, state.options.seed, next_id, state.graph.entry(),
                    pack_adapting(state)};
  std::vector<SectionToWrite> sections = {
      make_section<Fixed>("hnsw", {&fixed, 1}),
      make_section<Id>("ids", state.ids.id_array().span()),
      make_section<std::uint32_t>("id_table", state.ids.table().span()),
      make_section<std::uint32_t>("links0", state.graph.links0().span()),
      make_section<std::uint32_t>("upper_at", state.graph.upper_at().span()),
      make_section<std::uint32_t>("upper", state.graph.upper().span()),
      make_section<std::uint32_t>("twin_next", state.twins.next_array().span()),
      make_section<std::uint32_t>("twin_previous", state.twins.previous_array().span()),
      make_section<std::uint32_t>("dead", state.dead.span()),
      make_section<std::uint32_t>("free", state.free_slots.span()),
      make_section<unsigned char>("rows", state.rows.bytes().span()),
  };
  if (state.fine) sections.push_back(make_section<unsigned char>("fine", state.fine->bytes().span()));
  if (state.metric == Metric::kInnerProduct) add_code_sections(state.codes, sections);
  if (state.coder) {
    sections.push_back(make_section<float>("pca_basis", state.coder->projection().basis().span()));
    sections.push_back(make_section<float>("pca_centre", state.coder->projection().centre().span()));
  }
  const std::vector<float> centres = state.regions.centre_rows();
  if (!centres.empty()) {
    sections.push_back(make_section<std::uint16_t>(kRegions, state.regions.slot_array().span()));
    sections.push_back(make_section<float>(kRegionCentres, centres));
  }
  const CurveSections tuned(curves);
  tuned.append_to(sections);
  const Storage rerank = state.fine ? state.fine->storage() : Storage::kAuto;
  const FileIdentity identity{"hnsw", state.metric, state.rows.storage(), rerank, state.dim, state.ids.size()};
  write(identity, sections);
}

Result<HnswOptions> read_options(const FileReader& file) {
  const auto fixed = file.section<Fixed>("hnsw", 1);
  if (!fixed.ok()) return fixed.status();
  const Fixed& f = (*fixed)[0];
  const FileIdentity& identity = file.identity();
  HnswOptions options{f.m, f.ef_construction, identity.storage, identity.rerank, f.seed};
  if (f.adapting != 0) {
    const std::uint32_t asked = f.adapting & 15;
    options.storage = asked == 1 ? Storage::kAuto : Storage::kPca8;
    options.rerank = static_cast<Storage>((f.adapting >> 4) & 15);
    if (asked == 0 || asked > 2 || f.adapting >> 16 != 0 || (asked == 1 && options.rerank != Storage::kAuto)) {
      return file.corrupt_section("hnsw", "it asks for a storage that no index has");
    }
  }
  const bool coded = identity.storage == Storage::kPca8;
  const bool looked = (f.adapting >> 8) != 0;
  const bool other_rerank = options.storage == Storage::kPca8 && options.rerank != identity.rerank;
  if ((coded && !looked) || (looked && !coded && options.storage != Storage::kAuto) || identity.storage == Storage::kAuto ||
      (coded && (other_rerank || identity.rerank == Storage::kPca8)) ||
      (f.adapting != 0 && !coded && (identity.storage != Storage::kF32 || identity.rerank != Storage::kAuto))) {
    return file.corrupt_section("hnsw", "it does not fit the header's storage");
  }
  const Status valid = check_hnsw_options(options);
  if (!valid.ok()) return file.corrupt_section("hnsw", valid.message());
  return options;
}

Status open_state(const FileReader& file, HnswState& state, Id& next_id) {
  TakeSections sections(file);
  const Buffer<Fixed> fixed = sections.take<Fixed>("hnsw", 1);
  Buffer<Id> ids = sections.take<Id>("ids");
  Buffer<std::uint32_t> table = sections.take<std::uint32_t>("id_table");
  const std::size_t slots = ids.size();
  Buffer<std::uint32_t> links0 = sections.take<std::uint32_t>("links0", slots, 2 * state.options.m);
  Buffer<std::uint32_t> upper_at = sections.take<std::uint32_t>("upper_at", slots);
  Buffer<std::uint32_t> upper = sections.take<std::uint32_t>("upper");
  Buffer<std::uint32_t> twin_next = sections.take_optional<std::uint32_t>("twin_next", slots);
  Buffer<std::uint32_t> twin_previous = sections.take_optional<std::uint32_t>("twin_previous", twin_next.size());
  if (state.metric == Metric::kInnerProduct) take_code_sections(sections, slots, state.codes);
  Buffer<std::uint32_t> dead = sections.take<std::uint32_t>("dead");
  Buffer<std::uint32_t> free_slots = sections.take<std::uint32_t>("free");
  if (file.identity().storage == Storage::kPca8) open_coder(file, sections, state);
  SEGUE_RETURN_IF_ERROR(sections.status());
  state.trained_on = (std::uint64_t{1} << ((fixed[0].adapting >> 8) & 63)) >> 1;
  Buffer<unsigned char> rows = sections.take<unsigned char>("rows", slots, state.rows.stride());
  Buffer<unsigned char> fine;
  if (state.fine) fine = sections.take<unsigned char>("fine", slots, state.fine->stride());

  const std::uint64_t size = file.identity().size;
  if (slots > kMaxItems || size > slots) sections.fail("ids", "their number does not fit the number of items");
  if (!table.empty() && !std::has_single_bit(table.size())) sections.fail("id_table", "its size is not a power of two");
  if (twin_previous.size() != twin_next.size()) sections.fail("twin_previous", "it does not fit twin_next");
  // These two are short, and a wrong slot in them would be written to.
  const auto in_range = [slots](std::uint32_t slot) { return slot < slots; };
  if (!std::all_of(dead.begin(), dead.end(), in_range)) sections.fail("dead", "a slot is out of range");
  if (!std::all_of(free_slots.begin(), free_slots.end(), in_range)) sections.fail("free", "a slot is out of range");
  if (dead.size() + free_slots.size() > slots) sections.fail("free", "more slots are free than there are");
  SEGUE_RETURN_IF_ERROR(sections.status());

  state.ids = IdMap(std::move(ids), std::move(table), size);
  state.rows.adopt(std::move(rows));
  if (state.fine) state.fine->adopt(std::move(fine));
  if (file.has(kRegions) && state.metric != Metric::kInnerProduct) {
    Buffer<std::uint16_t> regions = sections.take<std::uint16_t>(kRegions, slots);
    const Buffer<float> centres = sections.take<float>(kRegionCentres);
    SEGUE_RETURN_IF_ERROR(sections.status());
    if (!state.regions.adopt(state.rows, std::move(regions), centres.span())) {
      return file.corrupt_section(kRegionCentres, "it holds no rows of this index, or numbers that are not finite");
    }
  }
  state.graph.adopt(std::move(links0), std::move(upper_at), std::move(upper), fixed[0].entry);
  state.twins.adopt(std::move(twin_next), std::move(twin_previous));
  state.dead = std::move(dead);
  state.free_slots = std::move(free_slots);
  next_id = std::max<Id>(0, fixed[0].next_id);
  return {};
}

}  // namespace segue
