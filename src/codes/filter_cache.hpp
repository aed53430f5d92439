#pragma once
// FilterCache: what an index knows of filters that came before, so that a market or an age limit is looked at once.
//
// A plan costs about what making its IdSet did, and some microseconds after a few changes of the index. Where nothing has
// changed while so many queries brought a filter that it pays, its rows are copied side by side (codes/packed_rows.hpp);
// answers stay the same. Filters are told apart by their contents, so a caller may make the same one again for each
// request. Safe from any number of threads.

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "codes/filter_marks.hpp"
#include "codes/packed_rows.hpp"

namespace segue {

// A filter as one index sees it.
struct FilterPlan {
  FilterMarks marks;
  std::vector<std::uint32_t> slots = {};   // all that it lets through, where they are so few that a scan would cost more
  std::vector<unsigned char> barred = {};  // lists: 1 where there is nothing that it lets through, else 0
  std::size_t open_lists = 0;              // how many are not barred
  std::shared_ptr<const PackedRows> packed = {};  // what it lets through of each list; null: not yet, or not worth it
  ChangeLog::Moment made = {};
};

class FilterCache {
 public:
  // The plan of a filter as of now, for so many queries. make(old, changed) makes it: `old` is null, or one before these
  // blocks changed. pack(plan) copies its rows, or returns null. Both are called without the lock, make perhaps by several
  // threads at once.
  template <class Make, class Pack>
  std::shared_ptr<const FilterPlan> find_or_make(const IdSet& filter, std::size_t queries, const ChangeLog& changes,
                                                 const Make& make, const Pack& pack) {
    std::shared_ptr<const FilterPlan> plan = find(filter);
    std::optional<std::span<const std::uint32_t>> changed;
    if (plan != nullptr) changed = changes.since(plan->made);
    if (changed && changed->empty()) {
      if (!pays_to_pack(filter, queries)) return plan;
      const std::shared_ptr<const PackedRows> rows = pack(*plan);
      if (rows == nullptr) return plan;
      FilterPlan packed = *plan;
      packed.packed = rows;
      plan = std::make_shared<const FilterPlan>(std::move(packed));
    } else {
      FilterPlan fresh = changed ? make(plan.get(), *changed) : make(nullptr, {});
      fresh.made = changes.now();
      plan = std::make_shared<const FilterPlan>(std::move(fresh));
    }
    keep(filter, plan);
    return plan;
  }
  std::size_t memory_usage() const;

 private:
  // The plans of this many filters take a thirtieth of what an index does; copies of their rows as much as its codes.
  static constexpr std::size_t kMost = 32;
  // A query saves about what copying so many rows costs.
  static constexpr std::size_t kRowsAQuery = 256;

  struct Entry {
    IdSet filter;
    std::shared_ptr<const FilterPlan> plan;
    std::uint64_t used;
    std::size_t queries = 0;  // since its plan was made
    bool packs = false;       // or has
  };

  std::vector<Entry>::iterator entry_of(const IdSet& filter);
  std::shared_ptr<const FilterPlan> find(const IdSet& filter);
  // Counts them. True once a plan: the caller is to pack.
  bool pays_to_pack(const IdSet& filter, std::size_t queries);
  // In the place of the one before it or, where there are many, of the one that was used longest ago.
  void keep(const IdSet& filter, std::shared_ptr<const FilterPlan> plan);
  // Copies of the filters used longest ago go until the others have at most so many rows.
  void drop_copies(std::size_t most_rows);

  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
  std::uint64_t clock_ = 0;
};

}  // namespace segue
