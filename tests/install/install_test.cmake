# One run of the installation test; see CMakeLists.txt. KIND is static or shared; SOURCE and BUILD are the project's
# folders, WORK is a folder of the test's own.
cmake_minimum_required(VERSION 3.22)

function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    list(JOIN ARGV " " command)
    message(FATAL_ERROR "failed (${result}): ${command}\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

set(prefix "${WORK}/prefix")
file(REMOVE_RECURSE "${prefix}" "${WORK}/consumer")
set(toolchain -G "${GENERATOR}" "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER}"
              -DCMAKE_BUILD_TYPE=Release)

# The build at hand serves its own kind; the other kind is built here.
if(KIND STREQUAL "shared")
  set(shared ON)
else()
  set(shared OFF)
endif()
if((shared AND BUILT_SHARED) OR (NOT shared AND NOT BUILT_SHARED))
  set(library_build "${BUILD}")
else()
  # A compiler cache knows what the build at hand has compiled by the same commands, in which paths are relative: so beside it.
  if(LAUNCHER)
    set(library_build "${BUILD}-${KIND}")
  else()
    set(library_build "${WORK}/library")
  endif()
  set(FAISS 0)  # once is enough
  run("${CMAKE_COMMAND}" -S "${SOURCE}" -B "${library_build}" ${toolchain} -DBUILD_SHARED_LIBS=${shared}
      -DSEGUE_BUILD_FAISS=OFF "-DSEGUE_WARNINGS_AS_ERRORS=${WARNINGS_AS_ERRORS}")
  run("${CMAKE_COMMAND}" --build "${library_build}" --target segue)
endif()
run("${CMAKE_COMMAND}" --install "${library_build}" --prefix "${prefix}")

file(GLOB_RECURSE installed RELATIVE "${prefix}" "${prefix}/*")
foreach(path IN LISTS installed)
  if(path MATCHES "kernel_table|dispatch\\.hpp|file_writer|xxhash\\.h$|gtest|benchmark")
    message(FATAL_ERROR "${path} is private and was installed")
  endif()
endforeach()

# That one cannot be looked at in a build that has the static library alone.
if(shared AND HARDENING AND CMAKE_HOST_SYSTEM_NAME STREQUAL "Linux")
  file(GLOB_RECURSE library "${prefix}/libsegue.so")
  run(python3 "${SOURCE}/tests/hardening/check_hardening.py" "${library}")
endif()

# The README's C++ is compiled and run as it stands.
file(READ "${SOURCE}/README.md" readme)
if(NOT readme MATCHES "```cpp\n([^`]*)```")
  message(FATAL_ERROR "README.md shows no C++")
endif()
file(WRITE "${WORK}/consumer/readme_code.hpp" "${CMAKE_MATCH_1}")

run("${CMAKE_COMMAND}" -S "${SOURCE}/tests/install/consumer" -B "${WORK}/consumer" ${toolchain}
    "-DCMAKE_PREFIX_PATH=${prefix}" "-DFAISS=${FAISS}" "-DEXPECTED_VERSION=${VERSION}" "-DREADME_CODE=${WORK}/consumer")
run("${CMAKE_COMMAND}" --build "${WORK}/consumer")
run("${WORK}/consumer/consumer" "${WORK}/consumer.segue")
run("${CMAKE_COMMAND}" -E chdir "${WORK}/consumer" "${WORK}/consumer/readme")
string(REGEX MATCHALL "[^\n]+" answers "${output}")
list(LENGTH answers count)
if(NOT count EQUAL 10)
  message(FATAL_ERROR "the README's C++ should print 10 answers:\n${output}")
endif()

if(FAISS)
  run("${WORK}/consumer/faiss_consumer" "${WORK}/consumer.faiss")
elseif(EXISTS "${prefix}/include/segue/interop")
  message(FATAL_ERROR "segue/interop was installed without segue::faiss")
endif()

# A consumer needs no library beyond those of the compiler, the system and Segue itself.
run(ldd "${WORK}/consumer/consumer")
if(output MATCHES "[\t/]lib[a-z_]*(blas|faiss|lapack|roaring|xxhash|benchmark|gtest)")  # not a folder of that name
  message(FATAL_ERROR "the consumer links more than it should:\n${output}")
endif()
if(shared AND NOT output MATCHES "libsegue\\.so")
  message(FATAL_ERROR "the consumer does not link libsegue.so:\n${output}")
endif()
