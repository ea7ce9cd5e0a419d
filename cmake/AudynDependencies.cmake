# What audyn's targets need, found alike by its own build and by find_package(audyn). Nothing here downloads.

include_guard(GLOBAL)
include("${CMAKE_CURRENT_LIST_DIR}/AudynFindTorch.cmake")

set(AUDYN_JSON_VERSION 3.10)
set(AUDYN_YAML_VERSION 0.7)

# Sets `out` to why this compiler cannot build audyn, empty when it can.
function(audyn_check_compiler out)
    set(need "audyn needs C++20: GCC 12 or newer, or Clang 14 or newer")
    set(have "this is ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION} (${CMAKE_CXX_COMPILER})")
    set(${out} "" PARENT_SCOPE)
    if(NOT cxx_std_20 IN_LIST CMAKE_CXX_COMPILE_FEATURES
       OR (CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 12)
       OR (CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14))
        set(${out} "${need}; ${have}. Choose another with -DCMAKE_CXX_COMPILER=..." PARENT_SCOPE)
    endif()
endfunction()

# A project that adds audyn may have these targets already, built as parts of itself.
macro(audyn_find_json)
    if(NOT TARGET nlohmann_json::nlohmann_json)
        find_package(nlohmann_json ${AUDYN_JSON_VERSION} CONFIG QUIET)
    endif()
endmacro()

# audyn::yaml_cpp: yaml-cpp renamed its target in 0.8.
macro(audyn_find_yaml_cpp)
    if(NOT TARGET yaml-cpp AND NOT TARGET yaml-cpp::yaml-cpp)
        find_package(yaml-cpp ${AUDYN_YAML_VERSION} CONFIG QUIET)
    endif()
    foreach(_audyn_target IN ITEMS yaml-cpp::yaml-cpp yaml-cpp)
        if(TARGET ${_audyn_target} AND NOT TARGET audyn::yaml_cpp)
            add_library(audyn::yaml_cpp INTERFACE IMPORTED GLOBAL)
            target_link_libraries(audyn::yaml_cpp INTERFACE ${_audyn_target})
        endif()
    endforeach()
    unset(_audyn_target)
endmacro()

# audyn::sndfile: distributions ship libsndfile with or without its CMake files.
macro(audyn_find_sndfile)
    find_package(SndFile CONFIG QUIET)
    if(NOT SndFile_FOUND)
        find_path(AUDYN_SNDFILE_INCLUDE_DIR sndfile.h NO_CACHE)
        find_library(AUDYN_SNDFILE_LIBRARY sndfile NO_CACHE)
    endif()
    if(NOT TARGET audyn::sndfile)
        if(SndFile_FOUND)
            add_library(audyn::sndfile INTERFACE IMPORTED GLOBAL)
            target_link_libraries(audyn::sndfile INTERFACE SndFile::sndfile)
        elseif(AUDYN_SNDFILE_INCLUDE_DIR AND AUDYN_SNDFILE_LIBRARY)
            add_library(audyn::sndfile UNKNOWN IMPORTED GLOBAL)
            set_target_properties(audyn::sndfile PROPERTIES IMPORTED_LOCATION "${AUDYN_SNDFILE_LIBRARY}"
                INTERFACE_INCLUDE_DIRECTORIES "${AUDYN_SNDFILE_INCLUDE_DIR}")
            # Its codecs may lie beside it: a program's DT_RPATH, unlike its DT_RUNPATH, also serves the libraries' own needs.
            cmake_path(GET AUDYN_SNDFILE_LIBRARY PARENT_PATH _audyn_folder)
            if(NOT _audyn_folder IN_LIST CMAKE_CXX_IMPLICIT_LINK_DIRECTORIES)
                target_link_options(audyn::sndfile INTERFACE LINKER:--disable-new-dtags)
            endif()
            unset(_audyn_folder)
        endif()
    endif()
endmacro()

# The option AUDYN_CUDA: whether programs link audyn::cuda. The default is ON only where a CUDA device is seen.
macro(audyn_cuda_option)
    set(_audyn_cuda_seen OFF)
    if(EXISTS "/dev/nvidia0" OR EXISTS "/dev/dxg")
        set(_audyn_cuda_seen ON)
    endif()
    option(AUDYN_CUDA "Link programs with libtorch's CUDA half (audyn::cuda)" ${_audyn_cuda_seen})
    unset(_audyn_cuda_seen)
endmacro()
