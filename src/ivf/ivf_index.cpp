#include "ivf/ivf_index.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <string>

#include "ivf/train_centroids.hpp"
#include "kernels/dispatch.hpp"
#include "segue/core/parallel_for.hpp"
#include "segue/isa.hpp"

namespace segue {
namespace {

constexpr std::size_t kMaxLists = std::size_t{1} << 20;
constexpr std::size_t kListsARoot = 4;
// Rows of so few floats are one cache line as they are.
constexpr std::size_t kShortRow = 16;
// An index that chose its lists by itself does so again when it has grown by that factor.
constexpr std::size_t kOutgrown = 4;
// Once one of so many rows is another, k-means goes on from the centres as they are.
constexpr std::size_t kReplaced = 8;
// So few lists are some thousand items, which take no longer than finding out which of them to leave out.
constexpr std::size_t kFewLists = 256;
constexpr std::size_t kLeastProbes = 8;
constexpr std::size_t kListsAProbe = 64;
// What the best of a list's some hundred rows is above its centre's product, as a part of |q| times the spread and the
// square root of 1 / dim: 1.4 standard deviations, as if rows lay around the centre alike in all directions. Between 1 and
// 2 nothing moves much; 0 takes 1.6 to 5 times the rows for 0.99 on factors of tracks and books.
constexpr double kDeviations = 1.4;

// Whether rows are what codes in blocks make of them.
bool keeps_codes(Storage storage) noexcept { return storage == Storage::kPca8 || rabitq_bits(storage) != 0; }

}  // namespace

Result<std::unique_ptr<IvfIndex>> IvfIndex::create(std::size_t dim, Metric metric, const IvfOptions& options) {
  SEGUE_RETURN_IF_ERROR(isa::environment_status());
  SEGUE_RETURN_IF_ERROR(IvfIndexBody::check_options(dim, metric, options));
  return std::unique_ptr<IvfIndex>(std::make_unique<IvfIndexBody>(dim, metric, options));
}

Status IvfIndexBody::check_options(std::size_t dim, Metric metric, const IvfOptions& options) {
  const bool coded = keeps_codes(options.storage);
  SEGUE_RETURN_IF_ERROR(CodedIndex::check_options(dim, metric, coded ? Storage::kF32 : options.storage));
  SEGUE_RETURN_IF_ERROR(check_storage("rerank", options.rerank));
  const bool rest = options.rerank == Storage::kSq8 || options.rerank == Storage::kSq4;
  if (options.rerank != Storage::kAuto && !(coded && rest)) {
    return invalid_argument("rerank is " + std::string(to_string(options.rerank)) + " with storage " +
                            std::string(to_string(options.storage)) +
                            "; it must be auto, or, with storage pca8 or rabitq1 to rabitq8, sq8 or sq4, which codes what the first codes leave over");
  }
  if (options.nlist <= kMaxLists) return {};
  return invalid_argument("nlist is " + std::to_string(options.nlist) + "; it must be at most " +
                          std::to_string(kMaxLists) + ", or 0 for a number that fits the items");
}

namespace {

IvfOptions choose_storage(std::size_t dim, IvfOptions options) {
  if (options.storage == Storage::kAuto && dim > kShortRow) {
    options.storage = Storage::kPca8;
    options.rerank = Storage::kSq8;
  }
  return options;
}

// What the rows of the store are.
Storage row_storage(const IvfOptions& chosen) {
  if (!keeps_codes(chosen.storage)) return chosen.storage;
  return chosen.rerank == Storage::kSq4 ? Storage::kSq4 : Storage::kSq8;
}

}  // namespace

std::vector<float> IvfLayout::centres() const {
  const VectorStore& rows = centroids.rows();
  std::vector<float> all(rows.size() * rows.dim());
  for (std::size_t l = 0; l < rows.size(); ++l) rows.read(l, all.data() + l * rows.dim());
  return all;
}

IvfIndexBody::IvfIndexBody(std::size_t dim, Metric metric, const IvfOptions& options)
    : CodedIndex(dim, metric, row_storage(choose_storage(dim, options))),
      options_(options),
      coded_(keeps_codes(choose_storage(dim, options).storage)),
      finer_(choose_storage(dim, options).rerank != Storage::kAuto),
      codes_(coded_ ? choose_storage(dim, options).storage : Storage::kPca8),
      layout_(kernels::active_kernels(), dim, score_metric(metric), !keeps_store(), rabitq_bits(codes_)) {}

void IvfIndexBody::do_read(std::span<const std::uint32_t> slots, float* out) const {
  if (!coded_) return store_.read(slots, out);
  ReadListRowMemory memory;
  read_list_rows(list_rows(), slots, out, memory);
}

ExactScorer& IvfIndexBody::exact_scorer(const float* query, const CodedQuery* coded, ListScanMemory& memory) const {
  if (coded_) {
    memory.listed.reset(list_rows(), query, coded);
    return memory.listed;
  }
  memory.stored.reset(store_, layout_.blocks.metric(), query);
  return memory.stored;
}

// In full.
VectorStore IvfIndexBody::decode_rows(std::span<const std::uint32_t> slots, int threads) const {
  constexpr std::size_t kAtOnce = 256;
  VectorStore rows(store_.table(), Storage::kF32, dim_);
  rows.resize(slots.size());
  parallel_for(slots.size(), threads, kAtOnce, [&](std::size_t begin, std::size_t end, std::size_t) {
    std::vector<float> some(kAtOnce * dim_);
    for (std::size_t first = begin; first < end; first += kAtOnce) {
      const std::size_t n = std::min(kAtOnce, end - first);
      do_read(slots.subspan(first, n), some.data());
      for (std::size_t i = 0; i < n; ++i) rows.write(first + i, some.data() + i * dim_);
    }
  });
  return rows;
}

VectorStore IvfIndexBody::decode_all(int threads) const {
  std::vector<std::uint32_t> slots(ids_.slots());
  std::iota(slots.begin(), slots.end(), 0u);
  return decode_rows(slots, threads);
}

// Where every direction is coded in eight bits, four more are as good as f16; where some are left out, the rest is all
// that is known of those.
VectorStore IvfIndexBody::make_rests(const IvfLayout& layout, std::size_t rows) const {
  const bool free = options_.storage == Storage::kAuto && coded_;
  const Storage chosen = layout.blocks.whole() ? Storage::kSq4 : Storage::kSq8;
  VectorStore rests(store_.table(), free ? chosen : store_.storage(), dim_);
  if (finer_) rests.resize(rows);
  return rests;
}

std::size_t IvfIndexBody::nlist() const {
  const std::shared_lock lock(mutex_);
  return layout_.centroids.size();
}

std::size_t IvfIndexBody::default_nprobe() const {
  const std::shared_lock lock(mutex_);
  return probes({});
}

std::size_t IvfIndexBody::probes(const SearchOptions& options) const noexcept {
  const std::size_t lists = layout_.centroids.size();
  std::size_t wanted = options.nprobe;
  if (wanted == 0) wanted = lists <= kFewLists ? lists : std::max(kLeastProbes, (lists + kListsAProbe - 1) / kListsAProbe);
  return std::min(wanted, std::max<std::size_t>(1, lists));
}

std::size_t IvfIndexBody::lists_for(std::size_t items) const noexcept {
  if (options_.nlist != 0) return options_.nlist;
  const auto root = static_cast<std::size_t>(std::sqrt(static_cast<double>(items)));
  return std::clamp<std::size_t>(kListsARoot * root, 1, std::clamp<std::size_t>(items, 1, kMaxLists));
}

bool IvfIndexBody::outgrown(std::size_t items) const noexcept {
  if (!layout_.trained()) return true;
  if (!keeps_store() && ids_.size() != 0) return false;  // what codes leave out would be lost twice
  return options_.nlist == 0 && layout_.trained_on != 0 && items >= kOutgrown * layout_.trained_on;
}

// What has come lies further from the centres than what they were made of did.
bool IvfIndexBody::drifted() const noexcept {
  constexpr std::size_t kPart = 4;  // of all items, that have come since
  constexpr double kFurther = 1.2;  // times the mean square; k-means anew then pays for itself within as many changes
  if (layout_.arrived * kPart < ids_.size()) return false;
  return layout_.blocks.mean_energy() > kFurther * layout_.energy;
}

// Centres fit the rows they were made of better than any others from the same distribution, of which hardly any shows in
// distances (decision 20).
bool IvfIndexBody::replaced() const noexcept {
  return layout_.departed * kReplaced >= std::max<std::size_t>(ids_.size(), layout_.centroids.size());
}

IvfIndexBody::Training IvfIndexBody::wanted_training(std::size_t items) const noexcept {
  if (outgrown(items)) return Training::kFromRows;
  // The caller's centres stay, as do those whose rows are not known in full; and no list is made that nothing could fill.
  if (layout_.trained_on == 0 || layout_.energy < 0 || !keeps_store() || items < lists_for(items)) return Training::kNone;
  if (drifted()) return Training::kFromRows;
  return replaced() ? Training::kFromCentres : Training::kNone;
}

// Empty lists, by a sample that is normalised where the metric wants it. `total`: what progress counts.
Result<IvfLayout> IvfIndexBody::lay_out(MatrixView sample, std::size_t lists, const AddOptions& options, std::size_t total,
                                        MatrixView start) const {
  KMeansOptions training{.lists = lists, .seed = options_.seed, .threads = options.threads, .start = start};
  // Passes over the sample are the first half of the work.
  if (options.progress) {
    training.progress = [&](std::size_t done, std::size_t passes) {
      return options.progress(total * done / (2 * passes), total);
    };
  }
  const Result<std::vector<float>> centres = train_centroids(store_.table(), sample, training);
  if (!centres.ok()) return centres.status();
  return lay_out_around(MatrixView(*centres, dim_), sample, options.threads);
}

IvfLayout IvfIndexBody::lay_out_around(MatrixView centres, MatrixView sample, int threads) const {
  const kernels::KernelTable& table = store_.table();
  IvfLayout layout(table, dim_, score_metric(metric_), !keeps_store(), rabitq_bits(codes_));
  layout.centroids = Centroids(table, centres);
  std::vector<std::uint32_t> lists_of_sample(sample.rows());
  layout.centroids.assign(sample, lists_of_sample.data(), threads, Assignment::kRough);
  layout.energy = layout.blocks.start(layout.centroids, sample, lists_of_sample, threads);
  return layout;
}

// The lists that arrivals are nearest to.
std::vector<std::uint32_t> IvfIndexBody::nearest_lists(const IvfLayout& layout, const ListBlocks::Arrivals& arrivals,
                                                       int threads) const {
  constexpr std::size_t kPiece = 8192;
  // To the caller's centres rows are promised to the nearest.
  const Assignment how = layout.trained_on == 0 ? Assignment::kExact : Assignment::kNear;
  const std::size_t count = arrivals.from.size();
  std::vector<std::uint32_t> lists(count);
  std::vector<float> piece(std::min(kPiece, count) * dim_);
  for (std::size_t first = 0; first < count; first += kPiece) {
    const std::size_t n = std::min(kPiece, count - first);
    for (std::size_t i = 0; i < n; ++i) arrivals.rows.read(arrivals.from[first + i], piece.data() + i * dim_);
    layout.centroids.assign(MatrixView(piece.data(), n, dim_), lists.data() + first, threads, how);
  }
  return lists;
}

void IvfIndexBody::deal(IvfLayout& layout, const ListBlocks::Arrivals& arrivals, int threads) const {
  layout.blocks.put(layout.centroids, arrivals, nearest_lists(layout, arrivals, threads), threads);
}

void IvfIndexBody::weigh(IvfLayout& layout, std::size_t list) const noexcept {
  if (metric_ == Metric::kInnerProduct) layout.bonuses.set(layout.centroids, list, layout.blocks.spread(list));
}

void IvfIndexBody::weigh_all(IvfLayout& layout) const {
  if (metric_ != Metric::kInnerProduct) return;
  layout.bonuses.start(layout.centroids, static_cast<float>(kDeviations / std::sqrt(static_cast<double>(dim_))));
  for (std::size_t l = 0; l < std::min(layout.blocks.lists(), layout.centroids.size()); ++l) weigh(layout, l);
}

Lists IvfIndexBody::lists() const noexcept {
  const Centroids& centroids = layout_.centroids;
  if (metric_ == Metric::kInnerProduct) return {centroids, layout_.blocks, layout_.bonuses.worth()};
  return {centroids, layout_.blocks, {.bonus = centroids.nearness(), .exact_bonus = centroids.exact_nearness()}};
}

// The new rows are made and coded beside the old ones; where the lists are trained anew, so are they. What is left then is a
// swap, or goes row by row, and cannot fail.
Status IvfIndexBody::change(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) {
  const std::size_t n = vectors.rows();
  if (options.progress && !options.progress(0, n)) return cancelled("the call was cancelled; the index is as it was");
  std::vector<std::uint32_t> to;
  const std::size_t after = choose_slots(ids, to);
  const std::size_t lists = lists_for(after);
  if (!layout_.trained() && after < lists) {
    return invalid_argument("the first add trains nlist=" + std::to_string(lists) + " lists and came with " +
                            std::to_string(n) + " vectors; give at least " + std::to_string(lists) +
                            ", or call train() with a sample before, or leave nlist at auto");
  }
  const Storage arriving = coded_ ? Storage::kF32 : store_.storage();
  VectorStore rows(store_.table(), arriving, dim_);
  rows.resize(n);
  write_rows(vectors, 0, options.threads, rows);
  if (const Training training = wanted_training(after); training != Training::kNone) {
    SEGUE_RETURN_IF_ERROR(lay_out_anew(rows, ids, to, after, training, options));
  } else {
    take_arrivals(rows, ids, to, after, options.threads);
  }
  if (options.progress) options.progress(n, n);
  return {};
}

void IvfIndexBody::take_arrivals(const VectorStore& rows, std::span<const Id> ids, std::span<const std::uint32_t> to,
                                 std::size_t after, int threads) {
  constexpr std::size_t kPiece = 8;  // about a microsecond each
  std::vector<std::uint32_t> from(to.size());
  std::iota(from.begin(), from.end(), 0u);
  make_room(ids, to, after);
  VectorStore rests = make_rests(layout_, to.size());
  const ListBlocks::Arrivals arrivals{rows, from, to, finer_ ? &rests : nullptr, from};
  const ListBlocks::Coded coded =
      layout_.blocks.code(layout_.centroids, arrivals, nearest_lists(layout_, arrivals, threads), threads);
  layout_.blocks.make_room(coded.lists, after, publish_);
  layout_.arrived += to.size();
  publish_.in_pieces(to.size(), kPiece, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t before = layout_.blocks.position_of(to[i]);
      layout_.departed += before != BlockArrays::kNowhere;
      const std::size_t old_list = before == BlockArrays::kNowhere ? coded.lists[i] : layout_.blocks.list_of(before);
      layout_.blocks.take(coded, i);
      take_row(coded_ ? rests : rows, i, ids[i], to[i]);
      weigh(layout_, old_list);
      weigh(layout_, coded.lists[i]);
    }
  });
}

