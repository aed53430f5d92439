// The README's C++, word for word (the test cuts it out into readme_code.hpp), compiled against the installed library
// and run.

#include <cstdio>
#include <vector>

#include <readme_code.hpp>

int main() {
  std::vector<float> tracks(300 * 64);
  for (std::size_t i = 0; i < tracks.size(); ++i) tracks[i] = static_cast<float>(i * 7919 % 1009) / 1009.0f - 0.5f;
  const std::vector<float> listener(tracks.begin(), tracks.begin() + 64);
  const segue::Status status = recommend(tracks, listener);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.message().c_str());
  return status.ok() ? 0 : 1;
}
