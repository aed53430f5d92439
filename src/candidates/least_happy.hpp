#pragma once
// The least happy of several vectors decides: items by the worst of their scores.
//
// With s_i the scores and any weights w of sum 1, min s_i(x) <= sum w_i s_i(x), and the right side is one search with one
// vector (combine_vectors.hpp). So the last of a list for any w bounds what is in none of the lists: a threshold algorithm
// (Fagin, Lotem & Naor 2003, section 4) whose lists are mixtures. Weights that make nobody happier than the others, found by
// steps from who was happier in the last list (subgradients of the dual, the least bound over w), make the bound tight:
// then few items are looked at, also where people have little in common.

#include "candidates/nearest.hpp"

namespace segue {

// Into `out`, which is clear but for larger_is_better. There is at least one vector. Approximate as the searches are, and
// where the last and longest lists do not prove the answer.
Status propose_least_happy(const Nearest& nearest, const Index& index, const Wanted& wanted, Proposals& out);

}  // namespace segue
