#include "catalog/catalog_file.hpp"

#include <array>
#include <string>
#include <unordered_set>

namespace segue {
namespace {

constexpr const char* kCatalog = "cat";
constexpr const char* kColumns = "cat_columns";
constexpr const char* kNames = "cat_names";
constexpr const char* kValues = "cat_values";
constexpr const char* kWordEnds = "cat_word_ends";
constexpr const char* kWords = "cat_words";
constexpr const char* kSetEnds = "cat_set_ends";
constexpr const char* kSets = "cat_sets";
constexpr const char* kIds = "cat_ids";
constexpr const char* kIdTable = "cat_id_table";
constexpr const char* kKeyEnds = "cat_key_ends";
constexpr const char* kKeys = "cat_keys";

// Each column's values start at a multiple of this within their section.
constexpr std::size_t kAlignment = 64;
constexpr std::size_t kMaxRows = (std::size_t{1} << 31) - 1;

std::size_t padding_after(std::size_t bytes) noexcept { return (kAlignment - bytes % kAlignment) % kAlignment; }

bool fits(ColumnType type, Packing packing) noexcept {
  switch (type) {
    case ColumnType::kBoolean:
      return packing == Packing::kU8;
    case ColumnType::kCategory:
    case ColumnType::kSet:
      return packing <= Packing::kU32;
    case ColumnType::kInteger:
    case ColumnType::kDate:
      return packing >= Packing::kI8 && packing <= Packing::kI64;
    case ColumnType::kFloat:
      return packing == Packing::kF32 || packing == Packing::kF64;
  }
  return false;
}

// What a file holds, in place; a copy where its pages cannot be written, as changes of a catalog do.
template <class T>
Buffer<T> take_from(const FileReader& file, std::span<T> values) {
  if (file.writable()) return Buffer<T>(values, file.lend(std::as_bytes(values)));
  Buffer<T> copy;
  copy.assign(values);
  return copy;
}

// A section that several columns share, given out from its start.
template <class T>
class Shared {
 public:
  Shared(const FileReader& file, const char* name) : file_(file), name_(name) {
    Result<std::span<T>> section = file.section<T>(name);
    if (section.ok())
      rest_ = *section;
    else
      status_ = section.status();
  }
  Buffer<T> take(std::uint64_t count) {
    if (count > rest_.size()) {
      fail("it is shorter than the columns ask for");
      return {};
    }
    Buffer<T> taken = take_from(file_, rest_.first(static_cast<std::size_t>(count)));
    rest_ = rest_.subspan(static_cast<std::size_t>(count));
    return taken;
  }
  void fail(std::string_view what) {
    if (status_.ok()) status_ = file_.corrupt_section(name_, what);
  }
  const Status& finish() {
    if (!rest_.empty()) fail("it is longer than the columns ask for");
    return status_;
  }
  const Status& status() const noexcept { return status_; }

 private:
  const FileReader& file_;
  const char* name_;
  std::span<T> rest_;
  Status status_;
};

// Strings as they lie in two sections; not indexed yet.
StringTable take_strings(Shared<std::uint64_t>& ends, Shared<char>& bytes, std::uint64_t count) {
  Buffer<std::uint64_t> taken = ends.take(count);
  std::uint64_t last = 0;
  for (const std::uint64_t end : taken) {
    if (end < last) ends.fail("it does not ascend");
    last = std::max(last, end);
  }
  if (!ends.status().ok()) return {};
  Buffer<char> text = bytes.take(taken.empty() ? 0 : last);
  if (!bytes.status().ok()) return {};
  return {std::move(taken), std::move(text)};
}

class Reader {
 public:
  explicit Reader(const FileReader& file) : file_(file) {}

