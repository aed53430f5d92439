#pragma once
// CheckedIndex: the first room of every index. Checks what came, takes the lock, and calls a body that may trust both.
//
// An index kind derives from CheckedIndex<its public class> and fills in the do_ functions, which may throw
// std::bad_alloc. There are two locks. `changing_` is held by a call that changes the index, from its start to its end, and
// by one that wants it to stand still for long (save, validate); no search ever takes it. `mutex_` is held shared by whoever
// reads, and alone for the moments in which a change becomes visible: see items/publisher.hpp. Whoever holds `changing_` may
// read without the other. They are always taken in this order.
//
// Where metrics are attached or trace hooks set, the public calls go through metrics/index_watch.hpp, which times and counts.

#include <algorithm>
#include <atomic>
#include <mutex>
#include <numeric>
#include <optional>
#include <shared_mutex>
#include <string>
#include <vector>

#include "catalog/catalog_file.hpp"
#include "file/file_reader.hpp"
#include "file/file_writer.hpp"
#include "items/check_input.hpp"
#include "items/index_internals.hpp"
#include "items/next_id.hpp"
#include "items/publisher.hpp"
#include "items/reader_mutex.hpp"
#include "items/recall_curves.hpp"
#include "items/return_memory.hpp"
#include "metrics/index_watch.hpp"

namespace segue {

template <class PublicIndex>
class CheckedIndex : public PublicIndex, public IndexInternals, private MetricsSource {
 public:
  std::size_t dim() const noexcept final { return dim_; }
  Metric metric() const noexcept final { return metric_; }

  std::size_t size() const final {
    const std::shared_lock lock(mutex_);
    return id_map().size();
  }
  bool contains(Id id) const final {
    const std::shared_lock lock(mutex_);
    return id_map().find(id) != kNoSlot;
  }
  std::vector<Id> ids() const final {
    const std::shared_lock lock(mutex_);
    std::vector<Id> all;
    all.reserve(id_map().slots());
    for (std::uint32_t slot = 0; slot < id_map().slots(); ++slot) {
      if (const Id id = id_map().id(slot); id >= 0) all.push_back(id);
    }
    std::sort(all.begin(), all.end());
    return all;
  }

  Status add(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) final {
    return watch_.change(Operation::kAdd, vectors.rows(), [&] { return add_checked(vectors, ids, options); });
  }
  Status upsert(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) final {
    return watch_.change(Operation::kUpsert, vectors.rows(), [&] { return upsert_checked(vectors, ids, options); });
  }
  Result<std::size_t> remove(std::span<const Id> ids) final {
    std::size_t removed = 0;
    const Status status = watch_.change(Operation::kRemove, removed, [&] { return remove_checked(ids, removed); });
    if (!status.ok()) return status;
    return removed;
  }

  Result<std::vector<float>> get(std::span<const Id> ids) const final {
    std::vector<float> out;
    const Status status = guard_memory([&]() -> Status {
      const std::shared_lock lock(mutex_);
      std::vector<std::uint32_t> slots(ids.size());
      id_map().find(ids, slots.data());
      if (const auto missing = std::find(slots.begin(), slots.end(), kNoSlot); missing != slots.end()) {
        const auto at = static_cast<std::size_t>(missing - slots.begin());
        return not_found("id " + std::to_string(ids[at]) + " at position " + std::to_string(at) + " is not in the index");
      }
      out.resize(ids.size() * dim_);
      do_read(slots, out.data());
      return {};
    });
    if (!status.ok()) return status;
    return out;
  }

  Status search_into(MatrixView queries, std::size_t k, const SearchOptions& options, Id* ids,
                     float* scores) const final {
    if (!watch_.on()) return search_checked(queries, k, options, ids, scores);
    return watch_.search(
        Operation::kSearch, queries, options,
        [&](const SearchOptions& measured) { return search_checked(queries, k, measured, ids, scores); },
        [&](ShadowRecall& shadow, std::uint64_t first, std::uint64_t index) {
          shadow.offer(first, index, queries, k, options, ids);
        });
  }