// Lists for what is there and what comes: row i of `rows` becomes that of slot to[i], of `after` slots.
Status IvfIndexBody::lay_out_anew(const VectorStore& rows, std::span<const Id> ids, std::span<const std::uint32_t> to,
                                  std::size_t after, Training training, const AddOptions& options) {
  const std::size_t before = ids_.slots(), lists = lists_for(after);
  const VectorStore decoded = coded_ ? decode_all(options.threads) : VectorStore(store_.table(), Storage::kF32, dim_);
  const VectorStore& old = coded_ ? decoded : store_;
  std::vector<std::uint32_t> fresh(after, kNoSlot), from(to.size()), kept;
  std::iota(from.begin(), from.end(), 0u);
  for (std::size_t i = 0; i < to.size(); ++i) fresh[to[i]] = from[i];
  for (std::uint32_t slot = 0; slot < before; ++slot) {
    if (fresh[slot] == kNoSlot) kept.push_back(slot);
  }
  // A sample of what will be there: item by item, the old row or the new one.
  const std::size_t sampled = std::min(after, kRowsAList * lists);
  std::vector<float> sample(sampled * dim_);
  for (std::size_t i = 0; i < sampled; ++i) {
    const std::size_t slot = i * after / sampled;
    const bool is_new = fresh[slot] != kNoSlot;
    (is_new ? rows : old).read(is_new ? fresh[slot] : slot, sample.data() + i * dim_);
  }
  const std::vector<float> start = training == Training::kFromCentres ? layout_.centres() : std::vector<float>();
  Result<IvfLayout> layout = lay_out(MatrixView(sample, dim_), lists, options, to.size(), MatrixView(start, dim_));
  if (!layout.ok()) return layout.status();
  layout->trained_on = after;
  sample = {};
  VectorStore stored = coded_ ? make_rests(*layout, after) : VectorStore(store_.table(), store_.storage(), dim_);
  VectorStore* const rests_to = finer_ ? &stored : nullptr;
  deal(*layout, {old, kept, kept, rests_to, kept}, options.threads);
  deal(*layout, {rows, from, to, rests_to, to}, options.threads);
  weigh_all(*layout);
  layout->measure();
  if (!coded_) {
    stored.resize(after);
    for (const std::uint32_t slot : kept) stored.copy_row_from(store_, slot, slot);
    for (std::size_t i = 0; i < to.size(); ++i) stored.copy_row_from(rows, i, to[i]);
  }
  IdMap map = ids_;
  map.reserve(after);
  for (std::size_t i = 0; i < to.size(); ++i) {
    if (to[i] >= map.slots()) map.insert(ids[i], to[i]);
  }
  publish_([&] {
    std::swap(layout_, *layout);
    std::swap(store_, stored);
    std::swap(ids_, map);
  });
  return {};
}

