#include "segue/recall.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

namespace segue {
namespace {

Status check_rows(const char* what, std::size_t size, std::size_t row, std::size_t k) {
  if (row < k) {
    return invalid_argument(std::string(what) + " has rows of " + std::to_string(row) + " ids; recall at k = " +
                            std::to_string(k) + " needs at least k");
  }
  if (size % row != 0) {
    return invalid_argument(std::string(what) + " holds " + std::to_string(size) + " ids, which are not whole rows of " +
                            std::to_string(row));
  }
  return {};
}

// The distinct ids of row[0 .. k), ascending, without missing ones.
void distinct(const Id* row, std::size_t k, std::vector<Id>& out) {
  out.clear();
  std::copy_if(row, row + k, std::back_inserter(out), [](Id id) { return id >= 0; });
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
}

}  // namespace

Result<double> recall(std::span<const Id> ids, std::size_t ids_k, std::span<const Id> truth, std::size_t truth_k,
                      std::size_t k) {
  if (k < 1) return invalid_argument("k is 0; recall needs k of at least 1");
  SEGUE_RETURN_IF_ERROR(check_rows("ids", ids.size(), ids_k, k));
  SEGUE_RETURN_IF_ERROR(check_rows("truth", truth.size(), truth_k, k));
  const std::size_t queries = ids.size() / ids_k;
  if (queries != truth.size() / truth_k) {
    return invalid_argument("ids has " + std::to_string(queries) + " rows and truth " +
                            std::to_string(truth.size() / truth_k) + "; both need one row a query");
  }
  if (queries == 0) return invalid_argument("there are no queries; recall is a mean over at least one");

  std::size_t hits = 0;
  std::vector<Id> found, wanted, both;
  for (std::size_t q = 0; q < queries; ++q) {
    distinct(ids.data() + q * ids_k, k, found);
    distinct(truth.data() + q * truth_k, k, wanted);
    both.clear();
    std::set_intersection(found.begin(), found.end(), wanted.begin(), wanted.end(), std::back_inserter(both));
    hits += both.size();
  }
  return static_cast<double>(hits) / (static_cast<double>(queries) * static_cast<double>(k));
}

}  // namespace segue
