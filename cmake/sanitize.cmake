# SEGUE_SANITIZE=address or thread: instruments every target of the build, tests included. Any finding ends the program.
if(SEGUE_SANITIZE STREQUAL "address")
  # "undefined" leaves out what floats do that no integer can hold.
  set(segue_sanitize_flags -fsanitize=address,undefined,float-cast-overflow -fno-sanitize-recover=all -fno-omit-frame-pointer)
  # libFuzzer is told which code an input reached; tests/fuzz links its main. Of undefined what costs next to nothing: all of
  # it takes clang half as long again, and CI builds this too.
  if(SEGUE_BUILD_FUZZERS)
    set(segue_sanitize_flags
        -fsanitize=address,fuzzer-no-link,float-cast-overflow,signed-integer-overflow,shift,bool,enum,bounds
        -fsanitize=integer-divide-by-zero -fno-sanitize-recover=all -fno-omit-frame-pointer)
  endif()
  # GCC 13 looks for use after return by default and moves frames to a heap of its own, aligned to less than the 64 bytes
  # that AVX-512 registers are spilled to: any kernel then dies of a misaligned store.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    list(APPEND segue_sanitize_flags --param=asan-use-after-return=0)
  endif()
elseif(SEGUE_SANITIZE STREQUAL "thread")
  set(segue_sanitize_flags -fsanitize=thread -fno-omit-frame-pointer)
elseif(SEGUE_SANITIZE)
  message(FATAL_ERROR "SEGUE_SANITIZE is \"${SEGUE_SANITIZE}\"; expected address, thread or nothing")
endif()
if(SEGUE_SANITIZE)
  add_compile_options(${segue_sanitize_flags})
  add_link_options(${segue_sanitize_flags})
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
endif()
if(SEGUE_SANITIZE STREQUAL "thread")
  # gcc's OpenMP runtime is not instrumented: its barriers would look like races.
  add_compile_definitions(SEGUE_PARALLEL_FOR_STD_THREADS)
endif()
