#pragma once
// All of Segue's public API.

#include "segue/build.hpp"
#include "segue/build_file.hpp"
#include "segue/file.hpp"
#include "segue/filter.hpp"
#include "segue/flat.hpp"
#include "segue/hnsw.hpp"
#include "segue/index.hpp"
#include "segue/ivf.hpp"
#include "segue/isa.hpp"
#include "segue/matrix_view.hpp"
#include "segue/recall.hpp"
#include "segue/recall_curve.hpp"
#include "segue/status.hpp"
#include "segue/tune.hpp"
#include "segue/types.hpp"
#include "segue/vector_source.hpp"