  Result<RangeResult> range_search(MatrixView queries, float threshold, const SearchOptions& options) const final {
    RangeResult result;
    const Status status =
        !watch_.on() ? range_search_checked(queries, threshold, options, result)
                     : watch_.search(
                           Operation::kRangeSearch, queries, options,
                           [&](const SearchOptions& measured) {
                             return range_search_checked(queries, threshold, measured, result);
                           },
                           [](ShadowRecall&, std::uint64_t, std::uint64_t) {});
    if (!status.ok()) return status;
    return result;
  }

  Status save(const std::string& path) const final {
    return guard_memory([&]() -> Status {
      const std::lock_guard still(changing_);
      Status status;
      write_all([&](const FileIdentity& identity, std::span<const SectionToWrite> sections) {
        status = write_file(path, identity, sections);
      });
      return status;
    });
  }
  Result<std::vector<unsigned char>> to_bytes() const final {
    std::vector<unsigned char> bytes;
    const Status status = guard_memory([&]() -> Status {
      const std::lock_guard still(changing_);
      Status written;
      write_all([&](const FileIdentity& identity, std::span<const SectionToWrite> sections) {
        Result<std::vector<unsigned char>> result = write_bytes(identity, sections);
        if (result.ok()) bytes = std::move(result).value();
        else written = result.status();
      });
      return written;
    });
    if (!status.ok()) return status;
    return bytes;
  }

  Id next_id() const final {
    const std::lock_guard still(changing_);
    return next_id_;
  }
  Status with_sections(const WriteSections& use) const final {
    return guard_memory([&]() -> Status {
      const std::lock_guard still(changing_);
      write_all(use);
      return {};
    });
  }

  std::shared_ptr<Catalog> catalog() const final {
    const std::shared_lock lock(mutex_);
    return catalog_;
  }
  void set_catalog(std::shared_ptr<Catalog> catalog) final {
    const std::lock_guard changing(changing_);
    publish_([&] { catalog_.swap(catalog); });
  }

  void set_metrics(std::shared_ptr<Metrics> metrics) const final { observe(std::move(metrics), true); }
  std::shared_ptr<Metrics> metrics() const final { return watch_.metrics(); }
  void observe(std::shared_ptr<Metrics> metrics, bool changes) const final {
    watch_.set(std::move(metrics), changes, *this);
  }
  std::size_t read_slots(std::size_t first, std::size_t count, std::vector<Id>& ids,
                         std::vector<float>& rows) const final {
    const std::shared_lock lock(mutex_);
    const std::size_t slots = id_map().slots();
    ids.clear();
    std::vector<std::uint32_t> taken;
    for (std::size_t slot = first; slot < std::min(slots, first + count); ++slot) {
      const Id id = id_map().id(static_cast<std::uint32_t>(slot));
      if (id < 0) continue;
      ids.push_back(id);
      taken.push_back(static_cast<std::uint32_t>(slot));
    }
    rows.resize(taken.size() * dim_);
    do_read(taken, rows.data());
    return slots;
  }

  std::vector<RecallCurve> recall_curves() const final {
    const std::shared_lock lock(mutex_);
    return curves_.all();
  }
  Status set_recall_curve(const RecallCurve& curve) final {
    if (this->exact()) return unsupported("the index finds all whatever the effort; it keeps no curve");
    return guard_memory([&] {
      const std::lock_guard changing(changing_);
      Status kept;
      publish_([&] { kept = curves_.keep(curve); });
      return kept;
    });
  }

 protected:
  CheckedIndex(std::size_t dim, Metric metric) noexcept : dim_(dim), metric_(metric) {}

