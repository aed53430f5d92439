//
// Hermetic: see kernel_table.hpp. One external symbol, the table.

#define SEGUE_KERNELS_NAMESPACE avx512vnni
#include "kernels/lanes/avx512vnni.hpp"

#include "kernels/algorithms/table.hpp"

namespace segue::kernels {

constinit const KernelTable kAvx512VnniTable =
    avx512vnni::make_table<avx512vnni::Floats, avx512vnni::VnniCodes, avx512vnni::VnniBlocks>("avx512vnni");

}  // namespace segue::kernels
