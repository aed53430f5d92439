#include "ivf/list_blocks.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "codes/choose_planes.hpp"
#include "codes/code_row.hpp"
#include "codes/train_blocks.hpp"
#include "kernels/kernel_table.hpp"
#include "segue/core/id_map.hpp"
#include "segue/core/parallel_for.hpp"

namespace segue {
namespace {

using kernels::kBlockRows;

// Rows of all lists that a query looks at, as far as the choice of directions goes.
constexpr std::size_t kScanned = 2048;

std::uint32_t room_for(std::size_t rows) { return static_cast<std::uint32_t>(blocks_for(rows)); }

}  // namespace

ListBlocks::ListBlocks(const kernels::KernelTable& table, std::size_t dim, RowMetric metric, bool codes_are_rows,
                       unsigned bits)
    : BlockArrays(table, metric),
      dim_(dim),
      codes_are_rows_(codes_are_rows),
      bits_(bits),
      projection_(std::make_shared<const Projection>(Projection::identity(table, dim))),
      centre_heads_(table, Storage::kF32, dim) {
  set_shape(dim, false);
}

void ListBlocks::take_projection(Projection projection, std::shared_ptr<const CodePlanes> planes) {
  projection_ = std::make_shared<const Projection>(std::move(projection));
  mean_norm_ =
      projection_->centered() ? std::sqrt(squared_distance(projection_->centre().data(), nullptr, dim_)) : 0.0;
  const bool tails = projection_->rotates() && !codes_are_rows_;
  if (planes != nullptr) {
    set_shape(std::move(planes), tails);
  } else {
    set_shape(projection_->head(), tails);
  }
  columns_ = {};
  if (!projection_->rotates()) return;
  columns_.resize(table_->matrix.bytes(dim_, head()));
  table_->matrix.lay_out(projection_->columns().data(), dim_, head(), columns_.data());
}

void ListBlocks::decode_head(const ListBlocks& from, std::size_t position, float* out) const noexcept {
  decode(from.codes(position / kBlockRows) + position % kBlockRows * 4, from.scales_[position], head(), out);
}

void ListBlocks::expand(const float* heads, std::size_t n, float* out, ExpandMemory& memory) const {
  if (columns_.empty()) {
    std::copy_n(heads, n * dim_, out);
    return;
  }
  const kernels::FamilyKernels& f32 = table_->families[kernels::kFamilyF32];
  const std::size_t bytes = f32.query_bytes(head());
  if (memory.queries.size() < n * bytes) memory.queries.resize(n * bytes);
  for (std::size_t i = 0; i < n; ++i) f32.prepare_query(heads + i * head(), head(), memory.queries.data() + i * bytes);
  table_->matrix.multiply(memory.queries.data(), bytes, n, columns_.data(), dim_, head(), out);
}

// What a row's coordinates may be off by, a unit of its length.
double ListBlocks::row_error() const noexcept {
  if (planes() == nullptr) return projection_error(*projection_, fixed_.defect) + 0x1p-23;
  // By chance, as all that bounds planes: roundings of sums in 24 bits, four deviations of them.
  return 4 * std::sqrt(static_cast<double>(dim_) + 16) * 0x1p-24 + fixed_.defect + 0x1p-23;
}

double ListBlocks::mean_energy() const noexcept {
  double sum = 0;
  for (const double energy : energies_) sum += energy;
  return size_ == 0 ? 0 : sum / static_cast<double>(size_);
}

float ListBlocks::spread(std::size_t list) const noexcept {
  const auto rows = static_cast<double>(runs_[list].rows);
  return rows == 0 ? 0.0f : static_cast<float>(std::sqrt(std::sqrt(std::sqrt(eighth_powers_[list] / rows))));
}

void ListBlocks::count_row(std::size_t list, const Lengths& lengths) noexcept {
  constexpr double kMost = 1e295;  // so that a sum of all there can be is a number
  const double squared = lengths.residual_squared;
  energies_[list] += squared;
  eighth_powers_[list] += std::min(kMost, squared * squared * squared * squared);
  fixed_.longest = std::max(fixed_.longest, round_up(lengths.row * (1 + 1e-6)));
}

double ListBlocks::start(const Centroids& centroids, MatrixView sample, std::span<const std::uint32_t> lists_of_sample,
                         int threads) {
  ListBlocks fresh(*table_, dim_, metric_, codes_are_rows_, bits_);
  const std::size_t n = std::min(sample.rows(), Projection::kSample);
  std::vector<float> residuals(n * dim_), centre(dim_);
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t from = i * sample.rows() / n;
    centroids.rows().read(lists_of_sample[from], centre.data());
    for (std::size_t j = 0; j < dim_; ++j) residuals[i * dim_ + j] = sample.row(from)[j] - centre[j];
  }
  const double energy = std::inner_product(residuals.begin(), residuals.end(), residuals.begin(), 0.0);
  const MatrixView differences(residuals, dim_);
  HeadScan scan{.rows = kScanned, .whole = !codes_are_rows_};
  // Queries project as a whole, less the mean under l2: that is what bounds by directions left out go by. Where codes are all
  // there is of a row nothing is bounded.
  if (!codes_are_rows_) {
    scan.query = [&, mean = metric_ == RowMetric::kSquaredL2 ? centroids.mean() : nullptr](std::size_t i, float* out) {
      const float* row = sample.row(i * sample.rows() / n);
      for (std::size_t j = 0; j < dim_; ++j) out[j] = mean == nullptr ? row[j] : row[j] - mean[j];
    };
  }
  PlaneChoice choice = bits_ != 0 ? choose_planes(*table_, differences, bits_, threads)
                                  : PlaneChoice{choose_projection(*table_, metric_, differences, scan, false, threads), {}};
  Projection chosen = std::move(choice.projection);
  fresh.fixed_.defect = chosen.rotates() ? chosen.defect() : 0;
  if (metric_ == RowMetric::kSquaredL2) {
    Buffer<float> mean;
    mean.assign({centroids.mean(), dim_});
    chosen = Projection::adopt(*table_, dim_, chosen.basis(), std::move(mean), {}, 0);
  }
  fresh.take_projection(std::move(chosen), std::move(choice.planes));
  fresh.runs_.resize(centroids.size());
  fresh.energies_.resize(centroids.size());
  fresh.eighth_powers_.resize(centroids.size());
  fresh.code_centres(centroids);
  fresh.positions_.resize(positions_.size());
  *this = std::move(fresh);
  return n == 0 ? -1 : energy / static_cast<double>(n);
}