  Result<std::shared_ptr<Catalog>> read() {
    const auto record = file_.section<CatalogRecord>(kCatalog, 1);
    if (!record.ok()) return record.status();
    record_ = record->front();
    if (record_.rows > kMaxRows || record_.size > record_.rows || record_.next_id < 0 || record_.has_keys > 1) {
      return file_.corrupt_section(kCatalog, "its numbers are no catalog's");
    }
    SEGUE_RETURN_IF_ERROR(read_columns());
    SEGUE_RETURN_IF_ERROR(read_ids());
    SEGUE_RETURN_IF_ERROR(read_keys());
    return std::make_shared<Catalog>(std::move(body_));
  }

 private:
  Status read_columns() {
    const auto columns = file_.section<ColumnRecord>(kColumns);
    if (!columns.ok()) return columns.status();
    if (columns->size() != record_.columns)
      return file_.corrupt_section(kColumns, "there are more, or fewer, than counted");
    Shared<char> names(file_, kNames);
    Shared<unsigned char> values(file_, kValues);
    Shared<std::uint64_t> word_ends(file_, kWordEnds);
    Shared<char> words(file_, kWords);
    Shared<std::uint64_t> set_ends(file_, kSetEnds);
    Shared<char> sets(file_, kSets);
    for (const ColumnRecord& column : *columns) {
      const auto type = static_cast<ColumnType>(column.type);
      const auto packing = static_cast<Packing>(column.packing);
      if (column.type > static_cast<std::uint32_t>(ColumnType::kDate) || column.packing >= kPackings ||
          !fits(type, packing)) {
        return file_.corrupt_section(kColumns, "a column's type or width is none that there is");
      }
      const Buffer<char> name = names.take(column.name_bytes);
      Column made(std::string(name.begin(), name.end()), type);
      const std::size_t bytes = static_cast<std::size_t>(record_.rows) * width_of(packing);
      made.values = PackedArray(packing, values.take(bytes));
      values.take(padding_after(bytes));
      made.words = take_strings(word_ends, words, column.words);
      made.sets = take_strings(set_ends, sets, column.sets);
      for (const Status* status : {&names.status(), &values.status(), &word_ends.status(), &words.status(),
                                   &set_ends.status(), &sets.status()}) {
        if (!status->ok()) return *status;
      }
      SEGUE_RETURN_IF_ERROR(check_column(made));
      body_->columns.push_back(std::move(made));
    }
    for (const Status* status : {&names.finish(), &values.finish(), &word_ends.finish(), &words.finish(),
                                 &set_ends.finish(), &sets.finish()}) {
      if (!status->ok()) return *status;
    }
    return {};
  }

  Status check_column(Column& column) {
    if (column.name.empty() || !names_.insert(column.name).second) {
      return file_.corrupt_section(kNames, "a column's name is empty, or there twice");
    }
    const bool has_words = column.type == ColumnType::kCategory || column.type == ColumnType::kSet;
    if ((!has_words && column.words.size() != 0) || (column.type != ColumnType::kSet && column.sets.size() != 0)) {
      return file_.corrupt_section(kColumns, "a column has words or sets that its type has not");
    }
    // An offset that is no multiple of four would read numbers across two others.
    for (const std::uint64_t end : column.sets.ends()) {
      if (end % sizeof(std::uint32_t) != 0) return file_.corrupt_section(kSetEnds, "a set is no whole number of words");
    }
    column.words.index([](std::size_t) { return true; });
    column.sets.index([](std::size_t) { return true; });
    const Status valid = validate_column(column, static_cast<std::size_t>(record_.rows));
    if (!valid.ok()) return file_.corrupt_section(kValues, valid.message());
    return {};
  }

  Status read_ids() {
    auto ids = file_.section<Id>(kIds, static_cast<std::size_t>(record_.rows));
    if (!ids.ok()) return ids.status();
    auto table = file_.section<std::uint32_t>(kIdTable);
    if (!table.ok()) return table.status();
    body_->ids = IdMap(take_from(file_, *ids), take_from(file_, *table),
                       static_cast<std::size_t>(record_.size));
    const Status valid = body_->ids.validate();
    if (!valid.ok()) return file_.corrupt_section(kIds, valid.message());
    body_->next_id = record_.next_id;
    for (const Id id : *ids) {
      if (id >= record_.next_id && id != std::numeric_limits<Id>::max()) {
        return file_.corrupt_section(kCatalog, "the next free id is not free");
      }
    }
    body_->stale = static_cast<std::size_t>(record_.rows - record_.size);
    return {};
  }