void IvfIndexBody::do_remove(std::span<const Id> ids) { remove_rows(ids); }

void IvfIndexBody::remove_code(std::uint32_t slot) noexcept {
  const std::size_t position = layout_.blocks.position_of(slot);
  if (position == BlockArrays::kNowhere) return;
  const std::size_t list = layout_.blocks.list_of(position);
  ++layout_.departed;
  layout_.blocks.remove(slot);
  weigh(layout_, list);
}

void IvfIndexBody::scan(const CodeScan& wanted, ListScanMemory& memory, std::span<WalkStats> stats) const {
  const bool marked = wanted.filter != nullptr && wanted.filter->packed == nullptr;
  const Allowed allowed{marked ? &wanted.filter->marks : nullptr, wanted.accepts};
  scan_lists(lists(), wanted.queries,
             {.k = wanted.k, .nprobe = probes(wanted.options), .thresholds = wanted.thresholds, .filter = wanted.filter},
             allowed, wanted.deadline, memory, stats);
}

void IvfIndexBody::complete(FilterPlan& plan) const {
  plan.barred.resize(layout_.centroids.size());
  for (std::size_t l = 0; l < plan.barred.size(); ++l) {
    const bool open = plan.marks.rows_in(layout_.blocks.run(l).first, layout_.blocks.run_end(l)) != 0;
    plan.barred[l] = !open;
    plan.open_lists += open;
  }
}

