// libFuzzer entry for the file reader (clang, -fsanitize=fuzzer,address). The first byte chooses whether checksums are
// made right, so that the checks behind them are reached; the rest is the file. tests/file/golden makes good seeds.

#include <cstddef>
#include <cstdint>

#include "file_reader_body.hpp"
#include "support/file_mutations.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  segue::test::Bytes file(data + 1, data + size);
  if (data[0] % 2 == 1) segue::test::fix_checksums(file);
  segue::test::exercise_file(file);
  return 0;
}
