# find_package(audyn) from this build tree and from an install tree.

include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_DATADIR}/cmake/audyn")
set(package_files "${PROJECT_SOURCE_DIR}/cmake/AudynDependencies.cmake" "${PROJECT_SOURCE_DIR}/cmake/AudynFindTorch.cmake"
    "${PROJECT_SOURCE_DIR}/cmake/AudynCompiled.cmake")
set(components config audyn audio cuda)

write_basic_package_version_file("${PROJECT_BINARY_DIR}/audynConfigVersion.cmake"
    COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)

foreach(component IN LISTS components)
    install(TARGETS audyn_${component} EXPORT audyn_${component})
    export(EXPORT audyn_${component} NAMESPACE audyn:: FILE "${PROJECT_BINARY_DIR}/audyn_${component}.cmake")
endforeach()

# A program that uses the build tree finds what this build found, after what it is told to use.
set(AUDYN_BUILD_TREE_HINTS "list(APPEND CMAKE_PREFIX_PATH ${AUDYN_PROVISIONED_PREFIXES})
set(_audyn_torch_hints \"${AUDYN_TORCH_PREFIX}\")")
configure_package_config_file(cmake/audynConfig.cmake.in "${PROJECT_BINARY_DIR}/audynConfig.cmake"
    INSTALL_DESTINATION "${PROJECT_BINARY_DIR}" INSTALL_PREFIX "${PROJECT_BINARY_DIR}" NO_SET_AND_CHECK_MACRO)
file(COPY ${package_files} DESTINATION "${PROJECT_BINARY_DIR}")

if(AUDYN_INSTALL)
    set(AUDYN_BUILD_TREE_HINTS "")
    configure_package_config_file(cmake/audynConfig.cmake.in "${PROJECT_BINARY_DIR}/install/audynConfig.cmake"
        INSTALL_DESTINATION "${package_dir}" NO_SET_AND_CHECK_MACRO)
    install(DIRECTORY include/audyn DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
    foreach(component IN LISTS components)
        install(EXPORT audyn_${component} NAMESPACE audyn:: DESTINATION "${package_dir}")
    endforeach()
    install(FILES ${package_files} "${PROJECT_BINARY_DIR}/audynConfigVersion.cmake"
        "${PROJECT_BINARY_DIR}/install/audynConfig.cmake" DESTINATION "${package_dir}")
endif()
