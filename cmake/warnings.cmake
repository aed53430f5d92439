# Warnings for the project's own targets, never for those who link it.
function(segue_set_warnings target)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
    return()
  endif()
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual)
  # gcc 12 sees overlapping copies inside std::string's operator+ (gcc bug 105651).
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    target_compile_options(${target} PRIVATE -Wno-restrict)
  endif()
  # gcc's decide; fuzzers are built by whichever clang there is.
  if(SEGUE_WARNINGS_AS_ERRORS AND NOT SEGUE_BUILD_FUZZERS)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()
