#pragma once
// build_file(): from vectors that do not fit memory to a file of inverted lists, which searches read where it lies.
//
//   auto source = segue::open_vectors("tracks.npy");
//   segue::Status built = segue::build_file(**source, {}, "tracks.segue", {.max_memory = std::size_t{2} << 30});
//   auto index = segue::load("tracks.segue", {.verify = false});     // an IvfIndex; its lists stay in the file
//
// The file is, byte for byte, the one that an IvfIndex with the same options saves after one add() of all the vectors, for
// any max_memory and any number of threads.
//
// Reads the source twice, from its first row to its last: to check it and to draw the sample that lists are trained on (64
// rows a list, which go to a scratch file), and to code it. Codes are put aside in a scratch file by ranges of lists, and
// laid out range by range. Scratch files lie in the folder of `path`, have no name, and take about what the index takes.
// Memory of any size works as well as another, down to some bytes an item: 4, or 16 to 24 where they bring ids.

#include <cstddef>
#include <span>
#include <string>

#include "segue/index.hpp"
#include "segue/ivf.hpp"
#include "segue/vector_source.hpp"

namespace segue {

struct BuildFileOptions {
  Metric metric = Metric::kInnerProduct;
  IvfOptions ivf = {};
  // Bytes that the call may allocate. On top come what the source holds, stacks of threads, and pages of files, which the
  // system takes back as it likes. 0: a gigabyte, or more where less is not enough.
  std::size_t max_memory = 0;
  int threads = 0;
  Progress progress = {};
};

// Ids of 0 to rows - 1 where `ids` is empty. Where it fails or is cancelled, `path` is what it was and nothing else is left.
// kInvalidArgument: what IvfIndex::create() and add() refuse (a row with a NaN is named before anything is trained), no
// rows, fewer rows than lists were asked for, a max_memory that is too small (it says what would do).
// kIoError, kCorruptFile: as save() and the source. kCancelled: progress said so.
Status build_file(VectorSource& source, std::span<const Id> ids, const std::string& path,
                  const BuildFileOptions& options = {});

}  // namespace segue
