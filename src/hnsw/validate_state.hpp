#pragma once
// Every invariant of an HnswState. The message starts with the section of the file that the damage would be in.

#include "hnsw/hnsw_state.hpp"

namespace segue {

Status validate_state(const HnswState& state, Id next_id);

}  // namespace segue
