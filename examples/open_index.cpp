// Opens an index file, whoever wrote it, and answers queries that numpy saved.
//
//   open_index tracks.segue queries.npy 10                     prints a line of ids a query
//   open_index tracks.segue queries.npy 10 --ef 200 --out ids.npy
//
// continue_playlists.py saves such files and checks that this program answers with the same ids.

#include <charconv>
#include <cstdio>
#include <cstring>
#include <string>

#include "npy.hpp"
#include "segue/segue.hpp"

namespace {

constexpr const char* kUsage = "open_index INDEX QUERIES.npy K [--ef N] [--out IDS.npy]\n";

struct Arguments {
  std::string index, queries, out;
  std::size_t k = 0, ef = 0;
};

bool parse_size(const char* text, std::size_t& value) {
  const auto [end, error] = std::from_chars(text, text + std::strlen(text), value);
  return error == std::errc() && *end == '\0';
}

bool parse(int argc, char** argv, Arguments& arguments) {
  if (argc < 4 || !parse_size(argv[3], arguments.k)) return false;
  arguments.index = argv[1];
  arguments.queries = argv[2];
  for (int i = 4; i < argc; i += 2) {
    if (i + 1 == argc) return false;
    const std::string name = argv[i];
    if (name == "--out") {
      arguments.out = argv[i + 1];
    } else if (name != "--ef" || !parse_size(argv[i + 1], arguments.ef)) {
      return false;
    }
  }
  return true;
}

segue::Status run(const Arguments& arguments) {
  auto index = segue::load(arguments.index);
  if (!index.ok()) return index.status();
  const auto queries = npy::read_floats(arguments.queries);
  if (!queries.ok()) return queries.status();

  const auto found =
      (*index)->search(segue::MatrixView(queries->values, queries->cols), arguments.k, {.ef = arguments.ef});
  if (!found.ok()) return found.status();
  if (!arguments.out.empty()) return npy::write_ids(arguments.out, found->ids, arguments.k);
  for (std::size_t i = 0; i < found->ids.size(); ++i) {
    std::printf("%lld%c", static_cast<long long>(found->ids[i]), (i + 1) % arguments.k == 0 ? '\n' : ' ');
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  const segue::Status status = run(arguments);
  if (status.ok()) return 0;
  std::fprintf(stderr, "open_index: %s\n", status.message().c_str());
  return 1;
}
