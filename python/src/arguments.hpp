#pragma once
// Plain arguments: numbers, names, paths. A wrong one raises segue.InvalidArgument with what came and what was expected.

#include <pybind11/pybind11.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "segue/types.hpp"

namespace segue::python {

// "2.5 (float)": the value, shortened, and its type unless it is int.
std::string describe(pybind11::handle value);

// An integer (numpy's too, no bool) of `smallest` to `largest`.
std::size_t to_size(pybind11::handle value, const char* name, std::size_t smallest = 0,
                    std::size_t largest = std::numeric_limits<std::ptrdiff_t>::max());
// One id to look up. A number that no id can be gives kMissingId.
Id to_id(pybind11::handle value);
std::uint64_t to_uint64(pybind11::handle value, const char* name);
// None gives 0, which in the C++ API stands for all.
int to_threads(pybind11::handle value);
double to_double(pybind11::handle value, const char* name);
float to_float(pybind11::handle value, const char* name);
// A number above 0 and at most 1.
double to_recall(pybind11::handle value);
bool to_bool(pybind11::handle value, const char* name);

std::string to_string(pybind11::handle value, const char* name);
Metric to_metric(pybind11::handle value);
Storage to_storage(pybind11::handle value);
// "auto" gives 0.
std::size_t to_nlist(pybind11::handle value);
// str, bytes or os.PathLike, in the file system's encoding.
std::string to_path(pybind11::handle value);

}  // namespace segue::python
