#include "progress_bar.hpp"

#include <unistd.h>

#include <cstdio>
#include <utility>

namespace playlists {

ProgressBar::ProgressBar(std::string name) : name_(std::move(name)), on_terminal_(isatty(STDERR_FILENO) == 1) {
  show(0, 1);
}

ProgressBar::~ProgressBar() {
  if (on_terminal_) std::fputs("\r\x1b[K", stderr);
}

void ProgressBar::show(std::size_t done, std::size_t total) {
  const int percent = total == 0 ? 100 : static_cast<int>(100 * done / total);
  if (!on_terminal_ || percent == shown_) return;
  shown_ = percent;
  constexpr int kCells = 30;
  std::string bar;
  for (int i = 0; i < kCells; ++i) bar += i * 100 < percent * kCells ? "█" : "░";
  std::fprintf(stderr, "\r  %-10s %s %3d %%", name_.c_str(), bar.c_str(), percent);
  std::fflush(stderr);
}

}  // namespace playlists
