# Downloads what this machine lacks into AUDYN_PROVISION_DIR, without root: libraries as Debian or Ubuntu packages, libtorch
# as Python's wheel. Builds that share the folder share the downloads.

include_guard(GLOBAL)
include(AudynApt)

set(AUDYN_PROVISIONED_TORCH_VERSION 2.13.0)
# libtorch's CPU half needs two of CUDA's libraries, in the versions that the wheel asks for; the whole wheel needs all.
set(AUDYN_WHEELS_RUNTIME torch==${AUDYN_PROVISIONED_TORCH_VERSION} nvidia-cuda-runtime==13.0.96 nvidia-cuda-cupti==13.0.85)
set(AUDYN_WHEELS_COMPLETE torch==${AUDYN_PROVISIONED_TORCH_VERSION} numpy tensorboard hydra-core==1.3.2 soundfile audyn==0.4.0)

# Downloads a Debian package, with the libraries that it needs to run where their names match the optional regex.
function(audyn_provision_package package)
    audyn_apt_available(available)
    if(NOT available)
        message(FATAL_ERROR "audyn: ${package} is needed, and there is no apt-get here to download it with. Install it "
            "(Fedora: json-devel yaml-cpp-devel doctest-devel libsndfile-devel; Arch: nlohmann-json yaml-cpp doctest "
            "libsndfile), or give its place by -DCMAKE_PREFIX_PATH=...")
    endif()
    audyn_apt_unpack(DESTINATION "${AUDYN_PROVISION_DIR}/debian/${package}" STATE "${AUDYN_PROVISION_DIR}/apt"
        PACKAGES ${package} WITH "${ARGN}")
endfunction()

# The libraries beside libtorch. Sets AUDYN_PROVISIONED_PREFIXES and adds it to CMAKE_PREFIX_PATH.
function(audyn_provision_libraries)
    set(prefix_path "${CMAKE_PREFIX_PATH}")
    file(GLOB prefixes "${AUDYN_PROVISION_DIR}/debian/*-dev/usr")
    list(APPEND CMAKE_PREFIX_PATH ${prefixes})
    audyn_find_json()
    if(NOT TARGET nlohmann_json::nlohmann_json)
        audyn_provision_package(nlohmann-json3-dev)
    endif()
    audyn_find_yaml_cpp()
    if(NOT TARGET audyn::yaml_cpp)
        audyn_provision_package(libyaml-cpp-dev "libyaml-cpp")
    endif()
    audyn_find_sndfile()
    if(NOT TARGET audyn::sndfile)
        audyn_provision_package(libsndfile1-dev "lib(sndfile|flac|ogg|vorbis|opus|mpg123|mp3lame)")
    endif()
    find_package(doctest CONFIG QUIET)
    if(AUDYN_BUILD_TESTS AND NOT doctest_FOUND)
        audyn_provision_package(doctest-dev)
    endif()
    # Only a test runs it, so nothing else needs to find it.
    find_program(AUDYN_ZSH zsh NO_CACHE)
    if(AUDYN_INTEROP AND NOT AUDYN_ZSH)
        if(NOT EXISTS "${AUDYN_PROVISION_DIR}/debian/zsh")
            audyn_provision_package(zsh "zsh-common$")
        endif()
        set(AUDYN_ZSH_ROOT "${AUDYN_PROVISION_DIR}/debian/zsh" PARENT_SCOPE)
    endif()
    file(GLOB prefixes "${AUDYN_PROVISION_DIR}/debian/*-dev/usr")
    set(AUDYN_PROVISIONED_PREFIXES "${prefixes}" PARENT_SCOPE)
    list(APPEND prefix_path ${prefixes})
    set(CMAKE_PREFIX_PATH "${prefix_path}" PARENT_SCOPE)
endfunction()

# What starts processes on several machines, for the tests that run them. Only these tests look for what is unpacked.
function(audyn_provision_engines)
    audyn_apt_available(available)
    if(NOT available)
        return()
    endif()
    set(engines_mpich mpiexec.hydra "mpich" "lib(hwloc15|slurm|numa|udev)")
    set(engines_openmpi-bin mpirun.openmpi "openmpi-bin"
        "openmpi|lib(openmpi|pmix|event|hwloc15|munge|nl-|numa|udev|psm|ltdl|fabric|ucx|ibverbs|rdmacm)")
    set(engines_slurm slurmctld "slurmctld slurmd slurm-client"
        "slurm-wlm-basic|lib(hwloc15|munge|numa|udev|lz4|pam0g|audit1|cap-ng)")
    set(engines_iproute2 ip "iproute2" "lib(bpf|elf|mnl|xtables|tirpc|cap2|db5|bsd|md0|atm|selinux|pcre2)")
    foreach(engine IN ITEMS mpich openmpi-bin slurm iproute2)
        list(GET engines_${engine} 0 program)
        list(GET engines_${engine} 1 packages)
        list(GET engines_${engine} 2 libraries)
        unset(found)
        find_program(found ${program} NO_CACHE)
        if(NOT found AND NOT EXISTS "${AUDYN_PROVISION_DIR}/debian/${engine}")
            separate_arguments(packages)
            audyn_apt_unpack(DESTINATION "${AUDYN_PROVISION_DIR}/debian/${engine}" STATE "${AUDYN_PROVISION_DIR}/apt"
                PACKAGES ${packages} WITH "(${libraries})")
        endif()
    endforeach()
