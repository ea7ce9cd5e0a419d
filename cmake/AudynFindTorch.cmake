# Finds libtorch and imports its libraries one by one: TorchConfig.cmake of a wheel that was built for CUDA demands nvcc,
# which a C++ program does not need.

include_guard(GLOBAL)

set(AUDYN_TORCH_FIRST 2.7)
set(AUDYN_TORCH_LAST 2.15)
find_program(AUDYN_PYTHON NAMES python3 python DOC "The active Python: its torch is used when CMake finds no libtorch")
mark_as_advanced(AUDYN_PYTHON)

# Describes the libtorch below `prefix`: sets <out>_VERSION, <out>_INCLUDE_DIRS, <out>_DEFINITIONS, <out>_CUDA_DEFINITIONS,
# <out>_CUDA_INCLUDE_DIRS, <out>_LIB_<name> for c10, torch_cpu, c10_cuda and torch_cuda, and <out>_PROBLEM, which says in
# words why it cannot be used and is empty when it can.
function(_audyn_inspect_torch out prefix)
    set(problem "")
    foreach(name IN ITEMS c10 torch_cpu c10_cuda torch_cuda)
        find_library(library NAMES ${name} PATHS "${prefix}" PATH_SUFFIXES lib "lib/${CMAKE_LIBRARY_ARCHITECTURE}" lib64
            NO_DEFAULT_PATH NO_CACHE)
        set(${out}_LIB_${name} "${library}")
        set(${out}_LIB_${name} "${library}" PARENT_SCOPE)
        unset(library)
    endforeach()

    set(api "${prefix}/include/torch/csrc/api/include")
    set(version "")
    foreach(header IN ITEMS "${prefix}/include/torch/headeronly/version.h" "${api}/torch/version.h")
        if(version STREQUAL "" AND EXISTS "${header}")
            file(STRINGS "${header}" numbers REGEX "#define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
            string(REGEX MATCHALL "[0-9]+" numbers "${numbers}")
            list(JOIN numbers "." version)
        endif()
    endforeach()

    string(REGEX MATCH "^[0-9]+\\.[0-9]+" minor "${version}")
    if(NOT ${out}_LIB_torch_cpu OR NOT ${out}_LIB_c10)
        set(problem "has no libtorch_cpu.so and libc10.so in its lib folder")
    elseif(minor STREQUAL "")
        set(problem "has no torch/version.h among its headers")
    elseif(minor VERSION_LESS AUDYN_TORCH_FIRST OR minor VERSION_GREATER AUDYN_TORCH_LAST)
        set(problem "is version ${version}; versions ${AUDYN_TORCH_FIRST} to ${AUDYN_TORCH_LAST} are supported")
    else()
        # c10::Error is made from a std::string in every version: its mangled name tells which one.
        file(STRINGS "${${out}_LIB_c10}" new_abi REGEX "_ZN3c10.*St7__cxx1112basic_string" LIMIT_COUNT 1)
        if(new_abi STREQUAL "")
            set(problem "was built with _GLIBCXX_USE_CXX11_ABI=0, whose std::string is not this compiler's; \
PyPI's wheels from 2.7 on and the \"cxx11 ABI\" archives fit")
        endif()
    endif()

    set(definitions "USE_DISTRIBUTED;USE_C10D_GLOO;USE_RPC;USE_TENSORPIPE")
    set(cuda_definitions "USE_C10D_NCCL")
    file(GLOB exported "${prefix}/share/cmake/Caffe2/Caffe2Targets.cmake" "${prefix}/lib/cmake/Caffe2/Caffe2Targets.cmake"
        "${prefix}/lib/*/cmake/Caffe2/Caffe2Targets.cmake")
    if(exported)
        list(GET exported 0 exported)
        file(READ "${exported}" exported)
        if(exported MATCHES "set_target_properties\\(torch_cpu PROPERTIES[^)]*INTERFACE_COMPILE_DEFINITIONS \"([^\"$]*)\"")
            set(definitions "${CMAKE_MATCH_1}")
        endif()
        if(exported MATCHES "set_target_properties\\(torch_cuda PROPERTIES[^)]*INTERFACE_COMPILE_DEFINITIONS \"([^\"$]*)\"")
            set(cuda_definitions "${CMAKE_MATCH_1}")
        endif()
    endif()

    # CUDA's own headers lie beside the wheel: nvidia/cu13 from CUDA 13 on, one folder for each library before.
    file(GLOB cuda_includes "${prefix}/../nvidia/cu*/include" "${prefix}/../nvidia/*/include")
    list(REMOVE_DUPLICATES cuda_includes)

    set(${out}_VERSION "${version}" PARENT_SCOPE)
    set(${out}_INCLUDE_DIRS "${prefix}/include" "${api}" PARENT_SCOPE)
    set(${out}_DEFINITIONS "${definitions}" PARENT_SCOPE)
    set(${out}_CUDA_DEFINITIONS "${cuda_definitions}" PARENT_SCOPE)
    set(${out}_CUDA_INCLUDE_DIRS "${cuda_includes}" PARENT_SCOPE)
    set(${out}_PROBLEM "${problem}" PARENT_SCOPE)
endfunction()

# The prefixes of the libtorch that find_package(Torch) would take, without running its TorchConfig.cmake: asking for a
# version that cannot exist makes CMake only list what it considered.
function(_audyn_torch_prefixes_of_cmake out)
    if(Torch_DIR AND NOT EXISTS "${Torch_DIR}/TorchConfig.cmake")
        message(FATAL_ERROR "audyn: Torch_DIR is \"${Torch_DIR}\", which has no TorchConfig.cmake. "
            "Give the folder share/cmake/Torch of a libtorch.")
    endif()
    set(chosen "${Torch_DIR}")
    find_package(Torch 9999 EXACT CONFIG QUIET)
    unset(Torch_DIR CACHE)
    if(chosen)
        set(Torch_DIR "${chosen}" CACHE PATH "Folder with TorchConfig.cmake" FORCE)
        set(Torch_CONSIDERED_CONFIGS "${chosen}/TorchConfig.cmake")
    endif()
    set(prefixes "")
    foreach(config IN LISTS Torch_CONSIDERED_CONFIGS)
        string(REGEX REPLACE "/(share|lib|lib/[^/]*)/cmake/Torch/TorchConfig.cmake$" "" prefix "${config}")
        list(APPEND prefixes "${prefix}")
    endforeach()
    set(${out} "${prefixes}" PARENT_SCOPE)
endfunction()

# The folder of the active Python's torch package; torch itself is not imported.
function(_audyn_torch_prefix_of_python out)
    set(${out} "" PARENT_SCOPE)
    if(NOT AUDYN_PYTHON)
        return()
    endif()
    execute_process(
        COMMAND "${AUDYN_PYTHON}" -c "import importlib.util as util; spec = util.find_spec('torch')
print(next(iter(spec.submodule_search_locations or []), '') if spec else '')"
        OUTPUT_VARIABLE prefix ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed)
    if(NOT failed AND NOT prefix STREQUAL "")
        set(${out} "${prefix}" PARENT_SCOPE)
    endif()
endfunction()

function(_audyn_import_torch_library name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "LOCATION" "")
    add_library(audyn::${name} SHARED IMPORTED GLOBAL)
    set_target_properties(audyn::${name} PROPERTIES IMPORTED_LOCATION "${arg_LOCATION}")
endfunction()

# Makes audyn::c10, audyn::torch_cpu and, where the libraries exist, audyn::c10_cuda and audyn::torch_cuda.
function(_audyn_import_torch torch)
    _audyn_import_torch_library(c10 LOCATION "${${torch}_LIB_c10}")
    target_include_directories(audyn::c10 INTERFACE ${${torch}_INCLUDE_DIRS})

    _audyn_import_torch_library(torch_cpu LOCATION "${${torch}_LIB_torch_cpu}")
    target_link_libraries(audyn::torch_cpu INTERFACE audyn::c10)
    target_compile_definitions(audyn::torch_cpu INTERFACE ${${torch}_DEFINITIONS})

    if(${torch}_LIB_c10_cuda AND ${torch}_LIB_torch_cuda)
        _audyn_import_torch_library(c10_cuda LOCATION "${${torch}_LIB_c10_cuda}")
        target_include_directories(audyn::c10_cuda INTERFACE ${${torch}_CUDA_INCLUDE_DIRS})
        target_link_libraries(audyn::c10_cuda INTERFACE audyn::c10)

        # Its kernels register themselves when it is loaded and no symbol asks for it: a linker that drops libraries
        # which nothing refers to would drop CUDA.
        add_library(audyn::torch_cuda INTERFACE IMPORTED GLOBAL)
        target_link_libraries(audyn::torch_cuda INTERFACE
            "-Wl,--push-state,--no-as-needed,\"${${torch}_LIB_torch_cuda}\",--pop-state" audyn::c10_cuda audyn::torch_cpu)
        target_compile_definitions(audyn::torch_cuda INTERFACE ${${torch}_CUDA_DEFINITIONS})
    endif()
endfunction()

# audyn_find_torch([prefix...]): looks for libtorch where CMake finds it, then in the active Python, then below each
# given prefix, and imports the first that fits. A libtorch that was named by Torch_DIR must fit. Sets AUDYN_TORCH_PREFIX
# and AUDYN_TORCH_VERSION, or AUDYN_TORCH_PROBLEM when there is none.
function(audyn_find_torch)
    set(AUDYN_TORCH_PROBLEM "" PARENT_SCOPE)
    if(TARGET audyn::torch_cpu)
        return()
    endif()
    _audyn_torch_prefixes_of_cmake(of_cmake)
    _audyn_torch_prefix_of_python(of_python)
    set(rejected "")
    foreach(prefix IN LISTS of_cmake of_python ARGN)
        _audyn_inspect_torch(torch "${prefix}")
        if(torch_PROBLEM STREQUAL "")
            _audyn_import_torch(torch)
            message(STATUS "audyn: libtorch ${torch_VERSION} in ${prefix}")
            set(AUDYN_TORCH_PREFIX "${prefix}" PARENT_SCOPE)
            set(AUDYN_TORCH_VERSION "${torch_VERSION}" PARENT_SCOPE)
            return()
        endif()
        if(Torch_DIR)
            message(FATAL_ERROR "audyn: the libtorch in ${prefix} (by Torch_DIR) ${torch_PROBLEM}.")
        endif()
        message(STATUS "audyn: the libtorch in ${prefix} ${torch_PROBLEM}; looking further")
        string(APPEND rejected "\n  The libtorch in ${prefix} ${torch_PROBLEM}.")
    endforeach()
    set(AUDYN_TORCH_PROBLEM "audyn: no libtorch ${AUDYN_TORCH_FIRST} to ${AUDYN_TORCH_LAST} was found.${rejected}
  Choose one of:
    -DTorch_DIR=FOLDER       a libtorch's share/cmake/Torch (CMAKE_PREFIX_PATH works too)
    pip install torch        in the Python that runs as python3
    -DAUDYN_PROVISION=ON     when building audyn itself: downloads it below the build folder" PARENT_SCOPE)
endfunction()
