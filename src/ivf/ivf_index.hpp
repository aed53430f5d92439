#pragma once
// The body of IvfIndex: dense rows (codes/coded_index.hpp) and lists of their codes, which know them by slot.

#include <memory>
#include <span>

#include "codes/coded_index.hpp"
#include "file/file_reader.hpp"
#include "ivf/list_bonuses.hpp"
#include "ivf/scan_lists.hpp"
#include "segue/ivf.hpp"

namespace segue {

// The lists of an index as one value: what training makes, and what a change of items changes.
struct IvfLayout {
  Centroids centroids;
  ListBlocks blocks;
  ListBonuses bonuses;           // inner product: what a list's spread adds to its worth
  std::uint64_t trained_on = 0;  // items; 0: centres of the caller's
  // Since the lists were made, or read: rows that came, rows that went, and what the mean |r|^2 of all was then (ListBlocks),
  // or, where there were none, of the sample. Below zero: unknown.
  std::uint64_t arrived = 0;
  std::uint64_t departed = 0;
  double energy = -1;

  IvfLayout(const kernels::KernelTable& table, std::size_t dim, RowMetric metric, bool codes_are_rows, unsigned bits)
      : centroids(table, dim), blocks(table, dim, metric, codes_are_rows, bits) {}
  bool trained() const noexcept { return centroids.size() != 0; }
  std::vector<float> centres() const;
  void measure() noexcept {
    if (blocks.size() != 0) energy = blocks.mean_energy();
  }
};

class IvfIndexBody final : public CodedIndex<IvfIndex, ListScanMemory> {
 public:
  IvfIndexBody(std::size_t dim, Metric metric, const IvfOptions& options);
  ~IvfIndexBody() override { leave_metrics(); }
  static Status check_options(std::size_t dim, Metric metric, const IvfOptions& options);
  // From a file whose kind is "ivf".
  static Result<std::unique_ptr<Index>> open(const FileReader& file, bool verify);

  std::string_view kind() const noexcept override { return "ivf"; }
  Storage storage() const noexcept override { return coded_ ? codes_ : store_.storage(); }
  const IvfOptions& options() const noexcept override { return options_; }
  std::size_t nlist() const override;
  std::size_t default_nprobe() const override;
  Status train(MatrixView sample, const AddOptions& options) override { return train_lists(sample, nullptr, options); }
  Status train(MatrixView sample, MatrixView centroids, const AddOptions& options) override {
    return train_lists(sample, &centroids, options);
  }
  std::vector<float> centroids() const override;
  std::size_t memory_usage() const override;
  IndexStats stats() const override;
  Status validate() const override;

 private:
  friend class IvfFileBuild;
  // The section "ivf" of a file.
  struct Fixed {
    std::int64_t next_id;
    std::uint64_t nlist;  // as asked for; 0: auto
    std::uint64_t seed;
    std::uint64_t trained_on;
    ListBlocks::Fixed codes;
  };

  // What a change has to do with the lists first.
  enum class Training { kNone, kFromCentres, kFromRows };

  Status do_add(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) override {
    return change(vectors, ids, options);
  }
  Status do_upsert(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) override {
    return change(vectors, ids, options);
  }
  void do_remove(std::span<const Id> ids) override;
  void do_write(const WriteSections& write) const override;

  bool covers(const float* query) const noexcept override {
    return layout_.trained() && layout_.blocks.covers(query);
  }
  void prepare(std::span<const float* const> queries, std::span<CodedQuery> out,
               CodeQueryMemory& memory) const override {
    layout_.blocks.prepare(queries, out, memory);
  }
  void scan(const CodeScan& wanted, ListScanMemory& memory, std::span<WalkStats> stats) const override;
  ExactScorer& exact_scorer(const float* query, const CodedQuery* coded, ListScanMemory& memory) const override;
  bool keeps_store() const noexcept override { return !coded_ || finer_; }
  void do_read(std::span<const std::uint32_t> slots, float* out) const override;
  std::size_t scanned_bytes(const SearchOptions& options) const noexcept override;
  std::size_t group_size() const noexcept override;
  const BlockArrays& arrays() const noexcept override { return layout_.blocks; }
  std::size_t few_rows() const noexcept override;
  std::size_t quick_rows() const noexcept override;
  void complete(FilterPlan& plan) const override;
  bool pays(const FilterPlan& plan, std::size_t queries) const noexcept override;
  bool improve(FilterPlan& plan) const override;
  std::shared_ptr<const CodedMatches> update(const CodedMatches& old, const FilterMarks& marks,
                                             std::span<const std::uint32_t> blocks) const override;
  std::shared_ptr<const PackedRows> pack(const FilterPlan& plan) const;
  CodedMatches code(const FilterPlan& plan) const;
  void remove_code(std::uint32_t slot) noexcept override;
  void rename_code(std::uint32_t last, std::uint32_t hole) noexcept override { layout_.blocks.rename(last, hole); }
  void resize_codes(std::size_t slots) override { layout_.blocks.resize_slots(slots); }

  Status change(MatrixView vectors, std::span<const Id> ids, const AddOptions& options);
  FileIdentity identity() const;
  std::size_t lists_for(std::size_t items) const noexcept;
  Status lay_out_anew(const VectorStore& rows, std::span<const Id> ids, std::span<const std::uint32_t> to,
                      std::size_t after, Training training, const AddOptions& options);
  Training wanted_training(std::size_t items) const noexcept;
  bool outgrown(std::size_t items) const noexcept;
  bool drifted() const noexcept;
  bool replaced() const noexcept;
  Status check_centroids(MatrixView centroids) const;
  Status train_lists(MatrixView sample, const MatrixView* centroids, const AddOptions& options);
  IvfLayout lay_out_around(MatrixView centres, MatrixView sample, int threads) const;
  // `start`: centres to go on from.
  Result<IvfLayout> lay_out(MatrixView sample, std::size_t lists, const AddOptions& options, std::size_t total,
                            MatrixView start = {}) const;
  void take_arrivals(const VectorStore& rows, std::span<const Id> ids, std::span<const std::uint32_t> to, std::size_t after,
                     int threads);
  std::vector<std::uint32_t> nearest_lists(const IvfLayout& layout, const ListBlocks::Arrivals& arrivals,
                                           int threads) const;
  void deal(IvfLayout& layout, const ListBlocks::Arrivals& arrivals, int threads) const;
  VectorStore decode_rows(std::span<const std::uint32_t> slots, int threads) const;
  VectorStore decode_all(int threads) const;
  // For what codes leave over in these lists.
  VectorStore make_rests(const IvfLayout& layout, std::size_t rows) const;
  ListRows list_rows() const noexcept { return {layout_.centroids, layout_.blocks, finer_ ? &store_ : nullptr}; }
  void weigh(IvfLayout& layout, std::size_t list) const noexcept;
  void weigh_all(IvfLayout& layout) const;
  Lists lists() const noexcept;
  std::size_t probes(const SearchOptions& options) const noexcept;

  // Rows of the store are what they are in full; or, where codes decide, what those leave over, or there are none.
  IvfOptions options_;
  bool coded_ = false;
  bool finer_ = false;
  Storage codes_ = Storage::kPca8;  // those of blocks
  IvfLayout layout_;
};

}  // namespace segue
