#include "segue/index.hpp"

#include "items/check_input.hpp"

namespace segue {

Result<SearchResult> Index::search(MatrixView queries, std::size_t k, const SearchOptions& options) const {
  SearchResult result;
  const Status status = guard_memory([&]() -> Status {
    SEGUE_RETURN_IF_ERROR(check_search(queries, k, options, dim(), metric()));
    result.k = k;
    result.ids.resize(queries.rows() * k);
    result.scores.resize(queries.rows() * k);
    return search_into(queries, k, options, result.ids.data(), result.scores.data());
  });
  if (!status.ok()) return status;
  return result;
}

}  // namespace segue
