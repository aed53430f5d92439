#include <array>
#include <string>

#include "segue/candidates/generator.hpp"

namespace segue {
namespace {

constexpr std::array<std::string_view, 5> kCombines = {"max", "sum", "average", "least_happy", "shares"};
constexpr std::array<std::string_view, 3> kBlends = {"weighted", "reciprocal_rank", "shares"};
constexpr std::array<std::string_view, 3> kEnds = {"full", "exhausted", "deadline"};

template <class T, std::size_t N>
std::string_view name_of(const std::array<std::string_view, N>& names, T value) noexcept {
  const auto i = static_cast<std::size_t>(value);
  return i < N ? names[i] : "unknown";
}

template <class T, std::size_t N>
Result<T> parse(const std::array<std::string_view, N>& names, const char* what, std::string_view name) {
  std::string known;
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == name) return static_cast<T>(i);
    known += (known.empty() ? "\"" : ", \"") + std::string(names[i]) + "\"";
  }
  return invalid_argument("unknown " + std::string(what) + " \"" + std::string(name) + "\"; known: " + known);
}

}  // namespace

std::string_view to_string(Combine combine) noexcept { return name_of(kCombines, combine); }
std::string_view to_string(Blend blend) noexcept { return name_of(kBlends, blend); }
std::string_view to_string(EndedBy ended_by) noexcept { return name_of(kEnds, ended_by); }
Result<Combine> parse_combine(std::string_view name) { return parse<Combine>(kCombines, "combine", name); }
Result<Blend> parse_blend(std::string_view name) { return parse<Blend>(kBlends, "blend", name); }

}  // namespace segue
