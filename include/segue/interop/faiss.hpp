#pragma once
// Indexes of FAISS, in and out, in memory and as the files of faiss::write_index. A library of its own, segue::faiss,
// built where FAISS is found (SEGUE_BUILD_FAISS); segue::segue needs neither FAISS nor BLAS.
//
//   find_package(segue REQUIRED COMPONENTS faiss)      target_link_libraries(app PRIVATE segue::faiss)
//
//   auto ours = segue::from_faiss("tracks.faiss");                       // or from a faiss::Index
//   if (!ours.ok()) return ours.status();
//   (*ours)->save("tracks.segue");
//   segue::Status back = segue::to_faiss(**ours, "back.faiss");
//
// What becomes what, under METRIC_L2 and METRIC_INNER_PRODUCT, under IndexIDMap, IndexIDMap2 or neither:
//
//   IndexFlat                                              FlatIndex     and back
//   IndexIVFFlat, IndexIVFScalarQuantizer, IndexIVFPQ      IvfIndex      back: IndexIVFFlat
//   IndexHNSWFlat                                          HnswIndex     and back
//
// Vectors are kept in float32. Those of quantised lists are what FAISS reconstructs: what was rounded stays rounded,
// and answers are the exact ones over it, where FAISS may add the error of a table of its own.
//
// Lists keep their centres, so nothing is trained, and rows join the centre nearest by l2. Under L2 that is what FAISS
// does: at the same nprobe the answers are the same, but for ties that rounding decides and where the lists hold fewer
// than k rows, where Segue looks further (all ten ids of 99 to 100 in 100 queries of 20,000 rows in 200 lists). Under
// inner product FAISS ranks lists by the product with the centre, Segue by what the best item of a list promises
// (ivf.hpp): at the same nprobe the answers differ, with all lists they do not. FAISS's centres are of length 1 there,
// which serves Segue less than its own: recall in 4 lists of clustered rows 0.98 in FAISS, 0.88 here, 0.99 after
// IvfIndex::train(rows).
//
// Links of graphs are made anew, with as many a vertex (2 to 256) and the same ef_construction. nprobe, efSearch and
// the like stay behind.
//
// Cosine leaves as inner product over normalised vectors, whose lists are ranked by l2: normalise queries before
// asking. Ids leave as they are; an IndexIDMap2 keeps them unless they are 0 to n - 1 or the lists do. An IvfIndex that
// was not trained has no lists and leaves as IndexFlat.
//
// Costs the vectors once more in memory while it lasts. Thread-safety: any number of calls at once; the index that is
// read must not be changed meanwhile.
//
// A file of FAISS has no checksums, and FAISS's reader believes the sizes it finds (and 1.7 leaks what it had read
// where it gives up, and divides by zero on a made one): read files that you trust. What it, or the checks that follow it,
// do not accept is kCorruptFile.

#include <memory>
#include <string>

#include "segue/index.hpp"

namespace faiss {
struct Index;
}

namespace segue {

// kUnsupported: a kind or a metric that Segue does not have; the message names it. kInvalidArgument: repeated or
// negative ids, NaN or infinity. A FlatIndex, an HnswIndex or an IvfIndex with rows in float32.
Result<std::unique_ptr<Index>> from_faiss(const faiss::Index& index);
// kNotFound: no such file. kIoError: it cannot be read. kCorruptFile: no index that this FAISS can read.
Result<std::unique_ptr<Index>> from_faiss(const std::string& path);

Result<std::unique_ptr<faiss::Index>> to_faiss(const Index& index);
// Atomically, as Index::save: `path` holds the old content or the new.
Status to_faiss(const Index& index, const std::string& path);

}  // namespace segue
