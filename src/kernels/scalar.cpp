//
// Hermetic: see kernel_table.hpp. One external symbol, the table.

#define SEGUE_KERNELS_NAMESPACE scalar
#define SEGUE_KERNELS_OF_ONE
#include "kernels/lanes/scalar.hpp"

#include "kernels/algorithms/table.hpp"

namespace segue::kernels {

constinit const KernelTable kScalarTable = scalar::make_table<scalar::Floats, scalar::Codes, scalar::Blocks>("scalar");

}  // namespace segue::kernels
