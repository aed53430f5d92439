#pragma once
// What a long call does now and then: shows how far it is and looks whether the user pressed Ctrl-C.

#include <pybind11/pybind11.h>

#include <chrono>
#include <optional>

#include "segue/index.hpp"

namespace segue::python {

// Lives on the calling thread's stack, beside the call. The library calls it often; it takes the GIL ten times a second.
class Watch {
 public:
  // `callback` is called as callback(done, total); False from it stops the call. None: only Ctrl-C is watched.
  explicit Watch(pybind11::object callback = pybind11::none());
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  Progress progress();
  // The exception that stopped the call (KeyboardInterrupt, or the callback's own), if one did.
  void rethrow() const;

 private:
  bool on_progress(std::size_t done, std::size_t total);

  pybind11::object callback_;
  std::chrono::steady_clock::time_point next_;
  std::optional<pybind11::error_already_set> error_;
};

}  // namespace segue::python
