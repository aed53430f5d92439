#pragma once
// Journal: where a live index writes changes before it makes them, and who waits for the disk.
//
//   Result<std::uint64_t> sequence = journal.append(type, payload);   // one writer at a time
//   Status made = index.add(...);
//   if (!made.ok()) return journal.take_back(made);
//   ...                                                               // let the next writer in
//   return journal.wait(*sequence);                                   // as the durability asks
//
// Group commit: with Durability::kBatch a thread of the journal's syncs whenever something was appended since it last
// began to. It starts while the change that was appended is still being made, and what other callers append meanwhile
// shares the next sync. So nobody waits for more than two, and a change that takes longer than a sync hardly waits at all.
//
// A failed write is cut off and nothing else happens. A failed sync ends the journal: the system may have dropped the pages
// that it could not write and call the next sync a success, so whatever is said then would be a guess. Opening again reads
// what can be read, and writes it anew.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "file/journal_file.hpp"
#include "live/records.hpp"
#include "segue/live/live_options.hpp"

namespace segue {

class Journal {
 public:
  struct Figures {
    std::uint64_t sequence = 0;
    std::uint64_t durable = 0;
    std::uint64_t bytes = 0;  // of the segment
    std::uint64_t syncs = 0;
  };

  // `last`: the number of the last change there is; all are durable. `file` and its name are, too.
  Journal(std::string directory, std::uint64_t identity, JournalFile file, std::uint64_t last,
          const LiveOptions& options);
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  ~Journal();

  std::uint64_t identity() const noexcept { return identity_; }

  // ---- one at a time, under the lock of whoever changes the index ----
  // The number of the change. Whatever fails has changed nothing.
  Result<std::uint64_t> append(RecordType type, Payload payload);
  // The last append is not to be: `refused`, with more to say where it could not be taken back.
  Status take_back(Status refused);
  // Continues in a new segment, unless nothing is in the one that there is. Everything before it is durable then. How many
  // bytes were left behind. Fails: goes on in the old one, unless it was the sync that failed.
  Result<std::uint64_t> roll();
  // Continues in that segment, whose name is durable; all numbers up to `last` are.
  void switch_to(JournalFile file, std::uint64_t last);
  // The last number, whatever happens to it yet.
  std::uint64_t last() const;

  // ---- any thread ----
  Status wait(std::uint64_t sequence);
  Status sync();
  // Ends what takes changes, because of that.
  void fail(Status why);
  Status health() const;
  Figures figures() const;
  // Syncs, marks the end, closes.
  Status close();

 private:
  void run();
  Status sync_now(std::unique_lock<std::mutex>& lock);
  void stop_thread();
  void allocate_ahead(JournalFile& file) const noexcept;

  const std::string directory_;
  const std::uint64_t identity_;
  const Durability durability_;
  const std::chrono::milliseconds interval_;

  mutable std::mutex mutex_;
  std::condition_variable appended_more_;  // for the thread: appended_ or stopping_ changed
  std::condition_variable synced_more_;    // synced_, syncing_ or failure_ changed
  std::shared_ptr<JournalFile> file_;
  std::uint64_t size_before_ = 0;  // of the file, before the last append
  std::uint64_t bytes_ = 0;        // of the file, for those who ask beside whoever appends
  std::uint64_t appended_;         // numbers, all of them inclusive
  std::uint64_t synced_;
  std::uint64_t syncs_ = 0;
  bool name_synced_ = true;  // the file's
  bool syncing_ = false;
  bool stopping_ = false;
  bool closed_ = false;
  Status failure_;
  std::thread thread_;
};

}  // namespace segue
