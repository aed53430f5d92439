#pragma once
// The body of HnswIndex: an HnswState behind the checks and the lock of CheckedIndex.

#include <memory>

#include "codes/plan_cache.hpp"
#include "file/file_reader.hpp"
#include "hnsw/hnsw_state.hpp"
#include "hnsw/match_plan.hpp"
#include "hnsw/search_graph.hpp"
#include "items/checked_index.hpp"
#include "segue/core/scratch_pool.hpp"
#include "segue/hnsw.hpp"

namespace segue {

// Which indexes can have storage pca8.
Status check_head_codes(std::size_t dim, Metric metric, const HnswOptions& options);

class HnswIndexBody final : public CheckedIndex<HnswIndex> {
 public:
  HnswIndexBody(std::size_t dim, Metric metric, const HnswOptions& options);
  ~HnswIndexBody() override { leave_metrics(); }
  // From a file whose kind is "hnsw".
  static Result<std::unique_ptr<Index>> open(const FileReader& file, bool verify);

  std::string_view kind() const noexcept override { return "hnsw"; }
  Storage storage() const noexcept override;
  const HnswOptions& options() const noexcept override { return options_; }
  std::size_t default_ef() const noexcept override { return kDefaultEf; }
  std::size_t memory_usage() const override;
  IndexStats stats() const override;
  Status validate() const override;

 private:
  static constexpr std::size_t kDefaultEf = 64;

  const IdMap& id_map() const noexcept override { return state_.ids; }
  Status do_add(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) override;
  Status do_upsert(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) override;
  void do_remove(std::span<const Id> ids) override;
  void do_write(const WriteSections& write) const override;
  void do_read(std::span<const std::uint32_t> slots, float* out) const override;
  void do_search(MatrixView queries, std::size_t k, const SearchOptions& options, Id* ids,
                 float* scores) const override;
  void search_some(MatrixView queries, std::size_t first, std::size_t k, const SearchOptions& options,
                   const MatchPlan* plan, bool scan_together, HnswSearchMemory& memory, Id* ids, float* scores) const;
  RangeResult do_range_search(MatrixView queries, float threshold, const SearchOptions& options) const override;

  Status change(MatrixView vectors, std::span<const Id> ids, const AddOptions& options);
  void tidy_if_needed(std::size_t changed, int threads);
  // The plan as of now; null where there is no filter.
  void refresh(std::shared_ptr<const MatchPlan>& plan, const SearchOptions& options) const;
  const float* prepare(const float* query, HnswSearchMemory& memory) const;
  std::size_t width(std::size_t k, const SearchOptions& options) const noexcept;

  HnswOptions options_;  // never changes, so reading it takes no lock
  HnswState state_;
  mutable PlanCache<MatchPlan> plans_;
  mutable ScratchPool<HnswSearchMemory> scratch_;
};

}  // namespace segue
