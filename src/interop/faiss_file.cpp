#include "interop/faiss_file.hpp"

#include <faiss/impl/io.h>
#include <faiss/index_io.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include "file/atomic_file.hpp"
#include "file/foreign.hpp"
#include "file/layout.hpp"
#include "file/source.hpp"
#include "interop/guard_faiss.hpp"

namespace segue {
namespace {

// FAISS asks for a few bytes at a time.
constexpr std::size_t kBuffer = std::size_t{1} << 20;

class Reader final : public faiss::IOReader {
 public:
  explicit Reader(const FileSource& source) : source_(source) { name = source.path(); }

  std::size_t operator()(void* to, std::size_t size, std::size_t count) override {
    const std::uint64_t left = source_.size() - at_;
    const std::uint64_t whole = size == 0 ? 0 : std::min<std::uint64_t>(count, left / size);
    if (!status_.ok() || !take({static_cast<std::byte*>(to), static_cast<std::size_t>(whole * size)})) return 0;
    return static_cast<std::size_t>(whole);
  }
  // Of the source, if that is why FAISS stopped.
  const Status& status() const noexcept { return status_; }

 private:
  bool take(std::span<std::byte> to) {
    while (!to.empty()) {
      if (at_ < first_ || at_ >= first_ + buffer_.size()) {
        first_ = at_;
        buffer_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kBuffer, source_.size() - at_)));
        status_ = source_.read(first_, buffer_);
        if (!status_.ok()) return false;
      }
      const auto offset = static_cast<std::size_t>(at_ - first_);
      const std::size_t n = std::min(to.size(), buffer_.size() - offset);
      std::memcpy(to.data(), buffer_.data() + offset, n);
      at_ += n;
      to = to.subspan(n);
    }
    return true;
  }

  const FileSource& source_;
  std::vector<std::byte> buffer_;
  std::uint64_t first_ = 0;
  std::uint64_t at_ = 0;
  Status status_;
};

class Writer final : public faiss::IOWriter {
 public:
  Writer(AtomicFile& file, const std::string& path) : file_(file) { name = path; }

  std::size_t operator()(const void* from, std::size_t size, std::size_t count) override {
    if (status_.ok()) status_ = file_.append({static_cast<const std::byte*>(from), size * count});
    return status_.ok() ? count : 0;
  }
  const Status& status() const noexcept { return status_; }

 private:
  AtomicFile& file_;
  Status status_;
};

// What stands in a file that FAISS would not read.
Status not_of_faiss(const FileSource& source, const Status& why) {
  std::vector<std::byte> start(static_cast<std::size_t>(std::min<std::uint64_t>(128, source.size())));
  SEGUE_RETURN_IF_ERROR(source.read(0, start));
  const std::string_view text(reinterpret_cast<const char*>(start.data()), start.size());
  const std::string_view magic(layout::kMagic, sizeof(layout::kMagic));
  if (text.starts_with(magic)) return corrupt_file(source.name() + " is an index of Segue, which segue::load opens");
  const std::string what = start.empty() ? "empty" : describe_foreign(start, source.size());
  if (what.find("FAISS") == std::string::npos)
    return corrupt_file(source.name() + " is no index of FAISS: it is " + what);
  return why;
}

}  // namespace

Result<std::unique_ptr<faiss::Index>> read_faiss(const std::string& path) {
  const Result<FileSource> source = FileSource::open(path);
  if (!source.ok()) return source.status();
  Reader reader(*source);
  Result<std::unique_ptr<faiss::Index>> read =
      guard_faiss(StatusCode::kCorruptFile, source->name() + ": FAISS cannot read it",
                  [&]() -> Result<std::unique_ptr<faiss::Index>> {
                    return std::unique_ptr<faiss::Index>(faiss::read_index(&reader));
                  });
  if (!reader.status().ok()) return reader.status();
  if (read.ok() || read.status().code() != StatusCode::kCorruptFile) return read;
  return not_of_faiss(*source, read.status());
}

Status write_faiss(const faiss::Index& index, const std::string& path) {
  const auto about = static_cast<std::uint64_t>(index.ntotal) * static_cast<std::uint64_t>(index.d) * sizeof(float);
  Result<AtomicFile> file = AtomicFile::create(path, about);
  if (!file.ok()) return file.status();
  Writer writer(*file, path);
  const Status written =
      guard_faiss(StatusCode::kUnsupported, "'" + path + "': FAISS cannot write it", [&]() -> Status {
        faiss::write_index(&index, &writer);
        return {};
      });
  SEGUE_RETURN_IF_ERROR(writer.status());
  SEGUE_RETURN_IF_ERROR(written);
  return file->commit();
}

}  // namespace segue