void ListBlocks::code_centres(const Centroids& centroids) {
  const bool l2 = metric_ == RowMetric::kSquaredL2;
  const bool wanted = l2 || planes_ != nullptr;
  centre_heads_ = VectorStore(*table_, Storage::kF32, head());
  if (wanted) centre_heads_.resize(centroids.size());
  ProjectionMemory memory;
  std::vector<float> centre(dim_), heads(head());
  double longest = 0;
  for (std::size_t l = 0; l < centroids.size(); ++l) {
    centroids.rows().read(l, centre.data());
    longest = std::max(longest, squared_distance(centre.data(), l2 ? centroids.mean() : nullptr, dim_));
    if (!wanted) continue;
    projection_->apply(centre.data(), heads.data(), memory);
    centre_heads_.write(l, heads.data());
  }
  fixed_.longest_centre = round_up(std::sqrt(longest) * (1 + 1e-6));
  choose_ranking(centroids);
}

// Of 784 coordinates 256 say as much about which centre is near, where what centres differ by lies in them.
void ListBlocks::choose_ranking(const Centroids& centroids) {
  constexpr double kMost = 0.75;       // of the coordinates, or little is saved
  constexpr double kLeastSeen = 0.98;  // of what centres differ by
  ranking_ = nullptr;
  if (static_cast<double>(head()) > kMost * static_cast<double>(dim_) || centroids.size() == 0) return;
  std::vector<float> centre(dim_), heads(centroids.size() * head());
  ProjectionMemory memory;
  double seen = 0, all = 0;
  for (std::size_t l = 0; l < centroids.size(); ++l) {
    centroids.rows().read(l, centre.data());
    for (std::size_t j = 0; j < dim_; ++j) centre[j] -= centroids.mean()[j];
    float* const to = heads.data() + l * head();
    projection_->apply_direction(centre.data(), to, memory);
    seen += squared_distance(to, nullptr, head());
    all += squared_distance(centre.data(), nullptr, dim_);
  }
  if (!(seen >= kLeastSeen * all)) return;
  auto ranking = std::make_shared<CentreBlocks>(*table_, head());
  ranking->assign(MatrixView(heads, head()), centroids.blocks());
  ranking_ = std::move(ranking);
}

