#pragma once
// The second half of load(): from a file that is open to the index in it.

#include <memory>

#include "file/file_reader.hpp"
#include "segue/index.hpp"
#include "segue/status.hpp"

namespace segue {

// With `verify` it checks every range and link; FileReader::verify() checks the sums.
Result<std::unique_ptr<Index>> open_index(const FileReader& file, bool verify);

}  // namespace segue
