#pragma once
// A promise that arbitrary input must not break. Ends the program, so that a fuzzer sees it.

#include <cstdio>
#include <cstdlib>

#define SEGUE_FUZZ_REQUIRE(condition)                                                      \
  do {                                                                                     \
    if (!(condition)) {                                                                    \
      std::fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                        \
    }                                                                                      \
  } while (false)
