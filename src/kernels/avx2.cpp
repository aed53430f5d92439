//
// Hermetic: see kernel_table.hpp. One external symbol, the table.

#define SEGUE_KERNELS_NAMESPACE avx2
#include "kernels/lanes/avx2.hpp"

#include "kernels/algorithms/table.hpp"

namespace segue::kernels {

constinit const KernelTable kAvx2Table = avx2::make_table<avx2::Floats, avx2::Codes, avx2::Blocks>("avx2");

}  // namespace segue::kernels
