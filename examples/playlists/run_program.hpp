#pragma once
// main() of a program whose arguments are a few names.

#include <cstdio>
#include <string>
#include <vector>

#include "segue/status.hpp"

namespace playlists {

// Runs `run` with the arguments, at most `most` of them; --help prints `usage`. What fails goes to standard error, with
// the program's name before it. The exit status of main().
template <class Run>
int run_program(int argc, char** argv, const char* name, const char* usage, std::size_t most, const Run& run) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  for (const std::string& argument : arguments) {
    if (argument != "--help" && argument != "-h") continue;
    std::fputs(usage, stdout);
    return 0;
  }
  segue::Status status;
  if (arguments.size() > most) {
    status = segue::invalid_argument("expected at most " + std::to_string(most) + " arguments, got " +
                                     std::to_string(arguments.size()) + "; --help lists them");
  } else {
    status = run(arguments);
  }
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s: %s\n", name, status.message().c_str());
  return 1;
}

}  // namespace playlists
