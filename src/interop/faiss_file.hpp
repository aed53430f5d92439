#pragma once
// FAISS's own format, read and written through the files of this library: what is no regular file is refused, and what
// is written appears whole or not at all.

#include <faiss/Index.h>

#include <memory>
#include <string>

#include "segue/status.hpp"

namespace segue {

Result<std::unique_ptr<faiss::Index>> read_faiss(const std::string& path);
Status write_faiss(const faiss::Index& index, const std::string& path);

}  // namespace segue
