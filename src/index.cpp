#include "segue/index.hpp"

#include "items/check_input.hpp"

namespace segue {

Result<SearchResult> Index::search(MatrixView queries, std::size_t k, const SearchOptions& options) const {
  SearchResult result;
  const Status status = guard_memory([&]() -> Status {
    // What is wrong is said, and counted, by search_into, before it writes anything.
    const std::size_t columns = k > kMaxK ? 0 : k;
    result.k = k;
    result.ids.resize(queries.rows() * columns);
    result.scores.resize(queries.rows() * columns);
    return search_into(queries, k, options, result.ids.data(), result.scores.data());
  });
  if (!status.ok()) return status;
  return result;
}

}  // namespace segue
