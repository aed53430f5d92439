#pragma once
// A line of the report for each step, with what came out and how long it took.

#include <chrono>
#include <cstdio>
#include <string>

#include "fit_text.hpp"

namespace playlists {

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// "  read       250 playlists of 60,254 songs                            0.41 s"
inline void report_step(const std::string& step, const std::string& result, double seconds) {
  std::printf("  %s%s%6.2f s\n", fit(step, 11).c_str(), fit(result, 74).c_str(), seconds);
  std::fflush(stdout);
}

}  // namespace playlists
