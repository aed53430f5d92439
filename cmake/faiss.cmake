# segue::faiss, the interchange with FAISS: a library beside libsegue, which itself needs neither FAISS nor BLAS.
#
# FAISS is found by the package configuration that it installs itself, and distributions with it (libfaiss-dev).
set(SEGUE_BUILD_FAISS AUTO CACHE STRING "Build segue::faiss (needs FAISS): ON, OFF, or AUTO: where FAISS is found")
set_property(CACHE SEGUE_BUILD_FAISS PROPERTY STRINGS AUTO ON OFF)

if(SEGUE_BUILD_FAISS STREQUAL "AUTO")
  find_package(faiss CONFIG QUIET)
elseif(SEGUE_BUILD_FAISS)
  find_package(faiss CONFIG REQUIRED)
endif()

if(SEGUE_BUILD_FAISS AND TARGET faiss)
  file(GLOB segue_faiss_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/interop/*.cpp")
  add_library(segue_faiss ${segue_faiss_sources})
  add_library(segue::faiss ALIAS segue_faiss)
  target_include_directories(segue_faiss PRIVATE "${PROJECT_SOURCE_DIR}/src")
  # FAISS's headers include OpenMP's.
  target_link_libraries(segue_faiss PUBLIC segue faiss PRIVATE OpenMP::OpenMP_CXX)
  set_target_properties(
    segue_faiss PROPERTIES EXPORT_NAME faiss VERSION "${PROJECT_VERSION}"
                           SOVERSION "${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}" POSITION_INDEPENDENT_CODE ON)
  segue_set_warnings(segue_faiss)
  segue_harden(segue_faiss)
endif()
