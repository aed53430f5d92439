// The container of index files: header, table, sections, footer, and nothing of what they mean. The first byte chooses
// whether checksums are made right, so that the checks behind them are reached; the rest is the file.

#include <cstddef>

#include "file/example_file.hpp"
#include "fuzz/file_reader_body.hpp"
#include "fuzz/targets/fuzz_target.hpp"

namespace segue::test {
namespace {

void run(std::span<const unsigned char> input) {
  if (input.empty()) return;
  Bytes file(input.begin() + 1, input.end());
  if (input[0] % 2 == 1) fix_checksums(file);
  exercise_file(file);
}

std::vector<Bytes> seeds() {
  Bytes seed = ExampleFile().bytes();
  seed.insert(seed.begin(), 0);
  Bytes fixed = seed;
  fixed[0] = 1;
  return {seed, fixed};
}

}  // namespace

const FuzzTarget& fuzz_target() {
  static const FuzzTarget target = {"file_reader", run, seeds};
  return target;
}

}  // namespace segue::test