  // ---- with `changing_` held; what others can see changes through publish_ alone ----
  virtual const IdMap& id_map() const noexcept = 0;
  // The ids are not there; `vectors` are as they came (cosine: not normalised).
  virtual Status do_add(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) = 0;
  // Some of the ids are there.
  virtual Status do_upsert(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) = 0;
  // All ids are there, each once.
  virtual void do_remove(std::span<const Id> ids) = 0;
  // All that a file holds of it.
  virtual void do_write(const WriteSections& write) const = 0;
  // ---- with `mutex_` held shared ----
  // The vectors of slots, one after the other.
  virtual void do_read(std::span<const std::uint32_t> slots, float* out) const = 0;
  // ---- these take `mutex_` themselves, for as much of their work as has to see one state ----
  virtual void do_search(MatrixView queries, std::size_t k, const SearchOptions& options, Id* ids,
                         float* scores) const = 0;
  virtual RangeResult do_range_search(MatrixView queries, float threshold, const SearchOptions& options) const = 0;

  // The first thing in the destructor of a kind.
  void leave_metrics() noexcept { watch_.leave(); }

  std::size_t dim_;
  Metric metric_;
  Id next_id_ = 0;  // see next_id.hpp
  RecallCurves curves_;
  std::shared_ptr<Catalog> catalog_;
  // It came from a file without verify. Reading copes with whatever a damaged file says; a change would build on it.
  std::atomic<bool> unchecked_ = false;
  // It came from one that is mapped for reading alone.
  std::optional<FileReader> read_only_file_;
  mutable std::mutex changing_;
  mutable ReaderMutex mutex_;
  const Publisher publish_{mutex_};

  // Without the locks, which validate() takes. Once it is valid it stays so.
  Status check_file_before_change() {
    if (read_only_file_) SEGUE_RETURN_IF_ERROR(read_only_file_->allow_writes());
    if (!unchecked_.load(std::memory_order_acquire)) return {};
    const Status valid = this->validate();
    if (!valid.ok()) {
      return corrupt_file("the index was opened without verify and is damaged: " + valid.message() +
                          "; it can be searched, not changed");
    }
    unchecked_.store(false, std::memory_order_release);
    return {};
  }

  // The last step of opening a file: all of it is there, and what it says is true or, without verify, not yet trusted.
  template <class Body>
  static Result<std::unique_ptr<Index>> finish_open(std::unique_ptr<Body> index, const FileReader& file, bool verify) {
    index->unchecked_ = !verify;
    if (!file.writable()) index->read_only_file_ = file;
    Result<std::shared_ptr<Catalog>> catalog = read_catalog(file);
    if (!catalog.ok()) return catalog.status();
    index->catalog_ = std::move(catalog).value();
    if (verify) {
      const Status valid = index->validate();
      if (!valid.ok()) return corrupt_file(file.name() + ": " + valid.message());
    }
    return std::unique_ptr<Index>(std::move(index));
  }

 private:
  void add_gauges(MetricsSnapshot& snapshot) const final {
    ++snapshot.indexes;
    snapshot.items += size();
    snapshot.memory += this->memory_usage();
  }
  const IndexInternals* scanned() const noexcept final { return this; }

  // What the kind writes, and the catalog.
  void write_all(const WriteSections& write) const {
    if (catalog_ == nullptr) return do_write(write);
    const CatalogSections catalog(*catalog_);
    do_write([&](const FileIdentity& identity, std::span<const SectionToWrite> own) {
      std::vector<SectionToWrite> sections(own.begin(), own.end());
      catalog.append_to(sections);
      write(identity, sections);
    });
  }

  Result<std::size_t> effort_for(std::size_t k, double recall) const {
    const std::shared_lock lock(mutex_);
    return curves_.effort_for(k, recall);
  }

