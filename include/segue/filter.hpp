#pragma once
// Sets of ids: what a search may return, and what it must leave out.
//
// IdSet is an immutable-by-value, compressed set of ids for `filter`: build it once (a market, an age limit), share it
// between any number of requests and threads. ExcludeIds is a borrowed list for `exclude`: what one request leaves
// out, typically what a listener has already played.
//
//   IdSet in_sweden = IdSet::from_ids(ids).value();
//   IdSet clean = IdSet::from_mask(not_explicit);
//   index->search(queries, 100, {.filter = &(in_sweden & clean)});
//
// Ids are split into chunks of 65,536 consecutive ids; each is kept as a sorted array of 16-bit offsets or as a bitmap,
// whichever is smaller (core/id_set_body.hpp has the layout). So a set costs at most 2 bytes an id where ids are dense,
// at most one bit an id of its range, and 26 bytes an id where every id is alone in its chunk. A flag complements the
// whole set: ~ costs nothing, and "everything but these" stays small.
//
// Copies share one immutable body and cost a reference count. contains() is one look-up of a chunk and one of a bit
// while ids are dense; O(log chunks) where they are scattered. Operators cost O(size of the operands).
// Thread-safety: any number of threads may read one set, and copies of it; assigning to a set is for one thread.
// Running out of memory in a copy or an operator throws std::bad_alloc, as with any container of std.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "segue/types.hpp"

namespace segue {

class IdSet {
 public:
  // The layout (core/id_set_body.hpp); search loops read it through core/id_set_reader.hpp.
  struct Body;

  // The empty set. A set that was moved from is empty.
  IdSet() noexcept;
  IdSet(const IdSet&) noexcept;
  IdSet(IdSet&&) noexcept;
  IdSet& operator=(const IdSet&) noexcept;
  IdSet& operator=(IdSet&&) noexcept;
  ~IdSet();

  // Any order, repeats allowed; sorted input is fastest. A negative id is kInvalidArgument and named with its position.
  static Result<IdSet> from_ids(std::span<const Id> ids);
  // Every id whose byte is not 0; ids past the end are not in the set.
  static IdSet from_mask(std::span<const std::uint8_t> mask);

  // A negative number is no id and in no set, complements included.
  bool contains(Id id) const noexcept;

  // True for a set made by ~: it holds every id except the listed ones.
  bool is_complement() const noexcept;
  // How many ids are listed (of a complement: how many are left out).
  std::size_t listed() const noexcept;
  // The listed ids, ascending.
  std::vector<Id> listed_ids() const;
  // Bytes held by the body, which copies share.
  std::size_t memory_usage() const noexcept;

  IdSet operator~() const noexcept;
  IdSet operator&(const IdSet& other) const;
  IdSet operator|(const IdSet& other) const;
  // Sets of the same ids are equal, however they were made.
  bool operator==(const IdSet& other) const noexcept;

  // Checks the invariants of the layout; for tests.
  Status validate() const;

 private:
  friend class IdSetReader;
  friend class IdSetBuilder;
  IdSet(std::shared_ptr<const Body> body, bool complement) noexcept;

  std::shared_ptr<const Body> body_;  // null: no id is listed
  bool complement_ = false;
};

// Ids to leave out of a search: none, one list for every query, or a list a query (as in a CSR matrix: query i leaves
// out ids[offsets[i] .. offsets[i + 1])). Borrowed; unknown ids are ignored.
struct ExcludeIds {
  std::span<const Id> ids = {};
  // Empty: `ids` is for all queries. Otherwise one more than there are queries, ascending, ending at ids.size().
  std::span<const std::size_t> offsets = {};

  std::span<const Id> of(std::size_t query) const noexcept {
    if (offsets.empty()) return ids;
    return ids.subspan(offsets[query], offsets[query + 1] - offsets[query]);
  }
};

}  // namespace segue
