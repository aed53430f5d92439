#pragma once
// What the files of the module share: one bind function each, called by module.cpp in this order.

#include <pybind11/pybind11.h>

#include <memory>

#include "segue/index.hpp"
#include "segue/serving.hpp"

namespace segue::python {

void bind_id_set(pybind11::module_& module);
// Index, FlatIndex, HnswIndex, without their searches.
void bind_index(pybind11::module_& module);
// search() and range_search() of Index and Serving.
void bind_search(pybind11::module_& module);
// Expression, _Catalog, Index.catalog.
void bind_catalog(pybind11::module_& module);
// _Source, _Generator.
void bind_candidates(pybind11::module_& module);
void bind_files(pybind11::module_& module);
// LiveIndex.
void bind_live(pybind11::module_& module);
// Serving, ServingSnapshot, without their searches.
void bind_serving(pybind11::module_& module);
// Metrics, Index.metrics, Serving.metrics, _set_tracer.
void bind_metrics(pybind11::module_& module);
// _build_file.
void bind_build_file(pybind11::module_& module);
// _build, _recall and the instruction sets.
void bind_build(pybind11::module_& module);
// _tune.
void bind_tune(pybind11::module_& module);

// The Python object of the class that the index is of: the one that there is, where Python knows the index already.
pybind11::object adopt(std::shared_ptr<Index> index);

// The index inside `self`; raises segue.InvalidArgument where a subclass forgot super().__init__().
Index& index_of(pybind11::handle self);

Serving& serving_of(pybind11::handle self);

// The index that a Serving serves now, held together with its snapshot.
std::shared_ptr<const Index> served_index(pybind11::handle self);

// Keeps a Python object for C++, which may let go of it without the GIL.
std::shared_ptr<pybind11::object> hold(const pybind11::object& object);

}  // namespace segue::python
