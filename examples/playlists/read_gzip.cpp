#include "read_gzip.hpp"

#include <zlib.h>

#include <memory>

namespace playlists {

segue::Result<std::string> read_gzip(const std::string& path) {
  std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose_r);
  if (file == nullptr) return segue::not_found("cannot open " + path);

  constexpr std::size_t kBlock = 1 << 20;
  std::string text;
  for (;;) {
    const std::size_t size = text.size();
    text.resize(size + kBlock);
    const int got = gzread(file.get(), text.data() + size, kBlock);
    text.resize(size + static_cast<std::size_t>(got > 0 ? got : 0));
    if (got <= 0) break;
  }
  // A file that ends in the middle reads like a short one until zlib is asked.
  int code = Z_OK;
  const char* message = gzerror(file.get(), &code);
  if (code != Z_OK) return segue::io_error(path + ": " + message);
  return text;
}

}  // namespace playlists
