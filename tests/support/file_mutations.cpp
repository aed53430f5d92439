#include "support/file_mutations.hpp"

#include <algorithm>
#include <cstring>
#include <span>

#include "file/checksum.hpp"
#include "file/layout.hpp"

namespace segue::test {
namespace {

using layout::Footer;
using layout::Header;
using layout::SectionEntry;

std::size_t table_end(const Bytes& file) {
  Header header;
  if (file.size() < sizeof(header)) return file.size();
  std::memcpy(&header, file.data(), sizeof(header));
  const std::uint64_t end = sizeof(Header) + std::uint64_t{header.section_count} * sizeof(SectionEntry);
  return static_cast<std::size_t>(std::min<std::uint64_t>(end, file.size()));
}

std::uint64_t interesting_number(std::uint64_t now, std::size_t file_bytes, Random& random) {
  switch (random.below(9)) {
    case 0: return 0;
    case 1: return std::uint64_t{1} << random.below(64);
    case 2: return (std::uint64_t{1} << random.below(64)) - 1;
    case 3: return ~std::uint64_t{0} - random.below(128);
    case 4: return now + 1 + random.below(64);
    case 5: return now - 1 - random.below(64);
    case 6: return file_bytes - random.below(128);
    case 7: return now * 2;
    default: return random.next();
  }
}

// One change to [begin, end), which is not empty.
void change(Bytes& file, std::size_t begin, std::size_t end, Random& random) {
  const std::size_t length = end - begin;
  const std::size_t at = begin + random.below(length);
  const std::size_t run = 1 + random.below(std::min<std::size_t>(length, 64));
  const std::size_t first = begin + random.below(length - run + 1);
  const std::size_t other = begin + random.below(length - run + 1);
  switch (random.below(8)) {
    case 0:
    case 1: file[at] = static_cast<unsigned char>(file[at] ^ (1u << random.below(8))); break;
    case 2: file[at] = static_cast<unsigned char>(random.next() >> 56); break;
    case 3:
    case 4: {
      const std::size_t width = std::size_t{2} << random.below(3);
      const std::size_t aligned = at / width * width;
      if (aligned + width > file.size()) break;
      std::uint64_t number = 0;
      std::memcpy(&number, &file[aligned], width);
      number = interesting_number(number, file.size(), random);
      std::memcpy(&file[aligned], &number, width);
      break;
    }
    case 5: std::memmove(&file[first], &file[other], run); break;
    case 6: std::fill_n(file.begin() + static_cast<std::ptrdiff_t>(first), run, static_cast<unsigned char>(0)); break;
    default:
      for (std::size_t i = 0; i < run; ++i) std::swap(file[first + i], file[other + i]);
  }
}

void change_length(Bytes& file, Random& random) {
  if (random.below(2) == 0) {
    file.resize(random.below(file.size() + 1));
  } else {
    for (std::size_t n = 1 + random.below(200); n > 0; --n) file.push_back(static_cast<unsigned char>(random.next() >> 56));
  }
}

}  // namespace

Bytes mutate(const Bytes& file, Random& random) {
  Bytes out;
  do {
    out = file;
    for (std::size_t changes = 1 + random.below(4); changes > 0 && !out.empty(); --changes) {
      const std::size_t table = table_end(out);
      const std::size_t footer = out.size() - std::min(out.size(), sizeof(Footer));
      switch (random.below(16)) {
        case 0: change_length(out, random); break;
        case 1: change(out, footer, out.size(), random); break;
        case 2:
        case 3:
        case 4: change(out, 0, std::min(out.size(), sizeof(Header)), random); break;
        case 5:
        case 6:
        case 7: change(out, std::min(sizeof(Header), table - 1), table, random); break;
        default: change(out, 0, out.size(), random);
      }
    }
  } while (out == file);
  return out;
}

Bytes mutate_sections(const Bytes& file, Random& random) {
  const std::size_t begin = table_end(file);
  const std::size_t end = file.size() - sizeof(Footer);
  const std::size_t sections = (begin - sizeof(Header)) / sizeof(SectionEntry);
  Bytes out;
  do {
    out = file;
    for (std::size_t changes = 1 + random.below(4); changes > 0; --changes) {
      SectionEntry entry;
      std::memcpy(&entry, &file[sizeof(Header) + random.below(sections) * sizeof(SectionEntry)], sizeof(entry));
      // Short sections hold counts, entries and lists of slots; by size alone they would hardly ever be hit.
      if (entry.bytes != 0 && random.below(2) == 0) {
        change(out, entry.offset, entry.offset + entry.bytes, random);
      } else {
        change(out, begin, end, random);
      }
    }
  } while (out == file);
  return out;
}

void fix_checksums(Bytes& file) {
  if (file.size() < layout::kSmallestFile) return;
  const std::span<std::byte> bytes = std::as_writable_bytes(std::span(file));
  Header header;
  std::memcpy(&header, file.data(), sizeof(header));
  header.file_bytes = file.size();
  header.checksum = checksum_of(std::as_bytes(std::span<const Header, 1>(&header, 1)).first(offsetof(Header, checksum)));
  std::memcpy(file.data(), &header, sizeof(header));

  const std::size_t table = table_end(file);
  for (std::size_t at = sizeof(Header); at + sizeof(SectionEntry) <= table; at += sizeof(SectionEntry)) {
    SectionEntry entry;
    std::memcpy(&entry, &file[at], sizeof(entry));
    if (entry.offset > file.size() || entry.bytes > file.size() - entry.offset) continue;
    entry.checksum = checksum_of(bytes.subspan(static_cast<std::size_t>(entry.offset), static_cast<std::size_t>(entry.bytes)));
    std::memcpy(&file[at], &entry, sizeof(entry));
  }

  Footer footer;
  const std::size_t footer_at = file.size() - sizeof(footer);
  std::memcpy(footer.magic, layout::kFooterMagic, sizeof(footer.magic));
  footer.file_bytes = file.size();
  footer.checksum = checksum_of(bytes.first(table));
  std::memcpy(&file[footer_at], &footer, sizeof(footer));
}

}  // namespace segue::test
