#include "parse_options.hpp"

#include <charconv>
#include <string_view>
#include <system_error>

namespace playlists {
namespace {

template <class Number>
segue::Status parse_number(std::string_view name, std::string_view text, Number lowest, Number highest, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value >= lowest && value <= highest) return {};
  return segue::invalid_argument(std::string(name) + " takes a whole number from " + std::to_string(lowest) + " to " +
                                 std::to_string(highest) + ", got \"" + std::string(text) + "\"");
}

}  // namespace

segue::Result<Options> parse_options(int argc, const char* const* argv) {
  Options options;
  options.data = SEGUE_PLAYLISTS_DIR;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--quick") {
      options.quick = true;
      continue;
    }
    if (name == "--help" || name == "-h") {
      options.help = true;
      continue;
    }
    const bool known = name == "--data" || name == "--out" || name == "--dim" || name == "--metric" || name == "--seed";
    if (!known) return segue::invalid_argument("unknown argument " + std::string(name) + "; --help lists them");
    if (++i == argc) return segue::invalid_argument(std::string(name) + " takes a value");
    if (name == "--data") options.data = argv[i];
    if (name == "--out") options.out = argv[i];
    if (name == "--dim") SEGUE_RETURN_IF_ERROR(parse_number<std::size_t>(name, argv[i], 8, 200, options.dim));
    if (name == "--metric") {
      const auto metric = segue::parse_metric(argv[i]);
      if (!metric.ok()) return metric.status();
      options.metric = *metric;
    }
    if (name == "--seed") {
      SEGUE_RETURN_IF_ERROR(parse_number<std::uint64_t>(name, argv[i], 0, UINT64_MAX, options.seed));
    }
  }
  return options;
}

}  // namespace playlists
