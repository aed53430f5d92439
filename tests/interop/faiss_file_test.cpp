// What does not map, and files that are missing, damaged or of another kind.

#include <faiss/Index2Layer.h>
#include <faiss/IndexFlat.h>
#include <faiss/IndexIVFFlat.h>
#include <faiss/IndexIVFPQ.h>
#include <faiss/IndexScalarQuantizer.h>
#include <faiss/index_io.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <limits>

#include "index/index_cases.hpp"
#include "interop/faiss_answers.hpp"
#include "support/file_faults.hpp"
#include "support/temporary_folder.hpp"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

namespace segue::test {
namespace {

// FAISS 1.7 forgets what it had read of a file when it throws. Not to be used around what must not leak here.
struct FaissLeaks {
#ifdef __SANITIZE_ADDRESS__
  FaissLeaks() { __lsan_disable(); }
  ~FaissLeaks() { __lsan_enable(); }
#else
  FaissLeaks() {}
#endif
};

void expect_refused(const Result<std::unique_ptr<Index>>& result, StatusCode code, const std::string& part) {
  ASSERT_FALSE(result.ok()) << part;
  EXPECT_EQ(result.status().code(), code) << result.status().message();
  EXPECT_NE(result.status().message().find(part), std::string::npos) << result.status().message();
}

TEST(FaissKinds, WhatDoesNotMapIsNamed) {
  const struct {
    const char* factory;
    const char* name;
  } kinds[] = {
      {"LSH", "faiss::IndexLSH"},
      {"PQ8", "faiss::IndexPQ"},
      {"SQ8", "faiss::IndexScalarQuantizer"},
      {"PCA8,Flat", "faiss::IndexPreTransform"},
      {"IDMap,PCA8,Flat", "faiss::IndexPreTransform"},
      {"IVF4,PQ8x4fs", "faiss::IndexIVFPQFastScan"},
      {"IVF4,PQ8+8", "faiss::IndexIVFPQR"},
      {"IVF4,FlatDedup", "faiss::IndexIVFFlatDedup"},
      {"HNSW8,SQ8", "faiss::IndexHNSWSQ"},
      {"IVF4,Flat,RFlat", "faiss::IndexRefine"},
  };
  const Vectors x = rows_of(1, 40);
  for (const auto& [factory, name] : kinds) {
    const FaissIndex index(faiss::index_factory(static_cast<int>(kDim), factory));
    expect_refused(from_faiss(*index), StatusCode::kUnsupported, name);
  }
  faiss::IndexFlat l1(kDim, faiss::METRIC_L1);
  l1.add(40, x.data());
  expect_refused(from_faiss(l1), StatusCode::kUnsupported, "METRIC_L1");
  const TemporaryFolder folder;
  faiss::write_index(&l1, folder.file("l1.faiss").c_str());
  expect_refused(from_faiss(folder.file("l1.faiss")), StatusCode::kUnsupported,
                 "l1.faiss': the FAISS index has METRIC_L1");
}

TEST(FaissKinds, IdsAndNumbersThatSegueRefuses) {
  Vectors x = rows_of(1, 40);
  for (const bool negative : {true, false}) {
    const FaissIndex index(faiss::index_factory(static_cast<int>(kDim), "IDMap,Flat"));
    std::vector<std::int64_t> ids(40, 7);
    if (negative) ids[3] = -2;
    index->add_with_ids(40, x.data(), ids.data());
    expect_refused(from_faiss(*index), StatusCode::kInvalidArgument, negative ? "id -2" : "id 7 is there twice");
  }
  x[5 * kDim] = std::numeric_limits<float>::quiet_NaN();
  faiss::IndexFlatL2 index(kDim);
  index.add(40, x.data());
  expect_refused(from_faiss(index), StatusCode::kInvalidArgument, "row 5");
}

TEST(FaissKinds, EmptyIndexes) {
  for (const char* factory : {"Flat", "HNSW8,Flat", "IVF4,Flat", "IVF4,PQ8", "IDMap,Flat"}) {
    SCOPED_TRACE(factory);
    const FaissIndex theirs(faiss::index_factory(static_cast<int>(kDim), factory));
    const auto ours = from_faiss(*theirs);
    ASSERT_TRUE(ours.ok()) << ours.status().message();
    EXPECT_EQ((*ours)->size(), 0u);
    const auto back = to_faiss(**ours);
    ASSERT_TRUE(back.ok()) << back.status().message();
    EXPECT_EQ((*back)->ntotal, 0);
    const Vectors x = rows_of(1, 40);
    EXPECT_TRUE((*ours)->add(MatrixView(x, kDim)).ok());
  }
  // Trained, and waiting for rows.
  const Vectors x = rows_of(1, 400);
  const FaissIndex theirs(faiss::index_factory(static_cast<int>(kDim), "IVF4,Flat"));
  theirs->train(400, x.data());
  const auto ours = from_faiss(*theirs);
  ASSERT_TRUE(ours.ok()) << ours.status().message();
  SEGUE_ASSERT_OK((*ours)->add(MatrixView(x, kDim)));
  theirs->add(400, x.data());
  expect_alike(ask(**ours, rows_of(2, kQueries)), ask(*theirs, rows_of(2, kQueries)));
}

// Parts that say other sizes than each other, as a file may.
TEST(FaissKinds, PartsThatDoNotFit) {
  const Vectors x = rows_of(1, kRows);
  const auto broken = [&](const char* factory, auto&& damage) {
    const FaissIndex index = make_faiss(factory, faiss::METRIC_L2, x, false);
    damage(*index);
    expect_refused(from_faiss(*index), StatusCode::kCorruptFile, "do not fit each other");
  };
  broken("HNSW8,Flat", [](faiss::Index& i) { dynamic_cast<faiss::IndexHNSW&>(i).storage->ntotal -= 1; });
  broken("HNSW8,Flat", [](faiss::Index& i) { i.d = 8; });
  broken("IVF4,Flat", [](faiss::Index& i) { i.ntotal += 1; });
  broken("IVF4,Flat", [](faiss::Index& i) { dynamic_cast<faiss::IndexIVF&>(i).quantizer->ntotal -= 1; });
  broken("IVF4,PQ8x4np", [](faiss::Index& i) { dynamic_cast<faiss::IndexIVFPQ&>(i).pq.centroids.resize(5); });
  broken("IVF4,PQ8x4np", [](faiss::Index& i) { dynamic_cast<faiss::IndexIVFPQ&>(i).pq.nbits = 20; });
  broken("IVF4,SQ8", [](faiss::Index& i) { dynamic_cast<faiss::IndexIVFScalarQuantizer&>(i).sq.trained.resize(3); });
  broken("IVF4,SQ8", [](faiss::Index& i) {
    dynamic_cast<faiss::IndexIVFScalarQuantizer&>(i).sq.qtype = faiss::ScalarQuantizer::QT_fp16;
  });
}

TEST(FaissFiles, MissingAndForeign) {
  const FaissLeaks leaks;
  const TemporaryFolder folder;
  expect_refused(from_faiss(folder.file("none")), StatusCode::kNotFound, "no such file");
  expect_refused(from_faiss(folder.path()), StatusCode::kIoError, "a directory");
  const auto is = [&](std::string_view bytes, const std::string& part) {
    write_all_bytes(folder.file("bad"), bytes);
    expect_refused(from_faiss(folder.file("bad")), StatusCode::kCorruptFile, part);
  };
  is("", "empty");
  is("no index at all, but long enough to be looked at", "no index of FAISS");
  is("PAR1 and so on", "a Parquet table");
  is("IxF9 is of another FAISS", "no index of FAISS");
  const auto ours = make_index({}, kDim);
  ASSERT_TRUE(ours->save(folder.file("ours")).ok());
  expect_refused(from_faiss(folder.file("ours")), StatusCode::kCorruptFile, "segue::load");
}

// Cut off anywhere.
TEST(FaissFiles, Truncated) {
  const TemporaryFolder folder;
  const Vectors x = rows_of(1, 300);
  for (const char* factory : {"Flat", "IVF4,Flat", "IVF4,PQ8x4np", "HNSW8,Flat", "IDMap,Flat"}) {
    const FaissIndex index = make_faiss(factory, faiss::METRIC_L2, x, std::string_view(factory) == "IDMap,Flat");
    faiss::write_index(index.get(), folder.file("whole").c_str());
    const std::vector<unsigned char> whole = read_bytes(folder.file("whole"));
    ASSERT_TRUE(from_faiss(folder.file("whole")).ok());
    for (std::size_t cut = 0; cut < whole.size(); cut += 1 + cut / 3) {
      SCOPED_TRACE(std::string(factory) + " cut at " + std::to_string(cut));
      const FaissLeaks leaks;
      write_all_bytes(folder.file("cut"),
                      std::vector<unsigned char>(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(cut)));
      expect_refused(from_faiss(folder.file("cut")), StatusCode::kCorruptFile, "cut");
    }
  }
}

TEST(FaissFiles, WritingIsAllOrNothing) {
  const TemporaryFolder folder;
  const auto ours = make_index({}, kDim);
  const Vectors x = rows_of(1, 300);
  SEGUE_ASSERT_OK(ours->add(MatrixView(x, kDim)));
  const std::string path = folder.file("x.faiss");
  EXPECT_EQ(to_faiss(*ours, folder.file("none/x.faiss")).code(), StatusCode::kIoError);
  EXPECT_EQ(to_faiss(*ours, folder.path()).code(), StatusCode::kIoError);
  EXPECT_EQ(to_faiss(*ours, "").code(), StatusCode::kInvalidArgument);
  write_all_bytes(path, std::string("what was there"));
  for (const char* call : {"open", "write", "fsync", "rename"}) {
    SCOPED_TRACE(call);
    const FaultyCalls faults({.at = 0, .error = ENOSPC, .only = call});
    const Status status = to_faiss(*ours, path);
    EXPECT_EQ(status.code(), StatusCode::kIoError) << status.message();
    EXPECT_TRUE(faults.fired());
    EXPECT_EQ(read_bytes(path).size(), 14u);
    EXPECT_EQ(folder.names(), std::vector<std::string>{"x.faiss"});
  }
  SEGUE_ASSERT_OK(to_faiss(*ours, path));
  EXPECT_TRUE(from_faiss(path).ok());
  {
    const FaissLeaks leaks;
    const FaultyCalls faults({.at = 0, .error = EIO, .only = "pread"});
    expect_refused(from_faiss(path), StatusCode::kIoError, "failed");
  }
  EXPECT_EQ(folder.names(), std::vector<std::string>{"x.faiss"});
}

}  // namespace
}  // namespace segue::test