void ListBlocks::resize_blocks(std::size_t blocks) {
  resize_positions(blocks * kBlockRows);
  owners_.resize(blocks);
}

// The slots of a list know where its rows lie.
void ListBlocks::take_places(std::size_t list) noexcept {
  const std::size_t first = runs_[list].first * kBlockRows;
  for (std::size_t p = first; p < first + runs_[list].rows; ++p) {
    if (slots_[p] < positions_.size()) positions_[slots_[p]] = static_cast<std::uint32_t>(p) + 1;
  }
}

// Makes every list l hold wanted[l] rows. What is moved is whole at every step, so running out of memory harms nothing.
void ListBlocks::make_room_for(std::span<const std::uint32_t> wanted, const Publisher& publish) {
  std::size_t needed = 0;
  std::size_t grown = blocks();
  std::size_t more = 0;
  for (std::size_t l = 0; l < lists(); ++l) {
    needed += blocks_for(wanted[l]);
    if (blocks_for(wanted[l]) <= runs_[l].blocks) continue;
    grown += blocks_for(wanted[l]);
    more += room_for(wanted[l] + wanted[l] / 2);
  }
  if (more == 0) return;
  if (size_ == 0 || grown > 2 * needed + 2 * lists()) return rebuild_runs(wanted, needed, publish);
  reserve_positions((blocks() + more) * kBlockRows, publish);
  owners_.reserve(blocks() + more, publish);
  for (std::size_t l = 0; l < lists(); ++l) {
    if (blocks_for(wanted[l]) <= runs_[l].blocks) continue;
    publish([&] { move_list(l, room_for(wanted[l] + wanted[l] / 2)); });
  }
}

// Behind all others; some ten microseconds for a thousand rows.
void ListBlocks::move_list(std::size_t list, std::uint32_t room) {
  const Run old = runs_[list];
  const std::size_t first = blocks();
  resize_blocks(first + room);
  copy_blocks(*this, old.first, first, blocks_for(old.rows));
  clear_slots(old.first, old.blocks);
  std::fill_n(owners_.data() + first, room, static_cast<std::uint32_t>(list));
  runs_[list] = {static_cast<std::uint32_t>(first), room, old.rows};
  take_places(list);
}

// All of them anew, in order, without what lies between.
void ListBlocks::rebuild_runs(std::span<const std::uint32_t> wanted, std::size_t blocks, const Publisher& publish) {
  ListBlocks fresh(*table_, dim_, metric_, codes_are_rows_, bits_);
  fresh.set_shape_of(*this);
  fresh.resize_blocks(blocks);
  fresh.runs_.resize(lists());
  fresh.positions_ = positions_;
  std::size_t next = 0;
  for (std::size_t l = 0; l < lists(); ++l) {
    fresh.copy_blocks(*this, runs_[l].first, next, blocks_for(runs_[l].rows));
    std::fill_n(fresh.owners_.data() + next, blocks_for(wanted[l]), static_cast<std::uint32_t>(l));
    fresh.runs_[l] = {static_cast<std::uint32_t>(next), room_for(wanted[l]), runs_[l].rows};
    fresh.take_places(l);
    next += blocks_for(wanted[l]);
  }
  publish([&] {
    std::swap(static_cast<BlockArrays&>(*this), static_cast<BlockArrays&>(fresh));
    runs_.swap(fresh.runs_);
    owners_.swap(fresh.owners_);
  });
}

