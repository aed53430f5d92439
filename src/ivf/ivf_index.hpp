#pragma once
// The body of IvfIndex. Rows lie densely from slot 0, as in a FlatIndex; lists of codes know them by slot.

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "file/file_reader.hpp"
#include "items/checked_index.hpp"
#include "items/gate.hpp"
#include "items/score_each.hpp"
#include "ivf/scan_lists.hpp"
#include "segue/core/scratch_pool.hpp"
#include "segue/ivf.hpp"

namespace segue {

struct IvfSearchMemory {
  ListScanMemory scan;
  ScoreEachMemory each;
  std::vector<VisitedSet> excluded;
  std::vector<Gate> gates;
  std::vector<float> normalized;
  std::vector<float> thresholds;
  std::vector<WalkStats> stats;
  std::vector<Candidate> found;
};

// The lists of an index as one value: what training makes, and what a change of items changes.
struct IvfLayout {
  Centroids centroids;
  ListBlocks blocks;
  Buffer<float> spread;          // inner product: what a list's spread adds to its worth
  std::uint64_t trained_on = 0;  // items; 0: by a sample of the caller's

  IvfLayout(const kernels::KernelTable& table, std::size_t dim, RowMetric metric)
      : centroids(table, dim), blocks(table, dim, metric) {}
  bool trained() const noexcept { return centroids.size() != 0; }
};

class IvfIndexBody final : public CheckedIndex<IvfIndex> {
 public:
  IvfIndexBody(std::size_t dim, Metric metric, const IvfOptions& options);
  // From a file whose kind is "ivf".
  static Result<std::unique_ptr<Index>> open(const FileReader& file, bool verify);

  std::string_view kind() const noexcept override { return "ivf"; }
  Storage storage() const noexcept override { return store_.storage(); }
  const IvfOptions& options() const noexcept override { return options_; }
  std::size_t nlist() const override;
  std::size_t default_nprobe() const override;
  Status train(MatrixView sample, const AddOptions& options) override;
  std::size_t memory_usage() const override;
  IndexStats stats() const override;
  Status validate() const override;
  Status save(const std::string& path) const override;
  Result<std::vector<unsigned char>> to_bytes() const override;

 private:
  struct Fixed;   // the section "ivf" of a file
  struct Wanted;  // what a search asks for, whatever the query

  const IdMap& id_map() const noexcept override { return ids_; }
  Status do_add(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) override;
  Status do_upsert(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) override;
  void do_remove(std::span<const Id> ids) override;
  void do_read(std::uint32_t slot, float* out) const override { store_.read(slot, out); }
  void do_search(MatrixView queries, std::size_t k, const SearchOptions& options, Id* ids,
                 float* scores) const override;
  RangeResult do_range_search(MatrixView queries, float threshold, const SearchOptions& options) const override;
  void set_effort(SearchOptions& options, std::size_t effort) const override { options.nprobe = effort; }

  Status change(MatrixView vectors, std::span<const Id> ids, const AddOptions& options);
  std::size_t lists_for(std::size_t items) const noexcept;
  bool outgrown(std::size_t items) const noexcept;
  void write_rows(MatrixView vectors, std::size_t first, int threads, VectorStore& to) const;
  Result<IvfLayout> lay_out(MatrixView sample, std::size_t lists, const AddOptions& options, std::size_t total) const;
  void deal(IvfLayout& layout, const VectorStore& rows, std::span<const std::uint32_t> from,
            std::span<const std::uint32_t> to, int threads) const;
  void weigh(IvfLayout& layout) const noexcept;
  Lists lists() const noexcept;

  std::size_t probes(const SearchOptions& options) const noexcept;
  template <class Take>
  void answer(MatrixView queries, std::size_t first, const Wanted& wanted, IvfSearchMemory& memory,
              const Take& take) const;
  template <class Take>
  void answer_all(MatrixView queries, const Wanted& wanted, const Take& take) const;
  void emit(std::span<const Candidate> found, std::size_t k, Id* ids, float* scores) const noexcept;
  template <class Write>
  auto write_sections(const Write& write) const;

  IvfOptions options_;
  IdMap ids_;
  VectorStore store_;
  IvfLayout layout_;
  mutable ScratchPool<IvfSearchMemory> scratch_;
};

}  // namespace segue
