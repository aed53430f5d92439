#pragma once
// Exclusions: the ids that a request leaves out. Searches take them as a list; a table is made once somebody asks for one
// id, which costs as much as blending a hundred candidates.

#include <cstddef>
#include <span>
#include <vector>

#include "candidates/id_table.hpp"
#include "segue/candidates/request.hpp"

namespace segue {

class Exclusions {
 public:
  // Of a request, its seeds among them where they are not to be proposed.
  void reset(const Request& request) {
    ids_.assign(request.exclude.begin(), request.exclude.end());
    if (request.exclude_seeds) ids_.insert(ids_.end(), request.seeds.begin(), request.seeds.end());
    known_ = false;
  }
  std::span<const Id> ids() const noexcept { return ids_; }
  // Whether it is one of them. Id is not negative.
  bool has(Id id) {
    if (!known_) {
      table_.reset(ids_.size());
      for (const Id out : ids_) {
        if (out >= 0) table_.insert(out, 0);
      }
      known_ = true;
    }
    return table_.find(id) != IdTable::kNone;
  }

 private:
  std::vector<Id> ids_;
  IdTable table_;
  bool known_ = false;
};

}  // namespace segue