  Status add_checked(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) {
    const Status added = guard_memory([&]() -> Status {
      SEGUE_RETURN_IF_ERROR(check_vectors(vectors, dim_, metric_));
      SEGUE_RETURN_IF_ERROR(check_threads(options.threads));
      const bool own_ids = !ids.empty();
      if (own_ids) SEGUE_RETURN_IF_ERROR(check_ids(ids, vectors.rows()));
      SEGUE_RETURN_IF_ERROR(check_file_before_change());
      const std::lock_guard changing(changing_);
      std::vector<Id> next;
      if (!own_ids) {
        if (const Id left = kLargestId - next_id_; vectors.rows() > static_cast<std::size_t>(left)) {
          return invalid_argument("an add without ids takes those after the largest ever used, and " +
                                  std::to_string(left) + " are left for " + std::to_string(vectors.rows()) +
                                  " vectors; give ids");
        }
        next.resize(vectors.rows());
        std::iota(next.begin(), next.end(), next_id_);
        ids = next;
      }
      SEGUE_RETURN_IF_ERROR(check_new(ids, id_map()));
      return insert(vectors, ids, options);
    });
    return_freed_memory(vectors.rows());
    return added;
  }

  Status upsert_checked(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) {
    const Status done = guard_memory([&]() -> Status {
      SEGUE_RETURN_IF_ERROR(check_vectors(vectors, dim_, metric_));
      SEGUE_RETURN_IF_ERROR(check_threads(options.threads));
      SEGUE_RETURN_IF_ERROR(check_ids(ids, vectors.rows()));
      SEGUE_RETURN_IF_ERROR(check_file_before_change());
      const std::lock_guard changing(changing_);
      return insert(vectors, ids, options);
    });
    return_freed_memory(vectors.rows());
    return done;
  }

  Status remove_checked(std::span<const Id> ids, std::size_t& removed) {
    return guard_memory([&]() -> Status {
      SEGUE_RETURN_IF_ERROR(check_file_before_change());
      const std::lock_guard changing(changing_);
      std::vector<Id> there;
      for (const Id id : ids) {
        if (id_map().find(id) != kNoSlot) there.push_back(id);
      }
      std::sort(there.begin(), there.end());
      there.erase(std::unique(there.begin(), there.end()), there.end());
      removed = there.size();
      if (!there.empty()) do_remove(there);
      curves_.count_changes(removed);
      return {};
    });
  }

  Status search_checked(MatrixView queries, std::size_t k, const SearchOptions& options, Id* ids,
                        float* scores) const {
    return guard_memory([&]() -> Status {
      SEGUE_RETURN_IF_ERROR(check_search(queries, k, options, dim_, metric_));
      if (options.recall == 0 || this->exact()) {
        do_search(queries, k, options, ids, scores);
        return {};
      }
      const Result<std::size_t> effort = effort_for(k, options.recall);
      if (!effort.ok()) return effort.status();
      SearchOptions chosen = options;
      chosen.recall = 0;
      chosen.ef = chosen.nprobe = *effort;  // a kind looks at its own
      do_search(queries, k, chosen, ids, scores);
      return {};
    });
  }

  Status range_search_checked(MatrixView queries, float threshold, const SearchOptions& options, RangeResult& result) const {
    return guard_memory([&]() -> Status {
      SEGUE_RETURN_IF_ERROR(check_search(queries, 1, options, dim_, metric_));
      if (threshold != threshold) return invalid_argument("threshold is NaN; it must be a number");
      if (options.recall != 0 && !this->exact()) {
        return unsupported("range_search cannot promise a recall: tune() measures the k best, not a threshold; pass ef or nprobe");
      }
      result = do_range_search(queries, threshold, options);
      return {};
    });
  }

  Status insert(MatrixView vectors, std::span<const Id> ids, const AddOptions& options) {
    if (vectors.empty()) return {};
    const Id largest = *std::max_element(ids.begin(), ids.end());
    SEGUE_RETURN_IF_ERROR(check_room(id_map().slots(), vectors.rows()));
    const bool any_there =
        id_map().size() != 0 &&
        std::any_of(ids.begin(), ids.end(), [&](Id id) { return id_map().find(id) != kNoSlot; });
    SEGUE_RETURN_IF_ERROR(any_there ? do_upsert(vectors, ids, options) : do_add(vectors, ids, options));
    next_id_ = next_id_after(next_id_, largest);
    curves_.count_changes(vectors.rows());
    return {};
  }

  mutable IndexWatch watch_{mutex_};
};

}  // namespace segue
