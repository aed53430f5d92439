#include "live/journal.hpp"

#include <algorithm>
#include <utility>

#include "file/directory.hpp"
#include "live/live_names.hpp"

namespace segue {
namespace {

Status after_sync_failed(const Status& why) {
  return io_error(why.message() +
                  "; nobody knows what the disk has of the last changes, so the index takes no more until it is opened "
                  "again; it can be searched, and all that was acknowledged before is safe");
}

}  // namespace

Journal::Journal(std::string directory, std::uint64_t identity, JournalFile file, std::uint64_t last,
                 const LiveOptions& options)
    : directory_(std::move(directory)),
      identity_(identity),
      durability_(options.durability),
      interval_(options.interval_ms),
      file_(std::make_shared<JournalFile>(std::move(file))),
      appended_(last),
      synced_(last) {
  allocate_ahead(*file_);
  bytes_ = file_->size();
  if (durability_ != Durability::kNever) thread_ = std::thread([this] { run(); });
}

Journal::~Journal() { (void)close(); }

// Only where somebody waits for every sync.
void Journal::allocate_ahead(JournalFile& file) const noexcept {
  constexpr std::uint64_t kAhead = std::uint64_t{4} << 20;
  if (durability_ == Durability::kBatch) file.allocate_ahead(kAhead);
}

Result<std::uint64_t> Journal::append(RecordType type, Payload payload) {
  RecordName name{static_cast<std::uint32_t>(type), 0, 0};
  {
    const std::lock_guard lock(mutex_);
    if (!failure_.ok()) return failure_;
    name.sequence = appended_ + 1;
    name.synced = synced_;
  }
  // Only this thread writes, or changes file_.
  size_before_ = file_->size();
  SEGUE_RETURN_IF_ERROR(file_->append(name, payload));
  {
    const std::lock_guard lock(mutex_);
    appended_ = name.sequence;
    bytes_ = file_->size();
  }
  appended_more_.notify_one();
  return name.sequence;
}

Status Journal::take_back(Status refused) {
  std::unique_lock lock(mutex_);
  // A sync under way would count the number as durable that the next record is to have.
  synced_more_.wait(lock, [this] { return !syncing_; });
  const Status cut = file_->cut(size_before_);
  bytes_ = file_->size();
  appended_ -= 1;
  synced_ = std::min(synced_, appended_);
  if (cut.ok()) return refused;
  failure_ = io_error(refused.message() + "; and what the journal says of it could not be taken back: " +
                      cut.message() + "; the index takes no more changes until it is opened again, and may hold it then");
  synced_more_.notify_all();
  return failure_;
}

Result<std::uint64_t> Journal::roll() {
  SEGUE_RETURN_IF_ERROR(sync());
  const std::uint64_t first = last() + 1;
  if (file_->first_sequence() == first) return std::uint64_t{0};
  Result<JournalFile> made = JournalFile::create(segment_path(directory_, first), identity_, first);
  if (!made.ok()) return made.status();
  auto next = std::make_shared<JournalFile>(std::move(made).value());
  allocate_ahead(*next);
  const std::uint64_t left = file_->size();
  (void)file_->trim();  // opening takes zeros for what they are as well
  const std::lock_guard lock(mutex_);
  file_ = std::move(next);
  bytes_ = file_->size();
  name_synced_ = false;
  return left;
}

void Journal::switch_to(JournalFile file, std::uint64_t last) {
  auto next = std::make_shared<JournalFile>(std::move(file));
  allocate_ahead(*next);
  std::unique_lock lock(mutex_);
  synced_more_.wait(lock, [this] { return !syncing_; });
  file_ = std::move(next);
  bytes_ = file_->size();
  appended_ = synced_ = last;
}

std::uint64_t Journal::last() const {
  const std::lock_guard lock(mutex_);
  return appended_;
}

Status Journal::wait(std::uint64_t sequence) {
  std::unique_lock lock(mutex_);
  if (durability_ != Durability::kBatch) return failure_;
  synced_more_.wait(lock, [&] { return synced_ >= sequence || !failure_.ok(); });
  return synced_ >= sequence ? Status() : failure_;
}

Status Journal::sync() {
  std::unique_lock lock(mutex_);
  const std::uint64_t wanted = appended_;
  while (failure_.ok() && (synced_ < wanted || !name_synced_)) {
    if (syncing_) {
      synced_more_.wait(lock);
    } else {
      (void)sync_now(lock);
    }
  }
  return failure_;
}

// One at a time: the system reports a failed write to the first who asks, and to nobody after that.
Status Journal::sync_now(std::unique_lock<std::mutex>& lock) {
  syncing_ = true;
  const std::uint64_t covers = appended_;
  const std::shared_ptr<JournalFile> file = file_;
  const bool name_too = !name_synced_;
  lock.unlock();
  Status done = file->sync();
  if (done.ok() && name_too) done = sync_directory(directory_);
  lock.lock();
  syncing_ = false;
  ++syncs_;
  if (done.ok()) {
    synced_ = std::max(synced_, covers);
    if (name_too) name_synced_ = true;
  } else if (failure_.ok()) {
    failure_ = after_sync_failed(done);
  }
  synced_more_.notify_all();
  return done;
}

void Journal::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    appended_more_.wait(lock, [this] { return stopping_ || (appended_ > synced_ && failure_.ok()); });
    if (durability_ == Durability::kInterval) appended_more_.wait_for(lock, interval_, [this] { return stopping_; });
    if (stopping_) break;
    if (syncing_) {
      synced_more_.wait(lock, [this] { return !syncing_; });
    } else if (appended_ > synced_) {
      (void)sync_now(lock);
    }
  }
}

void Journal::fail(Status why) {
  const std::lock_guard lock(mutex_);
  if (failure_.ok()) failure_ = std::move(why);
  synced_more_.notify_all();
}

Status Journal::health() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

Journal::Figures Journal::figures() const {
  const std::lock_guard lock(mutex_);
  return {appended_, synced_, bytes_, syncs_};
}

void Journal::stop_thread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  appended_more_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Status Journal::close() {
  if (std::exchange(closed_, true)) return {};
  Status done = sync();
  stop_thread();
  if (done.ok()) {
    // All before it is durable, which only this can say of the last record.
    const std::uint64_t last = appended_;
    done = file_->append({journal_layout::kMark, last, last}, {});
    if (done.ok()) done = file_->trim();
    if (done.ok()) done = file_->sync();
  }
  const Status closed = file_->close();
  if (done.ok()) done = closed;
  return done;
}

}  // namespace segue