bool IvfIndexBody::pays(const FilterPlan& plan, std::size_t queries) const noexcept {
  // Coding a row takes as long as scoring it ten to twenty times; a search saves what copying so many rows costs.
  constexpr std::size_t kScored = 12, kCopiedAQuery = 256;
  return plan.marks.rows() <= few_rows() ? queries >= kScored : queries * kCopiedAQuery >= plan.marks.rows();
}

bool IvfIndexBody::improve(FilterPlan& plan) const {
  if (plan.coded != nullptr || plan.marks.rows() == 0) return false;
  if (plan.marks.rows() <= few_rows()) {
    plan.coded = std::make_shared<const CodedMatches>(code(plan));
    return true;
  }
  plan.packed = pack(plan);
  return plan.packed != nullptr;
}

std::shared_ptr<const CodedMatches> IvfIndexBody::update(const CodedMatches& old, const FilterMarks& marks,
                                                         std::span<const std::uint32_t> blocks) const {
  if (marks.rows() > few_rows()) return nullptr;
  std::unique_ptr<CodedMatches> coded = old.without(blocks);
  if (coded == nullptr) return nullptr;
  std::vector<std::uint32_t> slots;
  for (const std::uint32_t block : blocks) {
    if (block >= marks.blocks()) break;
    for (unsigned bits = marks.of_block(block); bits != 0; bits &= bits - 1) {
      slots.push_back(layout_.blocks.slot(block * kernels::kBlockRows + static_cast<std::size_t>(std::countr_zero(bits))));
    }
  }
  coded->add(layout_.blocks, decode_rows(slots, 1), slots);
  return coded;
}

