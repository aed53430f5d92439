#pragma once
// A catalog in its index's file: optional sections "cat" and "cat_...". docs/file_format.md has their bytes. An index
// without a catalog writes none of them.

#include <memory>
#include <shared_mutex>
#include <vector>

#include "catalog/catalog_body.hpp"
#include "file/file_reader.hpp"
#include "file/file_writer.hpp"

namespace segue {

struct CatalogRecord {
  std::uint64_t rows;  // holes included
  std::uint64_t size;
  std::uint64_t columns;
  std::int64_t next_id;
  std::uint64_t has_keys;  // 0 or 1
};

struct ColumnRecord {
  std::uint32_t type;
  std::uint32_t packing;
  std::uint64_t name_bytes;
  std::uint64_t words;
  std::uint64_t sets;
};

// What lies in the sections while a file is written; the catalog cannot change meanwhile.
class CatalogSections {
 public:
  explicit CatalogSections(const Catalog& catalog);
  // Borrows from this and from the catalog.
  void append_to(std::vector<SectionToWrite>& sections) const;

 private:
  const Catalog::Body& body_;
  std::shared_lock<ReaderMutex> lock_;
  CatalogRecord record_;
  std::vector<ColumnRecord> columns_;
};

// Null where there is none. Everything is checked, whatever `verify` was: what is believed here would be believed by
// every scan. Columns are borrowed from the file. kCorruptFile names the section.
Result<std::shared_ptr<Catalog>> read_catalog(const FileReader& file);

}  // namespace segue
