#pragma once
// The body of FlatIndex. Rows lie densely from slot 0; removing one moves the last into its place.

#include <memory>

#include "file/file_reader.hpp"
#include "flat/exact_scan.hpp"
#include "items/checked_index.hpp"
#include "segue/core/scratch_pool.hpp"
#include "segue/flat.hpp"

namespace segue {

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
    float max_norm;
    std::uint32_t zero;
  };

  const IdMap& id_map() const noexcept override { return ids_; }
  Status do_add(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) override;
  Status do_upsert(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) override;
  void do_remove(std::span<const Id> ids) override;
  void do_read(std::uint32_t slot, float* out) const override { store_.read(slot, out); }
  void do_search(MatrixView queries, std::size_t k, const SearchOptions& options, Id* ids,
                 float* scores) const override;
  RangeResult do_range_search(MatrixView queries, float threshold, const SearchOptions& options) const override;

  ScanTarget target() const noexcept;
  void write_row(std::size_t slot, const float* x, std::vector<float>& memory);
  const float* prepare(const float* query, ScanMemory& memory) const;
  void emit(const ScanMemory& memory, std::size_t k, Id* ids, float* scores) const noexcept;
  template <class Write>
  auto write_sections(const Write& write) const;

  IdMap ids_;
  VectorStore store_;
  float max_norm_ = 0;  // no row was ever longer
  mutable ScratchPool<ScanMemory> scratch_;
};

}  // namespace segue
