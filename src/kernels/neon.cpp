//
// Hermetic: see kernel_table.hpp. One external symbol, the table.

#define SEGUE_KERNELS_NAMESPACE neon
#include "kernels/lanes/neon.hpp"

#include "kernels/algorithms/table.hpp"

namespace segue::kernels {

constinit const KernelTable kNeonTable = neon::make_table<neon::Floats, neon::Codes, neon::Blocks>("neon");

}  // namespace segue::kernels
