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
// Layout: ids are split into chunks of 65,536 consecutive ids. A chunk is absent, an array of 16-bit offsets, or a
// bitmap, whichever is smaller; a sorted directory leads to it. A flag complements the whole set, so ~ costs nothing
// and the set of "everything but these" stays small. contains() is O(log chunks), O(1) while ids are dense.
// Operators are O(size of the operands). Reading is thread-safe; assigning is not.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "segue/types.hpp"

namespace segue {

class IdSet {
 public:
  // The empty set.
  IdSet();
  IdSet(const IdSet&);
  IdSet(IdSet&&) noexcept;
  IdSet& operator=(const IdSet&);
  IdSet& operator=(IdSet&&) noexcept;
  ~IdSet();

  // Any order, repeats allowed. A negative id is kInvalidArgument and named.
  static Result<IdSet> from_ids(std::span<const Id> ids);
  // Every id whose byte is not 0; ids past the end are not in the set.
  static IdSet from_mask(std::span<const std::uint8_t> mask);

  bool contains(Id id) const noexcept;

  // True for a set made by ~: it holds every id except the listed ones.
  bool is_complement() const noexcept;
  // How many ids are listed (of a complement: how many are left out).
  std::size_t listed() const noexcept;
  // The listed ids, ascending.
  std::vector<Id> listed_ids() const;
  std::size_t memory_usage() const noexcept;

  IdSet operator~() const;
  IdSet operator&(const IdSet& other) const;
  IdSet operator|(const IdSet& other) const;
  bool operator==(const IdSet& other) const noexcept;

  // Checks the invariants of the layout; for tests.
  Status validate() const;

  // For search loops: whether id is in the set, without a call. Stays valid as long as the set is unchanged.
  struct Chunk;
  struct Body;

 private:
  std::shared_ptr<const Body> body_;
  bool complement_ = false;
};

// Ids to leave out of a search: none, one list for every query, or a list a query (as in a CSR matrix: query i leaves
// out ids[offsets[i] .. offsets[i + 1])). Borrowed; unknown ids are ignored.
struct ExcludeIds {
  std::span<const Id> ids;
  // Empty: `ids` is for all queries. Otherwise one more than there are queries, ascending, ending at ids.size().
  std::span<const std::size_t> offsets;

  std::span<const Id> of(std::size_t query) const noexcept {
    if (offsets.empty()) return ids;
    return ids.subspan(offsets[query], offsets[query + 1] - offsets[query]);
  }
};

}  // namespace segue
