#pragma once
// The keyword arguments that search() and range_search() share, and the SearchOptions they become.

#include <pybind11/pybind11.h>

#include <cstddef>
#include <optional>
#include <vector>

#include "arrays.hpp"
#include "segue/index.hpp"

namespace segue::python {

// As they came. Null: not given.
struct SearchKeywords {
  pybind11::handle ef;
  pybind11::handle nprobe;
  pybind11::handle recall;
  pybind11::handle filter;
  pybind11::handle exclude;
  pybind11::handle deadline_us;
  pybind11::handle threads;
  pybind11::handle stats;
};

// Keeps alive whatever its options point to.
class SearchArguments {
 public:
  // Raises segue.InvalidArgument.
  SearchArguments(const Index& index, const SearchKeywords& keywords, std::size_t queries);
  SearchArguments(const SearchArguments&) = delete;
  SearchArguments& operator=(const SearchArguments&) = delete;

  const SearchOptions& options() const noexcept { return options_; }
  // What goes into a result's `stats`: a record array, a record of it for a single query, or null if nobody asked.
  pybind11::object stats(bool single) const;

 private:
  void set_filter(const Index& index, pybind11::handle filter);
  void set_exclude(pybind11::handle exclude, std::size_t queries);
  void set_stats(std::size_t queries);

  SearchOptions options_;
  std::optional<IdSet> made_;  // of a mask or an expression
  IdInput excluded_;
  pybind11::object offsets_;
  pybind11::object stats_;
};

// Looks up the converters of segue/_arrays.py.
void init_search_arguments();

}  // namespace segue::python
