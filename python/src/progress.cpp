#include "progress.hpp"

#include "gil.hpp"

namespace py = pybind11;

namespace segue::python {
namespace {
constexpr std::chrono::milliseconds kPeriod{100};
}

Watch::Watch(py::object callback) : callback_(std::move(callback)), next_(std::chrono::steady_clock::now()) {}

Progress Watch::progress() {
  return [this](std::size_t done, std::size_t total) { return on_progress(done, total); };
}

void Watch::rethrow() const {
  if (error_) throw py::error_already_set(*error_);
}

bool Watch::on_progress(std::size_t done, std::size_t total) {
  if (error_) return false;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_ && done != total) return true;
  next_ = now + kPeriod;
  const AcquireGil held;
  try {
    // Runs Python's signal handlers if this is the main thread, as it is when the user waits for the call.
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    return callback_.is_none() || callback_(done, total).ptr() != Py_False;
  } catch (py::error_already_set& error) {
    error_.emplace(error);
    return false;
  }
}

}  // namespace segue::python
