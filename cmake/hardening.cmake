# Cheap run-time checks of the compiler and the loader, for code that parses what others wrote. Not for the kernels:
# they stay free of any symbol but their own.
include(CheckCXXCompilerFlag)

function(segue_harden target)
  foreach(flag IN ITEMS -fstack-protector-strong -fstack-clash-protection -fcf-protection)
    string(MAKE_C_IDENTIFIER "SEGUE_HAS${flag}" has)
    check_cxx_compiler_flag("${flag}" ${has})
    if(${has})
      target_compile_options(${target} PRIVATE "${flag}")
    endif()
  endforeach()
  # _FORTIFY_SOURCE wants optimisation, and hides from the sanitizers what it checks itself. Some distributions define
  # it already, hence -U. libstdc++'s own assertions cost too much in the hot loops of a Release build.
  if(NOT SEGUE_SANITIZE)
    target_compile_options(
      ${target} PRIVATE $<$<CONFIG:Release,RelWithDebInfo,MinSizeRel>:-U_FORTIFY_SOURCE>
                        $<$<CONFIG:Release,RelWithDebInfo,MinSizeRel>:-D_FORTIFY_SOURCE=2>)
  endif()
  if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
    get_target_property(type ${target} TYPE)
    if(type MATCHES "SHARED_LIBRARY|MODULE_LIBRARY|EXECUTABLE")
      target_link_options(${target} PRIVATE LINKER:-z,relro LINKER:-z,now LINKER:-z,noexecstack)
    endif()
  endif()
endfunction()