CodedMatches IvfIndexBody::code(const FilterPlan& plan) const {
  const ListBlocks& blocks = layout_.blocks;
  return CodedMatches(blocks, blocks.shared_projection(), blocks.fixed().defect, decode_rows(plan.slots, 1), plan.slots);
}

std::shared_ptr<const PackedRows> IvfIndexBody::pack(const FilterPlan& plan) const {
  std::vector<BlockRun> runs(layout_.blocks.lists());
  std::size_t blocks = 0;
  for (std::size_t l = 0; l < runs.size(); ++l) {
    runs[l] = {layout_.blocks.run(l).first, static_cast<std::uint32_t>(layout_.blocks.run_end(l))};
    blocks += blocks_for(plan.marks.rows_in(runs[l].first, runs[l].end));
  }
  // Where most of a block matches as it is, reading the copy would save little.
  if (2 * blocks > plan.marks.open_blocks()) return nullptr;
  return std::make_shared<const PackedRows>(layout_.blocks, plan.marks, runs);
}

std::size_t IvfIndexBody::scanned_bytes(const SearchOptions& options) const noexcept {
  const std::size_t lists = std::max<std::size_t>(1, layout_.centroids.size());
  return dim_ * lists + layout_.blocks.head() * (ids_.slots() / lists * probes(options));
}