endfunction()

# Sets `out` to whether that Python has what the interop tests need.
function(audyn_python_is_complete out python)
    set(${out} FALSE PARENT_SCOPE)
    if(python)
        execute_process(COMMAND "${python}" -c "
from importlib.metadata import version
for package in 'numpy', 'tensorboard', 'soundfile', 'audyn':
    version(package)
torch = tuple(int(number) for number in version('torch').split('.')[:2])
first, last = (tuple(int(number) for number in text.split('.')) for text in ('${AUDYN_TORCH_FIRST}', '${AUDYN_TORCH_LAST}'))
assert first <= torch <= last and version('hydra-core') == '1.3.2'"
            OUTPUT_QUIET ERROR_QUIET RESULT_VARIABLE failed)
        if(NOT failed)
            set(${out} TRUE PARENT_SCOPE)
        endif()
    endif()
endfunction()

# audyn_provision_wheels(<stage> <argument of pip install>...): adds to the virtual environment of the folder, once for
# each stage. One whose installation was interrupted is made anew.
function(audyn_provision_wheels stage)
    set(folder "${AUDYN_PROVISION_DIR}/python")
    set(done "${folder}/audyn-${stage}.txt")
    set(unfinished "${folder}/audyn-unfinished.txt")
    list(JOIN ARGN " " wanted)
    if(EXISTS "${unfinished}")
        file(REMOVE_RECURSE "${folder}")
    endif()
    if(EXISTS "${done}")
        file(READ "${done}" installed)
        if(installed STREQUAL wanted)
            return()
        endif()
    endif()

    message(STATUS "audyn: downloading ${wanted}")
    file(MAKE_DIRECTORY "${folder}")
    file(TOUCH "${unfinished}")
    if(NOT EXISTS "${folder}/bin/python")
        execute_process(COMMAND "${AUDYN_PYTHON}" -m venv "${folder}" RESULT_VARIABLE failed)
        if(failed)
            message(FATAL_ERROR "audyn: \"${AUDYN_PYTHON} -m venv\" failed; Python 3 with pip and venv downloads libtorch "
                "(Debian, Ubuntu: python3-venv).")
        endif()
    endif()
    execute_process(COMMAND "${folder}/bin/python" -m pip install --disable-pip-version-check --no-input ${ARGN}
        RESULT_VARIABLE failed)
    if(failed)
        message(FATAL_ERROR "audyn: pip could not install ${wanted}; it says why above.")
    endif()
    file(WRITE "${done}" "${wanted}")
    file(REMOVE "${unfinished}")
endfunction()

# libtorch and the Python of the interop tests: one copy of the wheel serves both. Sets AUDYN_PROVISIONED_TORCH and
# AUDYN_INTEROP_PYTHON.
function(audyn_provision_torch)
    audyn_find_torch()
    set(complete FALSE)
    if(AUDYN_INTEROP)
        audyn_python_is_complete(active_fits "${AUDYN_PYTHON}")
        if(active_fits)
            set(AUDYN_INTEROP_PYTHON "${AUDYN_PYTHON}" PARENT_SCOPE)
        else()
            set(complete TRUE)
            set(AUDYN_INTEROP_PYTHON "${AUDYN_PROVISION_DIR}/python/bin/python" PARENT_SCOPE)
        endif()
    endif()
    if(NOT TARGET audyn::torch_cpu AND AUDYN_CUDA)
        set(complete TRUE)
    endif()

    if(complete)
        audyn_provision_wheels(complete ${AUDYN_WHEELS_COMPLETE})
    elseif(NOT TARGET audyn::torch_cpu AND NOT EXISTS "${AUDYN_PROVISION_DIR}/python/audyn-complete.txt")
        audyn_provision_wheels(runtime --no-deps ${AUDYN_WHEELS_RUNTIME})
    endif()
    file(GLOB prefix "${AUDYN_PROVISION_DIR}/python/lib/python3*/site-packages/torch")
    set(AUDYN_PROVISIONED_TORCH "${prefix}" PARENT_SCOPE)
endfunction()

# Provides what is missing; another build that does the same waits.
macro(audyn_provision)
    file(MAKE_DIRECTORY "${AUDYN_PROVISION_DIR}")
    file(LOCK "${AUDYN_PROVISION_DIR}/lock" TIMEOUT 7200)
    audyn_provision_libraries()
    if(AUDYN_INTEROP)
        audyn_provision_engines()
    endif()
    audyn_provision_torch()
    file(LOCK "${AUDYN_PROVISION_DIR}/lock" RELEASE)
endmacro()
