// inspect(): what a file says about itself.

#include "file/parse.hpp"
#include "file/source.hpp"
#include "segue/file.hpp"

namespace segue {

Result<FileInfo> inspect(const std::string& path) {
  Result<FileSource> source = FileSource::open(path);
  if (!source.ok()) return source.status();
  Result<ParsedFile> parsed = parse_file(*source);
  if (!parsed.ok()) return parsed.status();

  FileInfo info;
  info.format_version = parsed->format_version;
  info.kind = parsed->identity.kind;
  info.metric = parsed->identity.metric;
  info.storage = parsed->identity.storage;
  info.dim = static_cast<std::size_t>(parsed->identity.dim);
  info.size = static_cast<std::size_t>(parsed->identity.size);
  info.bytes = parsed->bytes;
  info.sections.reserve(parsed->sections.size());
  for (const ParsedSection& section : parsed->sections) {
    info.sections.push_back({section.name, section.offset, section.bytes, section.checksum});
  }
  return info;
}

}  // namespace segue
