#pragma once
// The body of FlatIndex: dense rows (codes/coded_index.hpp) and one layout of their codes, all of which a search may scan.

#include <memory>
#include <span>
#include <vector>

#include "codes/code_blocks.hpp"
#include "codes/coded_index.hpp"
#include "codes/scan_codes.hpp"
#include "file/file_reader.hpp"
#include "segue/flat.hpp"

namespace segue {

class FlatIndexBody final : public CodedIndex<FlatIndex, ScanCodesMemory> {
 public:
  FlatIndexBody(std::size_t dim, Metric metric, Storage storage);
  ~FlatIndexBody() override { leave_metrics(); }
  static Status check_options(std::size_t dim, Metric metric, const FlatOptions& options) {
    return CodedIndex::check_options(dim, metric, options.storage);
  }
  // From a file whose kind is "flat".
  static Result<std::unique_ptr<Index>> open(const FileReader& file, bool verify);

  std::string_view kind() const noexcept override { return "flat"; }
  std::size_t memory_usage() const override;
  IndexStats stats() const override;
  Status validate() const override;

 private:
  // The section "flat" of a file.
  struct Fixed {
    std::int64_t next_id;
  };

  Status do_add(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) override;
  Status do_upsert(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) override;
  void do_remove(std::span<const Id> ids) override;
  void do_write(const WriteSections& write) const override;

  bool covers(const float* query) const noexcept override { return codes_.covers(query); }
  void prepare(std::span<const float* const> queries, std::span<CodedQuery> out,
               CodeQueryMemory& memory) const override {
    codes_.prepare(queries, out, memory);
  }
  void scan(const CodeScan& wanted, ScanCodesMemory& memory, std::span<WalkStats> stats) const override;
  ExactScorer& exact_scorer(const float* query, const CodedQuery*, ScanCodesMemory& memory) const override {
    memory.scorer.reset(store_, codes_.metric(), query);
    return memory.scorer;
  }
  std::size_t scanned_bytes(const SearchOptions& options) const noexcept override;
  std::size_t group_size() const noexcept override;
  const BlockArrays& arrays() const noexcept override { return codes_; }
  std::size_t few_rows() const noexcept override;
  bool pays(const FilterPlan& plan, std::size_t queries) const noexcept override;
  bool improve(FilterPlan& plan) const override;
  std::shared_ptr<const CodedMatches> update(const CodedMatches& old, const FilterMarks& marks,
                                             std::span<const std::uint32_t> blocks) const override;
  void remove_code(std::uint32_t slot) noexcept override { codes_.remove(slot); }
  void rename_code(std::uint32_t last, std::uint32_t hole) noexcept override { codes_.rename(last, hole); }
  void resize_codes(std::size_t slots) override { codes_.resize_slots(slots); }

  Status change(MatrixView vectors, std::span<const Id> ids, const AddOptions& options);
  void add_first(MatrixView vectors, std::span<const Id> ids, int threads);
  void lay_out(int threads);
  void lay_out_if_wanted(int threads);

  CodeBlocks codes_;
};

}  // namespace segue
