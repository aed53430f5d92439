//
// Hermetic: see kernel_table.hpp. One external symbol, the table.

#define SEGUE_KERNELS_NAMESPACE avx512
#include "kernels/lanes/avx512.hpp"

#include "kernels/algorithms/table.hpp"

namespace segue::kernels {

constinit const KernelTable kAvx512Table =
    avx512::make_table<avx512::Floats, avx512::WidenedCodes, avx512::PairBlocks>("avx512");

}  // namespace segue::kernels
