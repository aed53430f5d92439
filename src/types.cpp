#include "segue/types.hpp"

#include <array>
#include <string>

namespace segue {
namespace {

template <class T>
struct Named {
  T value;
  std::string_view name;
};

constexpr std::array<Named<Metric>, 3> kMetrics = {{
    {Metric::kL2, "l2"},
    {Metric::kInnerProduct, "ip"},
    {Metric::kCosine, "cosine"},
}};

constexpr std::array<Named<Storage>, 15> kStorages = {{
    {Storage::kAuto, "auto"},
    {Storage::kF32, "f32"},
    {Storage::kF16, "f16"},
    {Storage::kBf16, "bf16"},
    {Storage::kSq8, "sq8"},
    {Storage::kPca8, "pca8"},
    {Storage::kSq4, "sq4"},
    {Storage::kRabitq1, "rabitq1"},
    {Storage::kRabitq2, "rabitq2"},
    {Storage::kRabitq3, "rabitq3"},
    {Storage::kRabitq4, "rabitq4"},
    {Storage::kRabitq5, "rabitq5"},
    {Storage::kRabitq6, "rabitq6"},
    {Storage::kRabitq7, "rabitq7"},
    {Storage::kRabitq8, "rabitq8"},
}};

template <class T, std::size_t N>
std::string_view name_of(const std::array<Named<T>, N>& table, T value) noexcept {
  for (const auto& entry : table) {
    if (entry.value == value) return entry.name;
  }
  return "unknown";
}

template <class T, std::size_t N>
Result<T> parse(const std::array<Named<T>, N>& table, std::string_view what, std::string_view name) {
  std::string known;
  for (const auto& entry : table) {
    if (entry.name == name) return entry.value;
    known += (known.empty() ? "\"" : ", \"") + std::string(entry.name) + "\"";
  }
  return invalid_argument("unknown " + std::string(what) + " \"" + std::string(name) + "\"; known: " + known);
}

}  // namespace

std::string_view to_string(Metric metric) noexcept { return name_of(kMetrics, metric); }
std::string_view to_string(Storage storage) noexcept { return name_of(kStorages, storage); }

Result<Metric> parse_metric(std::string_view name) { return parse(kMetrics, "metric", name); }
Result<Storage> parse_storage(std::string_view name) { return parse(kStorages, "storage", name); }

}  // namespace segue
