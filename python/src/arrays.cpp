#include "arrays.hpp"

#include <algorithm>
#include <string>

#include "errors.hpp"
#include "gil.hpp"
#include "immortal.hpp"
#include "segue/index.hpp"

namespace py = pybind11;

namespace segue::python {
namespace {

using Numpy = py::detail::npy_api;

constexpr int kReady = Numpy::NPY_ARRAY_C_CONTIGUOUS_ | Numpy::NPY_ARRAY_ALIGNED_;

struct Cached {
  Numpy* api = nullptr;
  PyObject* array = nullptr;
  PyObject* float32 = nullptr;
  PyObject* float64 = nullptr;
  PyObject* int64 = nullptr;
  PyObject* stats_record = nullptr;
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

PyObject* new_array(PyTypeObject* type, PyObject* dtype, int dimensions, const Py_intptr_t* shape) {
  Py_INCREF(dtype);  // the call takes it
  return cached.api->PyArray_NewFromDescr_(type, dtype, dimensions, shape, nullptr, nullptr, 0, nullptr);
}

// float64 is what numpy makes unless told otherwise: rounding it here takes a tenth of the time of the general way.
py::object rounded(py::handle value) {
  const auto* proxy = py::detail::array_proxy(value.ptr());
  auto made = py::reinterpret_steal<py::object>(
      new_array(cached.api->PyArray_Type_, cached.float32, proxy->nd, proxy->dimensions));
  if (!made) throw py::error_already_set();
  std::size_t size = 1;
  for (int i = 0; i < proxy->nd; ++i) size *= std::size_t(proxy->dimensions[i]);
  const auto* from = reinterpret_cast<const double*>(proxy->data);
  auto* to = reinterpret_cast<float*>(py::detail::array_proxy(made.ptr())->data);
  const auto round = [=] { std::transform(from, from + size, to, [](double x) { return float(x); }); };
  constexpr std::size_t kWorthReleasing = 100'000;
  size < kWorthReleasing ? round() : without_gil(round);
  return made;
}

// Whatever it is: a float32 array, ready to be read. Null: `value` is one.
py::object converted(py::handle value, const char* what) {
  if (is_ready(value, cached.float32)) return {};
  if (is_ready(value, cached.float64)) return rounded(value);
  return convert(cached.as_floats, value, what);
}

std::string shape_of(const py::detail::PyArray_Proxy* proxy) {
  std::string text = "(";
  for (int i = 0; i < proxy->nd; ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(proxy->dimensions[i]);
  }
  return text + (proxy->nd == 1 ? ",)" : ")");
}

PyObject* new_result(PyObject* dtype, std::size_t rows, std::size_t columns, bool single) {
  const Py_intptr_t shape[2] = {static_cast<Py_intptr_t>(rows), static_cast<Py_intptr_t>(columns)};
  PyObject* made = new_array(cached.api->PyArray_Type_, dtype, single ? 1 : 2, single ? shape + 1 : shape);
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
  cached.float64 = py::dtype::of<double>().inc_ref().ptr();
  cached.int64 = py::dtype::of<Id>().inc_ref().ptr();
  PYBIND11_NUMPY_DTYPE(QueryStats, distances, visited, microseconds, cut);
  py::module_ numpy = py::module_::import("numpy");
  cached.stats_record =
      py::object(numpy.attr("dtype")(py::make_tuple(numpy.attr("record"), py::dtype::of<QueryStats>()))).release().ptr();
  py::module_ converters = py::module_::import("segue._arrays");
  cached.as_floats = immortal(converters, "as_floats");
  cached.as_ids = immortal(converters, "as_ids");
}

FloatInput to_floats(py::handle value, std::size_t dim, const char* what) {
  FloatInput input;
  input.owner = converted(value, what);
  if (input.owner) value = input.owner;
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
  input.owner = converted(value, what);
  if (input.owner) value = input.owner;
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
  return new_result(cached.int64, rows, columns, single);
}

PyObject* new_scores(std::size_t rows, std::size_t columns, bool single) {
  return new_result(cached.float32, rows, columns, single);
}

py::object new_stats(std::size_t rows) {
  const auto shape = static_cast<Py_intptr_t>(rows);
  auto made = py::reinterpret_steal<py::object>(
      new_array(cached.api->PyArray_Type_, cached.stats_record, 1, &shape));
  if (!made) throw py::error_already_set();
  std::fill_n(static_cast<QueryStats*>(data_of(made.ptr())), rows, QueryStats{});
  return made;
}

void* data_of(PyObject* array) noexcept { return py::detail::array_proxy(array)->data; }

}  // namespace segue::python
