#pragma once
// The two kinds of .npy file that these programs share with numpy: float32 matrices in, int64 matrices out.
// Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "segue/status.hpp"

namespace npy {

struct Floats {
  std::size_t rows = 0;
  std::size_t cols = 0;
  std::vector<float> values;
};

// A little-endian, C-ordered float32 matrix of format version 1.0, as numpy.save writes it. Anything else is
// kInvalidArgument.
inline segue::Result<Floats> read_floats(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return segue::not_found("cannot open " + path);
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  constexpr std::size_t kPreamble = 10;  // magic, version, length of the header
  if (bytes.size() < kPreamble || bytes.compare(0, 8, std::string("\x93NUMPY\x01\x00", 8)) != 0) {
    return segue::invalid_argument(path + " is no .npy file of version 1.0");
  }
  const std::size_t length =
      static_cast<unsigned char>(bytes[8]) + 256U * static_cast<std::size_t>(static_cast<unsigned char>(bytes[9]));
  const std::string header = bytes.substr(kPreamble, length);
  const std::size_t shape = header.find("'shape': (");
  if (header.find("'descr': '<f4'") == std::string::npos || shape == std::string::npos ||
      header.find("'fortran_order': False") == std::string::npos) {
    return segue::invalid_argument(path + " is no C-ordered float32 matrix: " + header);
  }
  Floats matrix;
  const char* const end = header.data() + header.size();
  const auto rows = std::from_chars(header.data() + shape + std::strlen("'shape': ("), end, matrix.rows);
  const bool comma = rows.ptr + 2 <= end && rows.ptr[0] == ',' && rows.ptr[1] == ' ';
  const auto cols = comma ? std::from_chars(rows.ptr + 2, end, matrix.cols) : rows;
  if (!comma || cols.ec != std::errc() || cols.ptr == end || *cols.ptr != ')' || matrix.cols == 0) {
    return segue::invalid_argument(path + " has no two dimensions: " + header);
  }
  // Whole rows, and as many as announced; by division, so that no announced shape overflows.
  const std::size_t body = bytes.size() - kPreamble - header.size();
  if (body % sizeof(float) != 0 || body / sizeof(float) % matrix.cols != 0 ||
      body / sizeof(float) / matrix.cols != matrix.rows) {
    return segue::invalid_argument(path + " holds other than " + std::to_string(matrix.rows) + " x " +
                                   std::to_string(matrix.cols) + " numbers");
  }
  matrix.values.resize(body / sizeof(float));
  std::memcpy(matrix.values.data(), bytes.data() + kPreamble + header.size(), body);
  return matrix;
}

// ids.size() must be a multiple of cols.
inline segue::Status write_ids(const std::string& path, const std::vector<std::int64_t>& ids, std::size_t cols) {
  std::string header = "{'descr': '<i8', 'fortran_order': False, 'shape': (" + std::to_string(ids.size() / cols) +
                       ", " + std::to_string(cols) + "), }";
  // The numbers begin at a multiple of 64 bytes.
  header.append((128 - (10 + header.size() + 1) % 64) % 64, ' ');
  header += '\n';
  std::ofstream file(path, std::ios::binary);
  file << std::string("\x93NUMPY\x01\x00", 8) << static_cast<char>(header.size() % 256)
       << static_cast<char>(header.size() / 256) << header;
  file.write(reinterpret_cast<const char*>(ids.data()), static_cast<std::streamsize>(ids.size() * sizeof(ids[0])));
  file.flush();
  if (!file) return segue::io_error("cannot write " + path);
  return {};
}

}  // namespace npy
