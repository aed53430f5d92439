#pragma once
// Which instruction set the kernels run on.
//
// The library picks the best that processor and operating system support, once, on first use. The environment
// variable SEGUE_ISA or use() override it, for tests, for comparing and for reproducing a result of another machine.
// An index takes its kernels when it is made or opened and keeps them; use() concerns the indexes made after it.

#include <string_view>
#include <vector>

#include "segue/status.hpp"

namespace segue::isa {

// Names of the sets that this machine can run, slowest first: "scalar", then among "avx2", "avx512", "avx512vnni",
// or "neon".
std::vector<std::string_view> available();

// The set that new indexes will use.
std::string_view active();

// kInvalidArgument for a name that is unknown, or known but not runnable here; the message lists what is available.
// Thread-safe. A wrong name in SEGUE_ISA is reported by the first call that makes an index, and active() is then the
// best available set.
Status use(std::string_view name);

// What SEGUE_ISA said, if it was wrong; ok otherwise.
Status environment_status();

}  // namespace segue::isa
