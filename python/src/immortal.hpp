#pragma once
// Python objects that the module looks up once and never releases: calls may come until the interpreter is gone, and
// the destructors of static objects run after that.

#include <pybind11/pybind11.h>

namespace segue::python {

inline PyObject* immortal(const pybind11::object& owner, const char* name) {
  return pybind11::object(owner.attr(name)).release().ptr();
}

}  // namespace segue::python
