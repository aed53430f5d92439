#pragma once
// FAISS throws; across the library's edges go Status and Result.

#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include "segue/status.hpp"

namespace segue {

// Runs a body that returns a Status or a Result. What FAISS throws becomes `code` and a message: `what`, then FAISS's
// own.
template <class Body>
auto guard_faiss(StatusCode code, const std::string& what, Body&& body) -> decltype(body()) {
  try {
    return std::forward<Body>(body)();
  } catch (const std::bad_alloc&) {
    return out_of_memory(what + ": not enough memory for this call");
  } catch (const std::length_error&) {
    return out_of_memory(what + ": not enough memory for this call");
  } catch (const std::exception& error) {
    return Status(code, what + ": " + error.what());
  }
}

}  // namespace segue
