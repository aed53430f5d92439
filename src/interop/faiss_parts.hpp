#pragma once
// What a FAISS index is made of, in the order in which it keeps its rows.

#include <faiss/Index.h>
#include <faiss/IndexIVF.h>

#include <string>
#include <vector>

#include "segue/matrix_view.hpp"
#include "segue/status.hpp"
#include "segue/types.hpp"

namespace segue {

// "faiss::IndexLSH".
std::string faiss_type(const faiss::Index& index);

// Rows that FAISS decoded, list after list, and the numbers it has for them.
struct ListedRows {
  std::vector<float> vectors;
  std::vector<Id> ids;
};

// kUnsupported: lists of another kind than Flat, ScalarQuantizer and PQ. kCorruptFile: parts that do not fit each
// other.
Result<ListedRows> decode_lists(const faiss::IndexIVF& index);
// nlist x d; empty where it is not trained.
std::vector<float> centres_of(const faiss::IndexIVF& index);

}  // namespace segue
