#pragma once
// The body of FlatIndex. Rows lie densely from slot 0; removing one moves the last into its place. Their codes, which a
// search scans first, know them by slot.

#include <memory>
#include <span>
#include <vector>

#include "codes/code_blocks.hpp"
#include "codes/scan_codes.hpp"
#include "file/file_reader.hpp"
#include "items/score_each.hpp"
#include "items/checked_index.hpp"
#include "items/gate.hpp"
#include "segue/core/scratch_pool.hpp"
#include "segue/flat.hpp"

namespace segue {

struct FlatSearchMemory {
  ScanCodesMemory codes;
  ScoreEachMemory each;
  std::vector<VisitedSet> excluded;
  std::vector<Gate> gates;
  std::vector<float> normalized;
  std::vector<std::size_t> coded;  // which of the queries at hand go through the codes
  std::vector<const float*> queries;
  std::vector<float> thresholds;
  std::vector<WalkStats> stats;
  std::vector<Candidate> found;
};

class FlatIndexBody final : public CheckedIndex<FlatIndex> {
 public:
  FlatIndexBody(std::size_t dim, Metric metric, Storage storage);
  // From a file whose kind is "flat".
  static Result<std::unique_ptr<Index>> open(const FileReader& file, bool verify);

  std::string_view kind() const noexcept override { return "flat"; }
  Storage storage() const noexcept override { return store_.storage(); }
  std::size_t memory_usage() const override;
  IndexStats stats() const override;
  Status validate() const override;
  Status save(const std::string& path) const override;
  Result<std::vector<unsigned char>> to_bytes() const override;

 private:
  // The section "flat" of a file.
  struct Fixed {
    std::int64_t next_id;
  };

  const IdMap& id_map() const noexcept override { return ids_; }
  Status do_add(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) override;
  Status do_upsert(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) override;
  void do_remove(std::span<const Id> ids) override;
  void do_read(std::uint32_t slot, float* out) const override { store_.read(slot, out); }
  void do_search(MatrixView queries, std::size_t k, const SearchOptions& options, Id* ids,
                 float* scores) const override;
  RangeResult do_range_search(MatrixView queries, float threshold, const SearchOptions& options) const override;

  struct Wanted;  // what a search asks for, whatever the query
  void write_rows(MatrixView vectors, std::size_t first, int threads, VectorStore& to) const;
  void lay_out_if_wanted(int threads);
  const float* prepare(MatrixView queries, std::vector<float>& normalized) const;
  template <class Take>
  void answer(MatrixView queries, std::size_t first, const Wanted& wanted, FlatSearchMemory& memory,
              const Take& take) const;
  template <class Take>
  void answer_all(MatrixView queries, const Wanted& wanted, const Take& take) const;
  void emit(std::span<const Candidate> found, std::size_t k, Id* ids, float* scores) const noexcept;
  template <class Write>
  auto write_sections(const Write& write) const;

  IdMap ids_;
  VectorStore store_;
  CodeBlocks codes_;
  mutable ScratchPool<FlatSearchMemory> scratch_;
};

}  // namespace segue
