#pragma once
// From Status to Python exceptions. The classes themselves are in segue/_errors.py; the module looks them up once.

#include <pybind11/pybind11.h>

#include <string>
#include <utility>

#include "segue/status.hpp"

namespace segue::python {

// Finds the exception classes and lets std::bad_alloc arrive as segue.OutOfMemory.
void init_errors();

// Each needs the GIL.
[[noreturn]] void raise(const Status& status);
// As raise, but what is not found is a file.
[[noreturn]] void raise_file(const Status& status);
[[noreturn]] void raise_invalid(const std::string& message);

inline void check(const Status& status) {
  if (!status.ok()) raise(status);
}

template <class T>
T take(Result<T>&& result) {
  if (!result.ok()) raise(result.status());
  return *std::move(result);
}

// What must surround a C function that Python calls without pybind11: turns every C++ exception into a Python one and
// returns null then.
PyObject* translate_exception() noexcept;

}  // namespace segue::python