  Status read_keys() {
    body_->has_keys = record_.has_keys != 0;
    Shared<std::uint64_t> ends(file_, kKeyEnds);
    Shared<char> bytes(file_, kKeys);
    body_->keys = take_strings(ends, bytes, body_->has_keys ? record_.rows : 0);
    SEGUE_RETURN_IF_ERROR(ends.finish());
    SEGUE_RETURN_IF_ERROR(bytes.finish());
    body_->keys.index([this](std::size_t row) { return body_->is_there(row); });
    const Status valid = body_->validate_keys();
    if (!valid.ok()) return file_.corrupt_section(kKeys, valid.message());
    return {};
  }

  const FileReader& file_;
  CatalogRecord record_{};
  std::unordered_set<std::string> names_;
  std::unique_ptr<Catalog::Body> body_ = std::make_unique<Catalog::Body>();
};

// A section that is the same array of every column, one after another.
template <class T, class ArrayOf>
SectionToWrite gather(const char* name, std::span<const Column> columns, ArrayOf&& array_of) {
  SectionToWrite section{name, sizeof(T), {}, {}};
  for (const Column& column : columns) section.pieces.push_back(std::as_bytes(array_of(column)));
  return section;
}

constexpr std::array<std::byte, kAlignment> kZeros{};

}  // namespace

CatalogSections::CatalogSections(const Catalog& catalog)
    : body_(catalog.body()),
      lock_(body_.mutex),
      record_{body_.rows(), body_.ids.size(), body_.columns.size(), body_.next_id, body_.has_keys ? 1u : 0u} {
  for (const Column& column : body_.columns) {
    columns_.push_back({static_cast<std::uint32_t>(column.type), static_cast<std::uint32_t>(column.values.packing()),
                        column.name.size(), column.words.size(), column.sets.size()});
  }
}

void CatalogSections::append_to(std::vector<SectionToWrite>& sections) const {
  const std::span<const Column> columns(body_.columns);
  sections.push_back(make_section<CatalogRecord>(kCatalog, std::span(&record_, 1)));
  sections.push_back(make_section<ColumnRecord>(kColumns, std::span<const ColumnRecord>(columns_)));
  sections.push_back(gather<char>(kNames, columns, [](const Column& c) { return std::span<const char>(c.name); }));
  SectionToWrite values{kValues, 1, {}, {}};
  for (const Column& column : columns) {
    const std::span<const unsigned char> bytes = column.values.bytes().span();
    values.pieces.push_back(std::as_bytes(bytes));
    values.pieces.push_back(std::span(kZeros).first(padding_after(bytes.size())));
  }
  sections.push_back(std::move(values));
  sections.push_back(gather<std::uint64_t>(kWordEnds, columns, [](const Column& c) { return c.words.ends().span(); }));
  sections.push_back(gather<char>(kWords, columns, [](const Column& c) { return c.words.bytes().span(); }));
  sections.push_back(gather<std::uint64_t>(kSetEnds, columns, [](const Column& c) { return c.sets.ends().span(); }));
  sections.push_back(gather<char>(kSets, columns, [](const Column& c) { return c.sets.bytes().span(); }));
  sections.push_back(make_section<Id>(kIds, body_.ids.id_array().span()));
  sections.push_back(make_section<std::uint32_t>(kIdTable, body_.ids.table().span()));
  sections.push_back(make_section<std::uint64_t>(kKeyEnds, body_.keys.ends().span()));
  sections.push_back(make_section<char>(kKeys, body_.keys.bytes().span()));
}

Result<std::shared_ptr<Catalog>> read_catalog(const FileReader& file) {
  if (!file.has(kCatalog)) return std::shared_ptr<Catalog>();
  return Reader(file).read();
}

}  // namespace segue
