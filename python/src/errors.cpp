#include "errors.hpp"

#include <array>
#include <exception>
#include <new>

#include "immortal.hpp"

namespace py = pybind11;

namespace segue::python {
namespace {

struct Name {
  StatusCode code;
  const char* name;
};

constexpr std::array kNames{
    Name{StatusCode::kInvalidArgument, "InvalidArgument"}, Name{StatusCode::kNotFound, "NotFound"},
    Name{StatusCode::kAlreadyExists, "AlreadyExists"},     Name{StatusCode::kIoError, "IoError"},
    Name{StatusCode::kCorruptFile, "CorruptFile"},         Name{StatusCode::kOutOfMemory, "OutOfMemory"},
    Name{StatusCode::kCancelled, "Cancelled"},             Name{StatusCode::kUnsupported, "Unsupported"},
};

std::array<PyObject*, 16> classes{};
PyObject* file_not_found = nullptr;
PyObject* base = nullptr;

PyObject* class_of(StatusCode code) noexcept {
  PyObject* found = classes[static_cast<std::size_t>(code)];
  return found != nullptr ? found : base;
}

void set(PyObject* type, const std::string& message) noexcept {
  // File names in messages may hold any bytes.
  PyObject* text = PyUnicode_DecodeUTF8(message.data(), static_cast<Py_ssize_t>(message.size()), "backslashreplace");
  if (text == nullptr) return;
  PyErr_SetObject(type, text);
  Py_DECREF(text);
}

}  // namespace

void init_errors() {
  py::module_ module = py::module_::import("segue._errors");
  base = immortal(module, "Error");
  file_not_found = immortal(module, "FileNotFound");
  for (const Name& entry : kNames) {
    classes[static_cast<std::size_t>(entry.code)] = immortal(module, entry.name);
  }
  py::register_local_exception_translator([](std::exception_ptr pointer) {
    try {
      if (pointer) std::rethrow_exception(pointer);
    } catch (const std::bad_alloc&) {
      set(class_of(StatusCode::kOutOfMemory), "not enough memory");
    }
  });
}

void raise(const Status& status) {
  set(class_of(status.code()), status.message());
  throw py::error_already_set();
}

void raise_file(const Status& status) {
  set(status.code() == StatusCode::kNotFound ? file_not_found : class_of(status.code()), status.message());
  throw py::error_already_set();
}

void raise_invalid(const std::string& message) {
  set(class_of(StatusCode::kInvalidArgument), message);
  throw py::error_already_set();
}

PyObject* translate_exception() noexcept {
  try {
    throw;
  } catch (py::error_already_set& error) {
    error.restore();
  } catch (const std::bad_alloc&) {
    set(class_of(StatusCode::kOutOfMemory), "not enough memory");
  } catch (const std::exception& error) {
    set(base, error.what());
  } catch (...) {
    set(base, "unknown C++ exception");
  }
  return nullptr;
}

}  // namespace segue::python
