// An index to FAISS and back, through a file and through memory.

#include <faiss/Index.h>

#include <segue/interop/faiss.hpp>
#include <segue/segue.hpp>

#include <cstdio>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const auto index = segue::FlatIndex::create(8, segue::Metric::kL2);
  std::vector<float> values(100 * 8);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i * 7919 % 1009);
  segue::Status status = (*index)->add(segue::MatrixView(values, 8));
  if (status.ok()) status = segue::to_faiss(**index, argv[1]);
  if (!status.ok()) return std::fprintf(stderr, "%s\n", status.message().c_str()), 1;
  const auto theirs = segue::to_faiss(**index);
  const auto back = segue::from_faiss(argv[1]);
  if (!theirs.ok() || !back.ok()) return std::fprintf(stderr, "it did not come back\n"), 1;
  return (*theirs)->ntotal == 100 && (*back)->size() == 100 ? 0 : 1;
}
