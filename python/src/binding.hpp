#pragma once
// What the files of the module share: one bind function each, called by module.cpp in this order.

#include <pybind11/pybind11.h>

#include <memory>

#include "segue/index.hpp"

namespace segue::python {

void bind_id_set(pybind11::module_& module);
// Index, FlatIndex, HnswIndex, without their searches.
void bind_index(pybind11::module_& module);
// search() and range_search() of Index.
void bind_search(pybind11::module_& module);
// Expression, _Catalog, Index.catalog.
void bind_catalog(pybind11::module_& module);
// _Source, _Generator.
void bind_candidates(pybind11::module_& module);
void bind_files(pybind11::module_& module);
// LiveIndex.
void bind_live(pybind11::module_& module);
// _build_file.
void bind_build_file(pybind11::module_& module);
// _build, _recall and the instruction sets.
void bind_build(pybind11::module_& module);
// _tune.
void bind_tune(pybind11::module_& module);

// The Python object of the class that the index is of.
pybind11::object adopt(std::unique_ptr<Index> index);

// The index inside `self`; raises segue.InvalidArgument where a subclass forgot super().__init__().
Index& index_of(pybind11::handle self);

}  // namespace segue::python
