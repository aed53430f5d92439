# cmake --install, and find_package(segue) for those who come after. Skipped in a wheel, which installs only the
# component "python".
include(CMakePackageConfigHelpers)

set(segue_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/segue")

install(
  TARGETS segue
  EXPORT segueTargets
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT cpp
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT cpp
  RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT cpp)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/segue" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT cpp
        FILES_MATCHING PATTERN "*.hpp" PATTERN "interop" EXCLUDE)
install(EXPORT segueTargets NAMESPACE segue:: DESTINATION "${segue_package_dir}" COMPONENT cpp)

# find_package(segue COMPONENTS faiss)
if(TARGET segue_faiss)
  install(
    TARGETS segue_faiss
    EXPORT segueFaissTargets
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT cpp
    LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT cpp
    RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT cpp)
  install(FILES "${PROJECT_SOURCE_DIR}/include/segue/interop/faiss.hpp"
          DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/segue/interop" COMPONENT cpp)
  install(EXPORT segueFaissTargets NAMESPACE segue:: DESTINATION "${segue_package_dir}" COMPONENT cpp)
endif()

configure_package_config_file(
  "${CMAKE_CURRENT_LIST_DIR}/segueConfig.cmake.in" "${PROJECT_BINARY_DIR}/segueConfig.cmake"
  INSTALL_DESTINATION "${segue_package_dir}" NO_SET_AND_CHECK_MACRO)
# 0.x: a minor version may change names.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/segueConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/segueConfig.cmake" "${PROJECT_BINARY_DIR}/segueConfigVersion.cmake"
        DESTINATION "${segue_package_dir}" COMPONENT cpp)
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT cpp)
install(FILES "${PROJECT_SOURCE_DIR}/third_party/xxhash/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}"
        RENAME LICENSE.xxhash COMPONENT cpp)