ListBlocks::Worker ListBlocks::make_worker() const {
  Worker worker;
  worker.residuals.resize(kAtOnce * dim_);
  worker.heads.resize(kAtOnce * head());
  worker.views.reserve(kAtOnce);
  worker.out.reserve(kAtOnce);
  worker.head.resize(head());
  worker.whole.resize(dim_);
  worker.rest.resize(dim_);
  if (planes_ != nullptr) worker.levels.resize(3 * head());
  return worker;
}

void ListBlocks::take_residuals(const Centroids& centroids, const VectorStore& rows,
                                std::span<const std::uint32_t> from, std::span<const std::uint32_t> lists,
                                Worker& memory) const {
  const bool l2 = metric_ == RowMetric::kSquaredL2;
  const float* mean = l2 ? projection_->centre().data() : nullptr;
  memory.views.clear();
  memory.out.clear();
  for (std::size_t i = 0; i < from.size(); ++i) {
    float* r = memory.residuals.data() + i * dim_;
    rows.read(from[i], r);
    const auto* centre = reinterpret_cast<const float*>(centroids.rows().row(lists[i]));
    memory.out.push_back({std::sqrt(squared_distance(r, mean, dim_)), {}});
    for (std::size_t j = 0; j < dim_; ++j) r[j] -= centre[j];
    memory.views.push_back(r);
  }
  projection_->apply_direction(memory.views, memory.heads.data(), memory.projecting);
  for (std::size_t i = 0; i < from.size(); ++i) {
    const float* y = memory.heads.data() + i * head();
    const double squared = squared_distance(memory.views[i], nullptr, dim_);
    const double bias =
        l2 ? squared / 2 + dot(reinterpret_cast<const float*>(centre_heads_.row(lists[i])), y, head()) : 0.0;
    memory.out[i].row = {y, head(), squared, bias, row_error()};
  }
}

// What the code of the row at memory.out[at] leaves over. With d the numbers of the code, e the rest, and r' = V^T d + e the
// difference that both stand for,
//
//   -|q - c - r'|^2 / 2 = -|q - c|^2 / 2 + V(q - m) . d + q . e - (V(c - m) . d + c . e + |r'|^2 / 2)
//
// What stands in brackets, less the row's bias, is kept as the norm of the rest.
void ListBlocks::write_rest(const Centroids& centroids, std::size_t list, const ListBlocks& from, std::size_t position,
                            std::size_t at, Worker& memory, VectorStore& rests, std::size_t to) const {
  float* d = memory.head.data();
  float* whole = memory.whole.data();
  float* e = memory.rest.data();
  const float* r = memory.views[at];
  decode_head(from, position, d);
  expand(d, 1, whole, memory.expanding);
  for (std::size_t j = 0; j < dim_; ++j) e[j] = r[j] - whole[j];
  rests.write(to, e);
  if (metric_ != RowMetric::kSquaredL2) return;
  rests.read(to, e);
  const auto* centre = reinterpret_cast<const float*>(centroids.rows().row(list));
  const auto* centre_head = reinterpret_cast<const float*>(centre_heads_.row(list));
  double squared = 0;
  for (std::size_t j = 0; j < dim_; ++j) {
    const double x = static_cast<double>(whole[j]) + e[j];
    squared += x * x;
  }
  const double all = dot(centre_head, d, head()) + dot(centre, e, dim_) + squared / 2;
  rests.set_norm2(to, static_cast<float>(all - static_cast<double>(from.biases_[position])));
}

