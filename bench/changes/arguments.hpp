#pragma once
// What the programs of this folder share: vectors from a file, an index of some of them, and names with numbers.

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "segue/segue.hpp"

namespace segue::bench {

[[noreturn]] inline void fail(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  std::exit(1);
}

template <class T>
T need(Result<T> result) {
  if (!result.ok()) fail(result.status().message());
  return std::move(result).value();
}
inline void need(const Status& status) {
  if (!status.ok()) fail(status.message());
}

// FILE --name value ...; a name that is not among `known` ends the program.
struct Arguments {
  std::string path;
  std::map<std::string, std::string> values;

  Arguments(int count, char** words, std::map<std::string, std::string> known) : values(std::move(known)) {
    for (int i = 1; i < count; ++i) {
      const std::string word = words[i];
      if (word.rfind("--", 0) != 0) {
        path = word;
        continue;
      }
      const auto at = values.find(word.substr(2));
      if (at == values.end()) fail("unknown argument " + word);
      if (++i == count) fail(word + " takes a value");
      at->second = words[i];
    }
    if (path.empty()) fail("give a file of vectors, .npy or .fbin");
  }
  const std::string& text(const char* name) const { return values.at(name); }
  double number(const char* name) const { return std::strtod(values.at(name).c_str(), nullptr); }
  std::size_t count(const char* name) const { return static_cast<std::size_t>(number(name)); }
};

struct Rows {
  std::size_t dim = 0;
  std::vector<float> values;

  explicit Rows(const std::string& path) {
    const std::unique_ptr<VectorSource> source = need(open_vectors(path));
    dim = source->dim();
    values.resize(source->rows() * dim);
    need(source->read(0, source->rows(), values.data()));
  }
  std::size_t size() const { return values.size() / dim; }
  MatrixView slice(std::size_t first, std::size_t rows) const { return {values.data() + first * dim, rows, dim}; }
};

inline BuildOptions build_options(const Arguments& arguments) {
  BuildOptions options;
  options.kind = arguments.text("kind");
  options.metric = need(parse_metric(arguments.text("metric")));
  return options;
}

}  // namespace segue::bench
