#include "serving/open_snapshot.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <functional>
#include <new>
#include <thread>
#include <utility>

#include "file/file_reader.hpp"
#include "items/check_input.hpp"
#include "load.hpp"
#include "serving/stand_back.hpp"

namespace segue {
namespace {

using Clock = std::chrono::steady_clock;

thread_local const ServingOptions* preparing = nullptr;

Status check_metric_of(Metric next, std::optional<Metric> metric, const std::string& what) {
  if (!metric || *metric == next) return {};
  return invalid_argument(what + " has the metric " + std::string(to_string(next)) + ", expected " +
                          std::string(to_string(*metric)) + " as what serves now: scores would change their meaning");
}

// Piece by piece, none before the rate allows it.
Status warm_up(const FileReader& file, std::uint64_t bytes_per_s) {
  constexpr std::uint64_t kPiece = std::uint64_t{256} << 10;
  const FileMemory& memory = *file.file_memory();
  const Clock::time_point start = Clock::now();
  for (std::uint64_t offset = 0; offset < memory.size(); offset += kPiece) {
    if (bytes_per_s != 0) {
      const double due = static_cast<double>(offset) / static_cast<double>(bytes_per_s);
      std::this_thread::sleep_until(start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(due)));
    }
    const int error = memory.populate(offset, std::min(kPiece, memory.size() - offset));
    if (error != 0) {
      return io_error(file.name() + ": bringing in the pages from byte " + std::to_string(offset) + " failed (errno " +
                      std::to_string(error) + "); the file cannot be read, or has become shorter");
    }
  }
  return {};
}

Status open_into(const std::string& path, const ServingOptions& options, std::optional<Metric> metric,
                 ServingSnapshotBody& snapshot) {
  const Result<FileReader> file = FileReader::open(path, options.mmap, false);
  if (!file.ok()) return file.status();
  SEGUE_RETURN_IF_ERROR(check_metric_of(file->identity().metric, metric, file->name()));
  if (options.warm_up) SEGUE_RETURN_IF_ERROR(warm_up(*file, options.warm_up_bytes_per_s));
  if (options.verify) SEGUE_RETURN_IF_ERROR(file->verify());
  Result<std::unique_ptr<Index>> index = open_index(*file, options.verify);
  if (!index.ok()) return index.status();
  snapshot.index_ = std::move(*index);
  snapshot.memory_ = file->file_memory();
  snapshot.path_ = path;
  return {};
}

Status prepare(const ServingOptions& options, ServingSnapshotBody& snapshot) {
  if (!options.prepare) return {};
  struct Mark {
    explicit Mark(const ServingOptions& mine) noexcept : before(std::exchange(preparing, &mine)) {}
    ~Mark() { preparing = before; }
    const ServingOptions* before;
  } const mark(options);
  try {
    return options.prepare(snapshot.index_, snapshot.prepared_);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    return {StatusCode::kUnsupported, std::string("prepare threw: ") + error.what()};
  } catch (...) {
    return {StatusCode::kUnsupported, "prepare threw something that is no exception of std"};
  }
}

Result<std::unique_ptr<ServingSnapshotBody>> make(const ServingOptions& options,
                                                  const std::function<Status(ServingSnapshotBody&)>& fill) {
  std::unique_ptr<ServingSnapshotBody> snapshot;
  Status status;
  const Status memory = guard_memory([&]() -> Status {
    stand_back(options.niceness, [&] {
      snapshot = std::make_unique<ServingSnapshotBody>();
      status = fill(*snapshot);
    });
    // In the caller's thread, at its priority: it may take locks that queries want, as Python's.
    if (status.ok()) status = prepare(options, *snapshot);
    return {};
  });
  if (!memory.ok()) return memory;
  if (!status.ok()) return status;
  return snapshot;
}

}  // namespace

bool is_preparing(const ServingOptions& options) noexcept { return preparing == &options; }

Result<std::unique_ptr<ServingSnapshotBody>> open_snapshot(const std::string& path, const ServingOptions& options,
                                                           std::optional<Metric> metric) {
  return make(options, [&](ServingSnapshotBody& snapshot) { return open_into(path, options, metric, snapshot); });
}

Result<std::unique_ptr<ServingSnapshotBody>> adopt_snapshot(std::shared_ptr<const Index> index,
                                                            const ServingOptions& options, std::optional<Metric> metric) {
  if (index == nullptr) return invalid_argument("the index to serve is null");
  SEGUE_RETURN_IF_ERROR(check_metric_of(index->metric(), metric, "the given index"));
  return make(options, [&](ServingSnapshotBody& snapshot) -> Status {
    snapshot.index_ = std::move(index);
    return {};
  });
}

}  // namespace segue
