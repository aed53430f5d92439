#pragma once
// What a FAISS index is made of, in the order in which it keeps its rows.

#include <faiss/Index.h>
#include <faiss/IndexIVF.h>

#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "segue/matrix_view.hpp"
#include "segue/status.hpp"
#include "segue/types.hpp"

namespace segue {

// "faiss::IndexLSH".
std::string faiss_type(const faiss::Index& index);

// What lies in a field of an enumeration or of bool. FAISS's reader puts there whatever a file has, and to load one that is
// none of the type's values is undefined.
template <class Field>
int number_in(const Field& field) noexcept {
  static_assert(sizeof(field) == 1 || sizeof(field) == sizeof(int));
  std::conditional_t<sizeof(field) == 1, unsigned char, int> number = 0;
  std::memcpy(&number, &field, sizeof(number));
  return number;
}

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
