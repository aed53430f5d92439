#pragma once
// Errors across the library's edges. No public call throws; each that can fail returns a Status or a Result.
//
//   segue::Result<std::unique_ptr<segue::Index>> index = segue::load("tracks.segue");
//   if (!index.ok()) { log(index.status().message()); return; }
//   (*index)->search(...);
//
// A message says what came, what was expected and what to do. A failed call has changed nothing.

#include <cassert>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace segue {

enum class StatusCode : unsigned char {
  kOk = 0,
  kInvalidArgument,  // the caller passed something that no index would take
  kNotFound,         // an id or a file that is not there
  kAlreadyExists,    // an id that is already in the index
  kIoError,          // the operating system refused; the message names the call and its errno
  kCorruptFile,      // bytes that are not a whole Segue file; the message names the section
  kOutOfMemory,
  kCancelled,        // a progress callback asked to stop
  kUnsupported,      // this build or this index cannot do it
};

// "invalid argument", "not found", ...
std::string_view to_string(StatusCode code) noexcept;

class [[nodiscard]] Status {
 public:
  Status() noexcept = default;
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const noexcept { return code_ == StatusCode::kOk; }
  StatusCode code() const noexcept { return code_; }
  const std::string& message() const noexcept { return message_; }

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
};

inline Status invalid_argument(std::string message) { return {StatusCode::kInvalidArgument, std::move(message)}; }
inline Status not_found(std::string message) { return {StatusCode::kNotFound, std::move(message)}; }
inline Status already_exists(std::string message) { return {StatusCode::kAlreadyExists, std::move(message)}; }
inline Status io_error(std::string message) { return {StatusCode::kIoError, std::move(message)}; }
inline Status corrupt_file(std::string message) { return {StatusCode::kCorruptFile, std::move(message)}; }
inline Status out_of_memory(std::string message) { return {StatusCode::kOutOfMemory, std::move(message)}; }
inline Status cancelled(std::string message) { return {StatusCode::kCancelled, std::move(message)}; }
inline Status unsupported(std::string message) { return {StatusCode::kUnsupported, std::move(message)}; }

// A value or the reason why there is none. Reading the value of a failed Result is a bug (asserted).
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(Status status) : status_(std::move(status)) { assert(!status_.ok()); }

  bool ok() const noexcept { return value_.has_value(); }
  const Status& status() const noexcept { return status_; }

  T& operator*() & { assert(ok()); return *value_; }
  const T& operator*() const& { assert(ok()); return *value_; }
  T&& operator*() && { assert(ok()); return *std::move(value_); }
  T& value() & { return **this; }
  const T& value() const& { return **this; }
  T&& value() && { return *std::move(*this); }
  T* operator->() { assert(ok()); return &*value_; }
  const T* operator->() const { assert(ok()); return &*value_; }

 private:
  Status status_;
  std::optional<T> value_;
};

}  // namespace segue

// Returns the Status of `expression` from the surrounding function unless it is ok.
#define SEGUE_RETURN_IF_ERROR(expression)                        \
  do {                                                           \
    ::segue::Status segue_status_ = (expression);                \
    if (!segue_status_.ok()) return segue_status_;               \
  } while (false)
