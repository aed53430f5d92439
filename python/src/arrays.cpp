#include "arrays.hpp"

#include <string>

#include "errors.hpp"
#include "immortal.hpp"

namespace py = pybind11;

namespace segue::python {
namespace {

using Numpy = py::detail::npy_api;

constexpr int kReady = Numpy::NPY_ARRAY_C_CONTIGUOUS_ | Numpy::NPY_ARRAY_ALIGNED_;

struct Cached {
  Numpy* api = nullptr;
  PyObject* array = nullptr;
  PyObject* float32 = nullptr;
  PyObject* int64 = nullptr;
  PyObject* as_floats = nullptr;
  PyObject* as_ids = nullptr;
};
Cached cached;

bool is_ready(py::handle value, PyObject* dtype) noexcept {
  if (reinterpret_cast<PyObject*>(Py_TYPE(value.ptr())) != cached.array) return false;
  const auto* proxy = py::detail::array_proxy(value.ptr());
  return proxy->descr == dtype && (proxy->flags & kReady) == kReady;
}

py::object convert(PyObject* converter, py::handle value, const char* what) {
  return py::reinterpret_borrow<py::object>(converter)(value, what);
}

std::string shape_of(const py::detail::PyArray_Proxy* proxy) {
  std::string text = "(";
  for (int i = 0; i < proxy->nd; ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(proxy->dimensions[i]);
  }
  return text + (proxy->nd == 1 ? ",)" : ")");
}

PyObject* new_array(PyObject* dtype, std::size_t rows, std::size_t columns, bool single) {
  const Py_intptr_t shape[2] = {static_cast<Py_intptr_t>(rows), static_cast<Py_intptr_t>(columns)};
  Py_INCREF(dtype);  // the call takes it
  PyObject* made = cached.api->PyArray_NewFromDescr_(cached.api->PyArray_Type_, dtype, single ? 1 : 2,
                                                     single ? shape + 1 : shape, nullptr, nullptr, 0, nullptr);
  if (made != nullptr) return made;
  PyErr_Clear();
  raise(out_of_memory("no memory for " + std::to_string(rows) + " rows of k = " + std::to_string(columns) +
                      " results"));
}

}  // namespace

void init_arrays() {
  cached.api = &Numpy::get();
  cached.array = immortal(py::module_::import("numpy"), "ndarray");
  cached.float32 = py::dtype::of<float>().inc_ref().ptr();
  cached.int64 = py::dtype::of<Id>().inc_ref().ptr();
  py::module_ converters = py::module_::import("segue._arrays");
  cached.as_floats = immortal(converters, "as_floats");
  cached.as_ids = immortal(converters, "as_ids");
}

FloatInput to_floats(py::handle value, std::size_t dim, const char* what) {
  FloatInput input;
  if (!is_ready(value, cached.float32)) {
    input.owner = convert(cached.as_floats, value, what);
    value = input.owner;
  }
  const auto* proxy = py::detail::array_proxy(value.ptr());
  const auto* data = reinterpret_cast<const float*>(proxy->data);
  if (proxy->nd == 2 && std::size_t(proxy->dimensions[1]) == dim) {
    input.view = MatrixView(data, std::size_t(proxy->dimensions[0]), dim);
  } else if (proxy->nd == 1 && std::size_t(proxy->dimensions[0]) == dim) {
    input.view = MatrixView(data, 1, dim);
    input.single = true;
  } else {
    const std::string d = std::to_string(dim);
    raise_invalid(std::string(what) + " are of shape " + shape_of(proxy) + ", expected (n, " + d + ") or (" + d +
                  ",): the index is of dim " + d);
  }
  return input;
}

FloatInput to_matrix(py::handle value, const char* what) {
  FloatInput input;
  if (!is_ready(value, cached.float32)) {
    input.owner = convert(cached.as_floats, value, what);
    value = input.owner;
  }
  const auto* proxy = py::detail::array_proxy(value.ptr());
  if (proxy->nd != 2) raise_invalid(std::string(what) + " are of shape " + shape_of(proxy) + ", expected (n, d)");
  input.view = MatrixView(reinterpret_cast<const float*>(proxy->data), std::size_t(proxy->dimensions[0]),
                          std::size_t(proxy->dimensions[1]));
  return input;
}

IdInput to_ids(py::handle value, const char* what) {
  IdInput input;
  if (!is_ready(value, cached.int64)) {
    input.owner = convert(cached.as_ids, value, what);
    value = input.owner;
  }
  const auto* proxy = py::detail::array_proxy(value.ptr());
  if (proxy->nd > 1) {
    raise_invalid(std::string(what) + " are of shape " + shape_of(proxy) + ", expected (n,)");
  }
  input.single = proxy->nd == 0;
  input.ids = {reinterpret_cast<const Id*>(proxy->data), input.single ? 1 : std::size_t(proxy->dimensions[0])};
  return input;
}

bool is_id_array(py::handle value) noexcept {
  return is_ready(value, cached.int64) && py::detail::array_proxy(value.ptr())->nd == 1;
}

PyObject* new_ids(std::size_t rows, std::size_t columns, bool single) {
  return new_array(cached.int64, rows, columns, single);
}

PyObject* new_scores(std::size_t rows, std::size_t columns, bool single) {
  return new_array(cached.float32, rows, columns, single);
}

void* data_of(PyObject* array) noexcept { return py::detail::array_proxy(array)->data; }

}  // namespace segue::python
