#pragma once
// The docstrings of the classes. The first line of each, up to "--", is the signature in the form that CPython shows
// as __text_signature__. A test runs every example.

#include "docs_id_set.hpp"
#include "docs_index.hpp"
#include "docs_search.hpp"
#include "docs_serving.hpp"
