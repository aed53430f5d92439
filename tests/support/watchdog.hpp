#pragma once
// Ends the test program (SIGALRM) when what stands in its scope takes longer than so many seconds. For tests whose
// question is whether something ever returns.

#include <unistd.h>

namespace segue::test {

class Watchdog {
 public:
  explicit Watchdog(unsigned seconds) { ::alarm(seconds); }
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  ~Watchdog() { ::alarm(0); }
};

}  // namespace segue::test
