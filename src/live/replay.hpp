#pragma once
// Replay: the changes of a journal made again, many at a time, so that they cost what a build costs.
//
// Vectors and removals are gathered as long as they concern different ids: they may then be made in any order. A vector that
// comes again takes the place of the one before. Rows of the catalog are another matter than vectors and are made at once.

#include <cstdint>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "file/journal_reader.hpp"
#include "live/records.hpp"
#include "segue/index.hpp"

namespace segue {

class Replay {
 public:
  // Both outlive this.
  Replay(Index& index, int threads) : index_(index), catalog_(index.catalog()), threads_(threads) {}

  // kCorruptFile: it says what cannot be. Others: what the index or the catalog says.
  Status add(const JournalRecord& record);
  // What was gathered.
  Status flush();
  // Forgets it.
  void drop();
  std::uint64_t vectors() const noexcept { return vectors_seen_; }

 private:
  Status put(const PutItems& items);
  Status remove(std::span<const Id> ids);
  Status put_rows(const PutRows& rows);

  Index& index_;
  std::shared_ptr<Catalog> catalog_;
  int threads_;
  std::uint64_t vectors_seen_ = 0;
  std::vector<Id> ids_;
  std::vector<float> vectors_;
  std::unordered_map<Id, std::size_t> row_of_;  // of ids_
  std::unordered_set<Id> removed_;
};

}  // namespace segue
