#include <cmath>
#include <unordered_map>

#include "segue/column.hpp"

namespace segue {
namespace {

constexpr std::string_view kNames[] = {"category", "set", "integer", "float", "boolean", "date"};

// Numbers words by first appearance.
class Words {
 public:
  explicit Words(ColumnData& data) : data_(data) {}
  void add(const std::string& word) {
    const auto [place, fresh] = numbers_.try_emplace(word, static_cast<std::int64_t>(data_.words.size()));
    if (fresh) data_.words.push_back(word);
    data_.numbers.push_back(place->second);
  }

 private:
  ColumnData& data_;
  std::unordered_map<std::string, std::int64_t> numbers_;
};

ColumnData make(std::string name, ColumnType type, ColumnData::Missing missing) {
  ColumnData data;
  data.name = std::move(name);
  data.type = type;
  data.missing = std::move(missing);
  return data;
}

}  // namespace

std::string_view to_string(ColumnType type) noexcept {
  const auto number = static_cast<std::size_t>(type);
  return number < std::size(kNames) ? kNames[number] : "unknown";
}

Result<ColumnType> parse_column_type(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kNames); ++i) {
    if (kNames[i] == name) return static_cast<ColumnType>(i);
  }
  return invalid_argument("column type '" + std::string(name) +
                          "' is unknown; known are category, set, integer, float, boolean and date");
}

std::size_t ColumnData::rows() const noexcept {
  if (type == ColumnType::kFloat) return reals.size();
  if (type == ColumnType::kSet) return offsets.empty() ? 0 : offsets.size() - 1;
  return numbers.size();
}

bool ColumnData::is_missing(std::size_t row) const noexcept {
  if (!missing.empty() && missing[row] != 0) return true;
  return type == ColumnType::kFloat && std::isnan(reals[row]);
}

std::vector<std::string_view> ColumnData::set(std::size_t row) const {
  std::vector<std::string_view> all;
  for (std::size_t i = offsets[row]; i < offsets[row + 1]; ++i) {
    all.push_back(words[static_cast<std::size_t>(numbers[i])]);
  }
  return all;
}

ColumnData ColumnData::categories(std::string name, const std::vector<std::string>& values, Missing missing) {
  ColumnData data = make(std::move(name), ColumnType::kCategory, std::move(missing));
  Words words(data);
  for (const std::string& value : values) words.add(value);
  return data;
}

ColumnData ColumnData::sets(std::string name, const std::vector<std::vector<std::string>>& values, Missing missing) {
  ColumnData data = make(std::move(name), ColumnType::kSet, std::move(missing));
  Words words(data);
  data.offsets.push_back(0);
  for (const std::vector<std::string>& set : values) {
    for (const std::string& value : set) words.add(value);
    data.offsets.push_back(data.numbers.size());
  }
  return data;
}

ColumnData ColumnData::integers(std::string name, std::vector<std::int64_t> values, Missing missing) {
  ColumnData data = make(std::move(name), ColumnType::kInteger, std::move(missing));
  data.numbers = std::move(values);
  return data;
}

ColumnData ColumnData::floats(std::string name, std::vector<double> values) {
  ColumnData data = make(std::move(name), ColumnType::kFloat, {});
  data.reals = std::move(values);
  return data;
}

ColumnData ColumnData::booleans(std::string name, const std::vector<bool>& values, Missing missing) {
  ColumnData data = make(std::move(name), ColumnType::kBoolean, std::move(missing));
  data.numbers.assign(values.begin(), values.end());
  return data;
}

ColumnData ColumnData::dates(std::string name, std::vector<std::int64_t> seconds, Missing missing) {
  ColumnData data = make(std::move(name), ColumnType::kDate, std::move(missing));
  data.numbers = std::move(seconds);
  return data;
}

}  // namespace segue
