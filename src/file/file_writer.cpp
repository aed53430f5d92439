#include "file/file_writer.hpp"

#include <exception>

#include "file/atomic_file.hpp"
#include "file/checksum.hpp"
#include "file/file_plan.hpp"

namespace segue {
namespace {

using layout::Footer;
using layout::Header;
using layout::SectionEntry;

template <class Use>
Status for_each_piece(const SectionToWrite& section, Use use) {
  SEGUE_RETURN_IF_ERROR(use(section.bytes));
  for (const std::span<const std::byte> piece : section.pieces) SEGUE_RETURN_IF_ERROR(use(piece));
  return {};
}

Status plan_file(const FileIdentity& identity, std::span<const SectionToWrite> sections, FilePlan& plan) {
  SEGUE_RETURN_IF_ERROR(plan.start(identity, sections.size()));
  for (const SectionToWrite& section : sections) {
    Checksum sum;
    std::uint64_t bytes = 0;
    SEGUE_RETURN_IF_ERROR(for_each_piece(section, [&](std::span<const std::byte> piece) {
      sum.update(piece);
      bytes += piece.size();
      return Status();
    }));
    SEGUE_RETURN_IF_ERROR(plan.add_section(section.name, section.element_size, bytes));
    plan.table.back().checksum = sum.digest();
  }
  return plan.finish();
}

// Hands the whole file to `append`, from the first byte to the last.
template <class Append>
Status emit(const FilePlan& plan, std::span<const SectionToWrite> sections, Append append) {
  static constexpr std::byte kZeros[layout::kPage] = {};
  SEGUE_RETURN_IF_ERROR(append(std::as_bytes(std::span<const Header, 1>(&plan.header, 1))));
  SEGUE_RETURN_IF_ERROR(append(std::as_bytes(std::span(plan.table))));
  std::uint64_t end = sizeof(Header) + plan.table.size() * sizeof(SectionEntry);
  for (std::size_t i = 0; i < sections.size(); ++i) {
    SEGUE_RETURN_IF_ERROR(append(std::span(kZeros, static_cast<std::size_t>(plan.table[i].offset - end))));
    SEGUE_RETURN_IF_ERROR(for_each_piece(sections[i], append));
    end = plan.table[i].offset + plan.table[i].bytes;
  }
  const std::uint64_t footer = plan.header.file_bytes - sizeof(Footer);
  SEGUE_RETURN_IF_ERROR(append(std::span(kZeros, static_cast<std::size_t>(footer - end))));
  return append(std::as_bytes(std::span<const Footer, 1>(&plan.footer, 1)));
}

}  // namespace

Status write_file(const std::string& path, const FileIdentity& identity, std::span<const SectionToWrite> sections) {
  FilePlan plan;
  SEGUE_RETURN_IF_ERROR(plan_file(identity, sections, plan));
  Result<AtomicFile> file = AtomicFile::create(path, plan.header.file_bytes);
  if (!file.ok()) return file.status();
  SEGUE_RETURN_IF_ERROR(
      emit(plan, sections, [&](std::span<const std::byte> bytes) { return file->append(bytes); }));
  return file->commit();
}

Result<std::vector<unsigned char>> write_bytes(const FileIdentity& identity,
                                               std::span<const SectionToWrite> sections) {
  FilePlan plan;
  SEGUE_RETURN_IF_ERROR(plan_file(identity, sections, plan));
  std::vector<unsigned char> out;
  try {
    out.reserve(static_cast<std::size_t>(plan.header.file_bytes));
  } catch (const std::exception&) {
    return out_of_memory("no memory for a copy of " + std::to_string(plan.header.file_bytes) + " bytes");
  }
  SEGUE_RETURN_IF_ERROR(emit(plan, sections, [&](std::span<const std::byte> bytes) {
    const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
    out.insert(out.end(), data, data + bytes.size());
    return Status();
  }));
  return out;
}

}  // namespace segue
