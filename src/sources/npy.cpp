// The head of a .npy file (numpy's NEP 1): a magic, a version, and the text of a Python dictionary, such as
//
//   {'descr': '<f4', 'fortran_order': False, 'shape': (1000, 128), }

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>
#include <string_view>

#include "sources/file_vectors.hpp"

namespace segue {
namespace {

constexpr char kMagic[] = "\x93NUMPY";
constexpr std::size_t kMagicBytes = 6;
constexpr std::size_t kLargestHead = 65536;

// What follows 'name': in the dictionary; empty where it is not there.
std::string_view value_of(std::string_view text, std::string_view name) {
  const std::string quoted = "'" + std::string(name) + "'";
  const std::size_t key = text.find(quoted);
  if (key == std::string_view::npos) return {};
  const std::size_t value = text.find_first_not_of(" :", key + quoted.size());
  return value == std::string_view::npos ? std::string_view() : text.substr(value);
}

// "(a, b)" alone; false for other shapes.
bool parse_shape(std::string_view text, std::uint64_t& rows, std::uint64_t& dim) {
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto skip = [&](char c) {
    while (at != end && *at == ' ') ++at;
    if (at == end || *at != c) return false;
    ++at;
    while (at != end && *at == ' ') ++at;
    return true;
  };
  const auto number = [&](std::uint64_t& n) {
    const auto [next, error] = std::from_chars(at, end, n);
    at = next;
    return error == std::errc();
  };
  return skip('(') && number(rows) && skip(',') && number(dim) && (skip(')') || (skip(',') && skip(')')));
}

}  // namespace

Result<FileMatrix> parse_npy(const ByteSource& file) {
  const auto broken = [&](const std::string& what) { return corrupt(file.name(), "no whole .npy file: " + what); };
  unsigned char start[12] = {};
  const auto whole_start = std::as_writable_bytes(std::span(start));
  if (file.size() < sizeof(start)) return broken("it has " + std::to_string(file.size()) + " bytes");
  SEGUE_RETURN_IF_ERROR(file.read(0, whole_start));
  if (std::memcmp(start, kMagic, kMagicBytes) != 0) return broken("it does not begin as one");
  const bool first_version = start[6] == 1;
  if (start[6] < 1 || start[6] > 3) return broken("version " + std::to_string(start[6]) + " is not known");
  std::size_t bytes = start[8] + std::size_t{256} * start[9];
  if (!first_version) bytes += (start[10] + std::size_t{256} * start[11]) << 16;
  const std::size_t begin = first_version ? 10 : 12;
  if (bytes > kLargestHead || bytes > file.size() - begin) return broken("its head of " + std::to_string(bytes) + " bytes");
  std::string text(bytes, '\0');
  SEGUE_RETURN_IF_ERROR(file.read(begin, std::as_writable_bytes(std::span(text))));

  FileMatrix matrix;
  matrix.offset = begin + bytes;
  const std::string_view shape = value_of(text, "shape");
  if (!parse_shape(shape, matrix.rows, matrix.dim)) {
    return corrupt(file.name(), "holds an array of shape " +
                                    std::string(shape.substr(0, std::min<std::size_t>(64, shape.find(')') + 1))) +
                                    ", expected (n, d)");
  }
  const std::string_view descr = value_of(text, "descr");
  const auto is = [&](const char* name) {
    return descr.starts_with("'<" + std::string(name) + "'") || descr.starts_with("'=" + std::string(name) + "'");
  };
  if (is("f2")) {
    matrix.element = FileFloat::kF16;
  } else if (is("f8")) {
    matrix.element = FileFloat::kF64;
  } else if (!is("f4")) {
    return invalid_argument(file.name() + " holds numbers of type " + std::string(descr.substr(0, descr.find(','))) +
                            ", expected float16, float32 or float64 of this machine's byte order");
  }
  if (!value_of(text, "fortran_order").starts_with("False")) {
    return invalid_argument(file.name() + " holds a matrix column by column (Fortran's order), of which no row can be "
                                          "read by itself; save numpy.ascontiguousarray(x)");
  }
  return matrix;
}

}  // namespace segue
