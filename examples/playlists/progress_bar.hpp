#pragma once
// A bar on the terminal for steps of some seconds; nothing where standard error is a file or a pipe.

#include <cstddef>
#include <string>

namespace playlists {

class ProgressBar {
 public:
  explicit ProgressBar(std::string name);
  ~ProgressBar();  // wipes the line
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void show(std::size_t done, std::size_t total);

 private:
  std::string name_;
  bool on_terminal_;
  int shown_ = -1;  // the percentage that stands there
};

}  // namespace playlists
