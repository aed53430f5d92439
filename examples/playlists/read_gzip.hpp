#pragma once
// A gzip file as text.

#include <string>

#include "segue/status.hpp"

namespace playlists {

// The whole file, unpacked. kNotFound, or kIoError with zlib's own words where the file is damaged or cut short.
segue::Result<std::string> read_gzip(const std::string& path);

}  // namespace playlists
