# SEGUE_PRECOMPILE_HEADERS: the standard library's headers are read once a target, not once a file. Parsing them is half of
# what compiling most files takes.
#
# The presets turn it on. It covers the tests, and under a sanitizer the library too. A release of the library is compiled
# without: so every header has to include what it needs, and the Python module, the shared library and the commit that
# bench-check builds find the same objects in a compiler cache.
option(SEGUE_PRECOMPILE_HEADERS "Precompile the standard library's headers for tests and sanitizers" OFF)

set(segue_std_headers
    <algorithm> <array> <atomic> <chrono> <cmath> <cstdint> <cstring> <filesystem> <functional> <limits> <map> <memory>
    <mutex> <numeric> <optional> <random> <span> <string> <string_view> <thread> <unordered_map> <utility> <variant>
    <vector>)

function(segue_precompile target)
  if(SEGUE_PRECOMPILE_HEADERS)
    target_precompile_headers(${target} PRIVATE ${segue_std_headers} ${ARGN})
    segue_precompiled_options(${target})
  endif()
endfunction()

# Of a target that was given to segue_precompile and is compiled with the same options.
function(segue_precompile_as target other)
  if(SEGUE_PRECOMPILE_HEADERS)
    target_precompile_headers(${target} REUSE_FROM ${other})
    segue_precompiled_options(${target})
  endif()
endfunction()

# ccache wants to see that a header was precompiled. And gcc 12 sees overlapping copies inside std::string (gcc bug 105651) in
# headers that were precompiled by other names than the one that is turned off.
function(segue_precompiled_options target)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${target} PRIVATE -fpch-preprocess)
    if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
      target_compile_options(${target} PRIVATE -Wno-array-bounds -Wno-stringop-overflow)
    endif()
  endif()
endfunction()
