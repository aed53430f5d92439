#include "arguments.hpp"

#include <cmath>

#include "errors.hpp"

namespace py = pybind11;

namespace segue::python {
namespace {

constexpr std::size_t kShown = 60;

// A new reference to the int that `value` stands for, or null if it stands for none.
py::object as_int(py::handle value) {
  if (PyBool_Check(value.ptr()) || PyIndex_Check(value.ptr()) == 0) return {};
  PyObject* number = PyNumber_Index(value.ptr());
  if (number == nullptr) PyErr_Clear();
  return py::reinterpret_steal<py::object>(number);
}

std::string expected_range(std::size_t smallest, std::size_t largest) {
  const std::string text = "an integer of " + std::to_string(smallest);
  const bool open = largest == std::size_t(std::numeric_limits<std::ptrdiff_t>::max());
  return open ? text + " or more" : text + " to " + std::to_string(largest);
}

}  // namespace

std::string describe(py::handle value) {
  std::string text = py::repr(value).cast<std::string>();
  if (text.size() > kShown) text = text.substr(0, kShown) + "...";
  if (PyLong_CheckExact(value.ptr())) return text;
  return text + " (" + Py_TYPE(value.ptr())->tp_name + ")";
}

std::size_t to_size(py::handle value, const char* name, std::size_t smallest, std::size_t largest) {
  py::object number = as_int(value);
  if (number) {
    int overflow = 0;
    const long long found = PyLong_AsLongLongAndOverflow(number.ptr(), &overflow);
    if (overflow == 0 && found >= 0 && std::size_t(found) >= smallest && std::size_t(found) <= largest) {
      return std::size_t(found);
    }
  }
  raise_invalid(std::string(name) + " is " + describe(value) + ", expected " + expected_range(smallest, largest));
}

Id to_id(py::handle value) {
  py::object number = as_int(value);
  if (!number) raise_invalid("id is " + describe(value) + ", expected an integer");
  int overflow = 0;
  const long long found = PyLong_AsLongLongAndOverflow(number.ptr(), &overflow);
  return overflow == 0 && found >= 0 ? found : kMissingId;
}

std::uint64_t to_uint64(py::handle value, const char* name) {
  py::object number = as_int(value);
  if (number) {
    const unsigned long long found = PyLong_AsUnsignedLongLong(number.ptr());
    if (PyErr_Occurred() == nullptr) return found;
    PyErr_Clear();
  }
  raise_invalid(std::string(name) + " is " + describe(value) + ", expected an integer of 0 to 2**64 - 1");
}

int to_threads(py::handle value) {
  if (value.is_none()) return 0;
  return int(to_size(value, "threads", 1, 4096));
}

double to_double(py::handle value, const char* name) {
  if (!PyBool_Check(value.ptr()) && (PyFloat_Check(value.ptr()) || PyNumber_Check(value.ptr()) != 0)) {
    const double found = PyFloat_AsDouble(value.ptr());
    if (PyErr_Occurred() != nullptr) {
      PyErr_Clear();
    } else if (!std::isnan(found)) {
      return found;
    }
  }
  raise_invalid(std::string(name) + " is " + describe(value) + ", expected a number");
}

float to_float(py::handle value, const char* name) { return float(to_double(value, name)); }

double to_recall(py::handle value) {
  double found = 0;
  if (!PyBool_Check(value.ptr()) && PyNumber_Check(value.ptr()) != 0) found = PyFloat_AsDouble(value.ptr());
  if (PyErr_Occurred() != nullptr) PyErr_Clear();
  if (found > 0 && found <= 1) return found;
  raise_invalid("recall is " + describe(value) + ", expected a number above 0 and at most 1");
}

bool to_bool(py::handle value, const char* name) {
  const int found = PyObject_IsTrue(value.ptr());
  if (found >= 0) return found != 0;
  PyErr_Clear();
  raise_invalid(std::string(name) + " is " + describe(value) + ", expected True or False");
}

std::string to_string(py::handle value, const char* name) {
  if (!PyUnicode_Check(value.ptr())) raise_invalid(std::string(name) + " is " + describe(value) + ", expected a str");
  return value.cast<std::string>();
}

Metric to_metric(py::handle value) { return take(parse_metric(to_string(value, "metric"))); }

Storage to_storage(py::handle value) { return take(parse_storage(to_string(value, "storage"))); }

std::size_t to_nlist(py::handle value) {
  if (PyUnicode_Check(value.ptr()) && value.cast<std::string>() == "auto") return 0;
  if (as_int(value)) return to_size(value, "nlist", 1);
  raise_invalid("nlist is " + describe(value) + ", expected \"auto\" or an integer of 1 or more");
}

std::string to_path(py::handle value) {
  PyObject* path = PyOS_FSPath(value.ptr());
  if (path == nullptr) {
    PyErr_Clear();
    raise_invalid("path is " + describe(value) + ", expected a str, bytes or os.PathLike");
  }
  py::object held = py::reinterpret_steal<py::object>(path);
  PyObject* encoded = nullptr;
  if (PyUnicode_FSConverter(path, &encoded) == 0) {
    PyErr_Clear();
    raise_invalid("path is " + describe(value) + ", expected a path without null characters");
  }
  return py::reinterpret_steal<py::bytes>(encoded).cast<std::string>();
}

}  // namespace segue::python
