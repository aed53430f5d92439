#pragma once
// Arrays in and out. In: a C-contiguous float32 matrix or int64 list of numpy is looked at where it lies; all else
// goes through segue/_arrays.py, which converts it or says why not. Out: arrays that own what the library filled.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "segue/matrix_view.hpp"
#include "segue/types.hpp"

namespace segue::python {

// Looks up numpy's types and the converters once.
void init_arrays();

struct FloatInput {
  // Null where the view borrows from the argument.
  pybind11::object owner;
  MatrixView view;
  // It came as (d,), not as (n, d).
  bool single = false;
};

struct IdInput {
  pybind11::object owner;
  std::span<const Id> ids;
  // It came as one number.
  bool single = false;
};

// `what` names the argument in messages and is a plural. The shape must be (n, dim) or (dim,).
FloatInput to_floats(pybind11::handle value, std::size_t dim, const char* what);
// The same with any dimension, (n, d) only.
FloatInput to_matrix(pybind11::handle value, const char* what);
IdInput to_ids(pybind11::handle value, const char* what);
// Whether `value` is a numpy array of exactly that kind: one dimension, contiguous, int64.
bool is_id_array(pybind11::handle value) noexcept;

// Uninitialised, of shape (columns,) for a single row, else (rows, columns).
PyObject* new_ids(std::size_t rows, std::size_t columns, bool single);
PyObject* new_scores(std::size_t rows, std::size_t columns, bool single);
// `rows` records of QueryStats, zero: an array whose single elements have the fields as attributes.
pybind11::object new_stats(std::size_t rows);
void* data_of(PyObject* array) noexcept;

// An array that takes the vector over.
template <class T>
pybind11::array_t<T> own(std::vector<T>&& values, std::vector<pybind11::ssize_t> shape) {
  auto held = std::make_unique<std::vector<T>>(std::move(values));
  pybind11::capsule keeper(held.get(), [](void* pointer) { delete static_cast<std::vector<T>*>(pointer); });
  T* data = held.release()->data();
  return pybind11::array_t<T>(std::move(shape), data, keeper);
}

template <class T>
pybind11::array_t<T> own(std::vector<T>&& values) {
  const auto size = static_cast<pybind11::ssize_t>(values.size());
  return own(std::move(values), {size});
}

}  // namespace segue::python
