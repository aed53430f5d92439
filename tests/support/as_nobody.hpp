#pragma once
// Runs a part of a test without root's rights, so that permissions mean something even where tests run as root.

#include <unistd.h>

namespace segue::test {

class AsNobody {
 public:
  AsNobody() : former_(::geteuid()) {
    if (former_ == 0) dropped_ = ::seteuid(65534) == 0;
  }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;
  ~AsNobody() {
    if (dropped_ && ::seteuid(former_) != 0) ::_exit(99);  // the other tests would fail in odd ways
  }
  // Whether permissions hold now.
  bool effective() const { return ::geteuid() != 0; }

 private:
  uid_t former_;
  bool dropped_ = false;
};

}  // namespace segue::test