// Thousands share most lists with others; what each needs besides is some kilobytes.
std::size_t IvfIndexBody::group_size() const noexcept { return 1024; }

// A scan of codes of no more takes less time than ranking the lists and looking into the best.
std::size_t IvfIndexBody::few_rows() const noexcept {
  constexpr std::size_t kMatchesAList = 2, kPart = 32;
  return std::min(kMatchesAList * layout_.centroids.size(), ids_.slots() / kPart);
}

std::size_t IvfIndexBody::quick_rows() const noexcept {
  constexpr std::size_t kListsARow = 4;
  return std::min(few_rows(), layout_.centroids.size() / kListsARow);
}

Status IvfIndexBody::check_centroids(MatrixView centroids) const {
  if (const Status fit = check_vectors(centroids, dim_, Metric::kL2); !fit.ok()) {
    return invalid_argument("centroids: " + fit.message());
  }
  const std::size_t n = centroids.rows();
  if (n >= 1 && n <= kMaxLists && (options_.nlist == 0 || options_.nlist == n)) return {};
  return invalid_argument("train() came with " + std::to_string(n) + " centroids; give " +
                          (options_.nlist != 0 ? std::to_string(options_.nlist) + ", the nlist that was asked for"
                                               : "1 to " + std::to_string(kMaxLists)));
}