// The code of the row at memory.out[at] is the row; of the directions left out only the length counts, under l2.
void ListBlocks::write_as_row(std::size_t list, ListBlocks& into, std::size_t position, std::size_t at,
                              Worker& memory) const noexcept {
  if (metric_ != RowMetric::kSquaredL2) return;
  const Row& row = memory.out[at].row;
  float* d = memory.head.data();
  decode_head(into, position, d);
  if (planes_ != nullptr) {
    // Its length is known: products alone are guessed, as in RaBitQ.
    const auto* centre = reinterpret_cast<const float*>(centre_heads_.row(list));
    into.biases_[position] = static_cast<float>(dot(centre, d, head()) + row.squared / 2);
    return;
  }
  const double left_out = std::max(0.0, row.squared - squared_distance(row.head, nullptr, row.n));
  const auto* centre_head = reinterpret_cast<const float*>(centre_heads_.row(list));
  into.biases_[position] = static_cast<float>(dot(centre_head, d, head()) +
                                              (squared_distance(d, nullptr, head()) + left_out) / 2);
}

void ListBlocks::code_residual(const Centroids& centroids, std::size_t list, ListBlocks& into, std::size_t position,
                               std::size_t at, Worker& memory, VectorStore* rests, std::size_t to) const {
  Row& row = memory.out[at].row;
  if (planes_ != nullptr) {
    row.memory = memory.levels.data() + head();
    if (metric_ == RowMetric::kDot) {
      const auto* centre = reinterpret_cast<const float*>(centre_heads_.row(list));
      for (std::size_t i = 0; i < head(); ++i) memory.levels[i] = centre[i] + row.head[i];
      row.whole = memory.levels.data();
    }
  }
  into.write(position, row, codes_are_rows_);
  if (codes_are_rows_) write_as_row(list, into, position, at, memory);
  if (rests != nullptr) write_rest(centroids, list, into, position, at, memory, *rests, to);
}

void ListBlocks::put(const Centroids& centroids, const Arrivals& arrivals, std::span<const std::uint32_t> lists,
                     int threads) {
  const std::span<const std::uint32_t> to = arrivals.to;
  if (to.empty()) return;
  const std::size_t places = std::max<std::size_t>(positions_.size(), 1 + *std::max_element(to.begin(), to.end()));
  std::vector<std::uint32_t> wanted(this->lists());
  for (std::size_t l = 0; l < wanted.size(); ++l) wanted[l] = runs_[l].rows;
  std::vector<std::uint32_t> offsets(this->lists() + 1);
  for (const std::uint32_t l : lists) {
    ++wanted[l];
    ++offsets[l + 1];
  }
  std::partial_sum(offsets.begin(), offsets.end(), offsets.begin());
  std::vector<std::uint32_t> by_list(to.size());
  std::vector<std::uint32_t> next(offsets.begin(), offsets.end() - 1);
  for (std::size_t i = 0; i < lists.size(); ++i) by_list[next[lists[i]]++] = static_cast<std::uint32_t>(i);
  std::vector<Lengths> lengths(to.size());
  std::vector<std::size_t> orphans;
  orphans.reserve(to.size());
  positions_.resize(places);
  make_room_for(wanted, {});
  std::vector<Worker> workers(worker_count(this->lists(), threads, 1));
  for (Worker& worker : workers) worker = make_worker();
  // A list at a time, so that no two workers write to one block.
  parallel_for(this->lists(), threads, 1, [&](std::size_t begin, std::size_t end, std::size_t w) {
    for (std::size_t l = begin; l < end; ++l) {
      const std::size_t position = runs_[l].first * kBlockRows + runs_[l].rows;
      for (std::size_t first = offsets[l]; first < offsets[l + 1]; first += kAtOnce) {
        const std::size_t n = std::min<std::size_t>(kAtOnce, offsets[l + 1] - first);
        std::uint32_t from[kAtOnce];
        for (std::size_t i = 0; i < n; ++i) from[i] = arrivals.from[by_list[first + i]];
        workers[w].lists.assign(n, static_cast<std::uint32_t>(l));
        take_residuals(centroids, arrivals.rows, {from, n}, workers[w].lists, workers[w]);
        for (std::size_t i = 0; i < n; ++i) {
          const Residual& residual = workers[w].out[i];
          lengths[first + i] = {residual.row.squared, residual.row_length};
          code_residual(centroids, l, *this, position + (first + i - offsets[l]), i, workers[w], arrivals.rests,
                        arrivals.rests == nullptr ? 0 : arrivals.rests_to[by_list[first + i]]);
        }
      }
    }
  });
  for (std::size_t l = 0; l < this->lists(); ++l) {
    for (std::size_t i = offsets[l]; i < offsets[l + 1]; ++i) {
      const std::size_t position = runs_[l].first * kBlockRows + runs_[l].rows++;
      const std::uint32_t slot = to[by_list[i]];
      if (positions_[slot] != 0) orphans.push_back(positions_[slot] - 1);
      set_slot(position, slot);
      positions_[slot] = static_cast<std::uint32_t>(position) + 1;
      count_row(l, lengths[i]);
    }
  }
  size_ += to.size();
  // The last ones first, so that what fills a hole is none itself.
  std::sort(orphans.begin(), orphans.end(), std::greater<>());
  for (const std::size_t position : orphans) remove_at(position);
}

