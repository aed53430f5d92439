#pragma once
// An HnswState in a file. The sections are its buffers as they lie in memory; docs/file_format.md lists them.

#include "file/file_reader.hpp"
#include "file/file_writer.hpp"
#include "hnsw/hnsw_state.hpp"
#include "items/recall_curves.hpp"

namespace segue {

// What HnswIndex::create asks of its options.
Status check_hnsw_options(const HnswOptions& options);

void write_state(const HnswState& state, Id next_id, const RecallCurves& curves, const WriteSections& write);

// The parameters, checked.
Result<HnswOptions> read_options(const FileReader& file);
// Borrows the sections into `state`, which was made with those options. Sizes are checked here; what the sections hold
// is checked by validate_state, or by every reader where they are used.
Status open_state(const FileReader& file, HnswState& state, Id& next_id);

}  // namespace segue
