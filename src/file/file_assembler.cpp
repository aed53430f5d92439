#include "file/file_assembler.hpp"

#include <cassert>
#include <utility>

namespace segue {

Result<FileAssembler> FileAssembler::create(const std::string& path, const FileIdentity& identity,
                                            std::size_t sections, std::uint64_t bytes_to_come) {
  FilePlan plan;
  SEGUE_RETURN_IF_ERROR(plan.start(identity, sections));
  Result<AtomicFile> file = AtomicFile::create(path, bytes_to_come);
  if (!file.ok()) return file.status();
  return FileAssembler(std::move(file).value(), std::move(plan));
}

Result<std::size_t> FileAssembler::add_section(std::string_view name, std::size_t element_size, std::uint64_t bytes) {
  SEGUE_RETURN_IF_ERROR(plan_.add_section(name, element_size, bytes));
  filled_.emplace_back();
  return filled_.size() - 1;
}

Status FileAssembler::append(std::size_t section, std::span<const std::byte> bytes) {
  Filled& filled = filled_[section];
  const layout::SectionEntry& entry = plan_.table[section];
  assert(bytes.size() <= entry.bytes - filled.bytes);
  filled.sum.update(bytes);
  SEGUE_RETURN_IF_ERROR(file_.write_at(entry.offset + filled.bytes, bytes));
  filled.bytes += bytes.size();
  return {};
}

Status FileAssembler::commit() {
  for (std::size_t i = 0; i < filled_.size(); ++i) {
    assert(filled_[i].bytes == plan_.table[i].bytes);
    plan_.table[i].checksum = filled_[i].sum.digest();
  }
  SEGUE_RETURN_IF_ERROR(plan_.finish());
  const std::uint64_t footer = plan_.header.file_bytes - sizeof(layout::Footer);
  SEGUE_RETURN_IF_ERROR(file_.write_at(footer, std::as_bytes(std::span(&plan_.footer, 1))));
  SEGUE_RETURN_IF_ERROR(file_.write_at(sizeof(layout::Header), std::as_bytes(std::span(plan_.table))));
  SEGUE_RETURN_IF_ERROR(file_.write_at(0, std::as_bytes(std::span(&plan_.header, 1))));
  return file_.commit();
}

}  // namespace segue