void ListBlocks::remove(std::uint32_t slot) noexcept {
  if (slot >= positions_.size() || positions_[slot] == 0) return;
  const std::size_t position = positions_[slot] - 1;
  positions_[slot] = 0;
  if (position < slots_.size()) remove_at(position);
}

void ListBlocks::remove_at(std::size_t position) noexcept {
  const std::uint32_t list = owners_[position / kBlockRows];
  Run& run = runs_[list];
  if (run.rows == 0) return;  // only in a damaged file
  const std::size_t last = run.first * kBlockRows + run.rows - 1;
  // As if it had been like the others, as its length is not known any more.
  const double part = static_cast<double>(run.rows - 1) / run.rows;
  energies_[list] *= part;
  eighth_powers_[list] *= part;
  if (last != position) move_row(last, position);
  set_slot(last, kNoSlot);
  --run.rows;
  --size_;
}

bool ListBlocks::covers(const float* query) const noexcept {
  const double longest = std::max(fixed_.longest, fixed_.longest_centre);
  return can_bound(metric_, std::sqrt(squared_distance(query, nullptr, dim_)), longest, mean_norm_);
}

void ListBlocks::prepare(std::span<const float* const> queries, std::span<CodedQuery> out,
                         CodeQueryMemory& memory) const {
  // A row less its centre is up to twice as long as either.
  const float longest = 2 * std::max(fixed_.longest, fixed_.longest_centre);
  // Where planes are the rows there is nothing that a projection could get wrong of them.
  const double error = planes() != nullptr && codes_are_rows_ ? 0 : row_error();
  code_queries(*table_, *projection_, metric_, {longest, 0, error, planes()}, queries, out, memory);
  const bool l2 = metric_ == RowMetric::kSquaredL2;
  const double wrong = l2 ? error * static_cast<double>(fixed_.longest_centre) * static_cast<double>(longest) : 0;
  for (CodedQuery& query : out) {
    query.offset = 0;
    if (l2) query.slack = round_up(static_cast<double>(query.slack) + wrong / query.scale);
  }
}

std::size_t ListBlocks::memory_usage() const noexcept {
  const std::size_t ranking = ranking_ == nullptr ? 0 : ranking_->memory_usage();
  return projection_->memory_usage() + columns_.memory_usage() + centre_heads_.memory_usage() + ranking + runs_.memory_usage() +
         energies_.memory_usage() + eighth_powers_.memory_usage() + array_memory() + owners_.memory_usage();
}

}  // namespace segue