// `centroids`: null where k-means is to find them.
Status IvfIndexBody::train_lists(MatrixView sample, const MatrixView* centroids, const AddOptions& options) {
  return guard_memory([&]() -> Status {
    SEGUE_RETURN_IF_ERROR(check_vectors(sample, dim_, metric_));
    if (centroids != nullptr) SEGUE_RETURN_IF_ERROR(check_centroids(*centroids));
    SEGUE_RETURN_IF_ERROR(check_threads(options.threads));
    SEGUE_RETURN_IF_ERROR(check_file_before_change());
    const std::lock_guard changing(changing_);
    if (!keeps_store() && ids_.size() != 0) {
      return unsupported("the index keeps nothing but codes of its " + std::to_string(ids_.size()) +
                         " items, which training anew would code once more; train before adding, or make another index");
    }
    const std::size_t lists = centroids != nullptr ? centroids->rows() : lists_for(sample.rows());
    if (centroids == nullptr && sample.rows() < std::max<std::size_t>(1, lists)) {
      return invalid_argument("train() came with " + std::to_string(sample.rows()) + " vectors for nlist=" +
                              std::to_string(lists) + " lists; give at least one a list, some tens are better");
    }
    const std::size_t sampled = std::min(sample.rows(), kRowsAList * lists);
    std::vector<float> rows(sampled * dim_);
    for (std::size_t i = 0; i < sampled; ++i) {
      const float* x = sample.row(i * sample.rows() / sampled);
      float* out = rows.data() + i * dim_;
      if (metric_ == Metric::kCosine) {
        normalize(x, dim_, out);
      } else {
        std::copy_n(x, dim_, out);
      }
    }
    const MatrixView sampled_rows(rows, dim_);
    if (centroids != nullptr && options.progress && !options.progress(0, sample.rows())) {
      return cancelled("training was cancelled");
    }
    Result<IvfLayout> layout = centroids != nullptr ? lay_out_around(*centroids, sampled_rows, options.threads)
                                                    : lay_out(sampled_rows, lists, options, sample.rows());
    if (!layout.ok()) return layout.status();
    layout->trained_on = centroids != nullptr ? 0 : sample.rows();
    std::vector<std::uint32_t> slots(ids_.slots());
    std::iota(slots.begin(), slots.end(), 0u);
    VectorStore rests = make_rests(*layout, slots.size());
    if (coded_) {
      const VectorStore decoded = decode_all(options.threads);
      deal(*layout, {decoded, slots, slots, finer_ ? &rests : nullptr, slots}, options.threads);
    } else {
      deal(*layout, {store_, slots, slots}, options.threads);
    }
    weigh_all(*layout);
    layout->measure();
    publish_([&] {
      std::swap(layout_, *layout);
      if (coded_) std::swap(store_, rests);
    });
    curves_.count_changes(ids_.size());
    if (options.progress) options.progress(sample.rows(), sample.rows());
    return {};
  });
}

std::vector<float> IvfIndexBody::centroids() const {
  const std::shared_lock lock(mutex_);
  return layout_.centres();
}

std::size_t IvfIndexBody::memory_usage() const {
  const std::shared_lock lock(mutex_);
  return ids_.memory_usage() + store_.memory_usage() + layout_.centroids.memory_usage() +
         layout_.blocks.memory_usage() + layout_.bonuses.memory_usage() + curves_.memory_usage() +
         plans_.memory_usage();
}

IndexStats IvfIndexBody::stats() const {
  const std::shared_lock lock(mutex_);
  std::uint32_t longest = 0;
  std::size_t empty = 0;
  for (std::size_t l = 0; l < layout_.blocks.lists(); ++l) {
    longest = std::max(longest, layout_.blocks.run(l).rows);
    empty += layout_.blocks.run(l).rows == 0;
  }
  IndexStats figures = {{"items", static_cast<double>(ids_.size())},
                        {"lists", static_cast<double>(layout_.centroids.size())},
                        {"longest list", static_cast<double>(longest)},
                        {"empty lists", static_cast<double>(empty)},
                        {"coded directions", static_cast<double>(layout_.blocks.head())},
                        {"bytes a code", static_cast<double>(4 * layout_.blocks.groups())},
                        {"bytes a row", static_cast<double>(keeps_store() ? store_.stride() : 0)}};
  curves_.append_stats(figures);
  return figures;
}

Status IvfIndexBody::validate() const {
  const std::lock_guard still(changing_);
  SEGUE_RETURN_IF_ERROR(validate_rows());
  return layout_.blocks.validate(layout_.centroids, coded_ ? nullptr : &store_, ids_.size());
}

}  // namespace segue
