# The kernels, one object file an instruction set, and what chooses between them.
#
# Holds the only -m flags of the project. Include it (do not add_subdirectory it: flags set on a source file are seen
# only by targets of the same directory).
#
#   segue_kernels_objects    OBJECT library: the hermetic kernel tables, and nothing else (tests/kernels runs nm on it)
#   segue_dispatch_objects   OBJECT library: detection and choice (dispatch.cpp, cpu.cpp) and the public isa.cpp

set(SEGUE_KERNELS_DIR "${CMAKE_CURRENT_LIST_DIR}/../src/kernels")
get_filename_component(SEGUE_KERNELS_DIR "${SEGUE_KERNELS_DIR}" ABSOLUTE)

set(segue_kernel_sets scalar)
# Fuzzers have the scalar kernels alone: clang instruments an AVX-512 file for more than five minutes, and a row that is read
# too far is seen in these as well.
if(SEGUE_BUILD_FUZZERS)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  list(APPEND segue_kernel_sets avx2 avx512 avx512vnni)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$")
  list(APPEND segue_kernel_sets neon)
endif()

set(segue_flags_scalar "")
set(segue_flags_neon "")
set(segue_flags_avx2 -mavx2 -mfma -mf16c)
# -mprefer-vector-width: the plain loops of codec.hpp and scan.hpp; the rest says its width itself.
set(segue_flags_avx512 ${segue_flags_avx2} -mavx512f -mavx512bw -mavx512vl -mavx512dq -mprefer-vector-width=512)
set(segue_flags_avx512vnni ${segue_flags_avx512} -mavx512vnni)
# To come, each a file and a row here, in cpu.cpp and in dispatch.cpp:
#   avx512fp16  ${segue_flags_avx512vnni} -mavx512fp16
#   amx         ${segue_flags_avx512vnni} -mavx512bf16 -mamx-tile -mamx-int8 -mamx-bf16

add_library(segue_kernels_objects OBJECT)
foreach(set IN LISTS segue_kernel_sets)
  set(source "${SEGUE_KERNELS_DIR}/${set}.cpp")
  target_sources(segue_kernels_objects PRIVATE "${source}")
  set_source_files_properties("${source}" PROPERTIES COMPILE_OPTIONS "${segue_flags_${set}}")
endforeach()
target_include_directories(segue_kernels_objects PRIVATE "${SEGUE_KERNELS_DIR}/..")
target_compile_features(segue_kernels_objects PRIVATE cxx_std_20)
# -ffp-contract=off: the codecs must give the same bytes everywhere (FMAs are written out where they are wanted).
# No exceptions, RTTI: each would bring weak symbols. -O3 because the plain loops are written to be vectorised.
target_compile_options(
  segue_kernels_objects
  PRIVATE -ffp-contract=off -fno-math-errno -fno-trapping-math -fno-exceptions -fno-rtti
          $<$<CONFIG:Release,RelWithDebInfo,MinSizeRel>:-O3>)
# Instrumented, the inlined intrinsics take gcc a minute a file at -O3, half of it at -O1.
if(SEGUE_SANITIZE)
  target_compile_options(segue_kernels_objects PRIVATE -O1)
endif()
# Before 13, gcc warns about its own AVX-512 headers (gcc bug 105593).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(segue_kernels_objects PRIVATE -Wno-uninitialized -Wno-maybe-uninitialized)
endif()
set_target_properties(
  segue_kernels_objects PROPERTIES POSITION_INDEPENDENT_CODE ON INTERPROCEDURAL_OPTIMIZATION OFF CXX_EXTENSIONS OFF)

add_library(
  segue_dispatch_objects OBJECT "${SEGUE_KERNELS_DIR}/cpu.cpp" "${SEGUE_KERNELS_DIR}/dispatch.cpp"
                                "${SEGUE_KERNELS_DIR}/../isa.cpp")
target_include_directories(segue_dispatch_objects PRIVATE "${SEGUE_KERNELS_DIR}/.." "${SEGUE_KERNELS_DIR}/../../include")
target_compile_features(segue_dispatch_objects PRIVATE cxx_std_20)
if(SEGUE_BUILD_FUZZERS)
  target_compile_definitions(segue_dispatch_objects PRIVATE SEGUE_SCALAR_KERNELS_ONLY)
endif()
set_target_properties(segue_dispatch_objects PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_EXTENSIONS OFF)
