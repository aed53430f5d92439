# SEGUE_HARDENING=ON, the default: cheap run-time checks of the compiler, the C library and the loader, for code that reads
# what others wrote. tests/hardening looks at the built files for all of them. What each is for:
#
#   -fstack-protector-strong   a canary below the return address of functions that have arrays
#   -fstack-clash-protection   large frames touch every page, so that none jumps over the guard page
#   -fcf-protection            indirect calls and returns land only where they may (on processors that have CET)
#   _FORTIFY_SOURCE            memcpy, read and the like check the size of what they write to, where the compiler knows it
#   relro, now, noexecstack    tables of the loader are read-only once the program runs, the stack holds no code
#   PIE                        programs lie at another address each time
#   _GLIBCXX_ASSERTIONS        operator[], front() and the like check their range: in the sources that read untrusted
#                              bytes alone (segue_assert_in); everywhere, searches by inner product took 1 to 2 % longer
include(CheckCXXCompilerFlag)
include(CheckCXXSourceCompiles)
include(CheckPIESupported)

option(SEGUE_HARDENING "Build with the hardening flags of compiler and linker" ON)

if(SEGUE_HARDENING)
  check_pie_supported(LANGUAGES CXX)
  foreach(flag IN ITEMS -fstack-protector-strong -fstack-clash-protection -fcf-protection)
    string(MAKE_C_IDENTIFIER "SEGUE_HAS${flag}" has)
    check_cxx_compiler_flag("${flag}" ${has})
  endforeach()
  # Level 3 also checks sizes that are known at run time only. It takes gcc 12 or clang 9 with glibc 2.34; who has less
  # gets level 2 and, elsewhere, nothing.
  set(CMAKE_REQUIRED_FLAGS "-O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3")
  check_cxx_source_compiles("#include <features.h>
    #if __USE_FORTIFY_LEVEL < 3
    #error not here
    #endif
    int main() {}" SEGUE_HAS_FORTIFY_3)
  unset(CMAKE_REQUIRED_FLAGS)
  if(SEGUE_HAS_FORTIFY_3)
    set(segue_fortify_level 3)
  else()
    set(segue_fortify_level 2)
  endif()
endif()

# For libraries, modules and programs; not for the kernels: they see no untrusted byte and no length of one, stay free of any
# symbol but their own, and control-flow protection alone made a loop of 220 ns take 12 % longer.
function(segue_harden target)
  if(NOT SEGUE_HARDENING)
    return()
  endif()
  foreach(flag IN ITEMS -fstack-protector-strong -fstack-clash-protection -fcf-protection)
    string(MAKE_C_IDENTIFIER "SEGUE_HAS${flag}" has)
    if(${has})
      target_compile_options(${target} PRIVATE "${flag}")
    endif()
  endforeach()
  # _FORTIFY_SOURCE wants optimisation, and hides from the sanitizers what it checks itself. Some distributions define it
  # already, hence -U.
  if(NOT SEGUE_SANITIZE)
    target_compile_options(
      ${target} PRIVATE $<$<CONFIG:Release,RelWithDebInfo,MinSizeRel>:-U_FORTIFY_SOURCE>
                        $<$<CONFIG:Release,RelWithDebInfo,MinSizeRel>:-D_FORTIFY_SOURCE=${segue_fortify_level}>)
  endif()
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  get_target_property(type ${target} TYPE)
  if(CMAKE_SYSTEM_NAME STREQUAL "Linux" AND type MATCHES "SHARED_LIBRARY|MODULE_LIBRARY|EXECUTABLE")
    target_link_options(${target} PRIVATE LINKER:-z,relro LINKER:-z,now LINKER:-z,noexecstack)
  endif()
endfunction()

# Range checks in these sources; call it where the target is made, as source properties are those of a directory.
function(segue_assert_in)
  if(SEGUE_HARDENING)
    set_property(SOURCE ${ARGV} APPEND PROPERTY COMPILE_DEFINITIONS _GLIBCXX_ASSERTIONS)
  endif()
endfunction()
