# Debian or Ubuntu packages, unpacked into a folder without root. The package lists are the project's own, because a fresh
# machine has none and because only root may refresh the machine's.

include_guard(GLOBAL)

# Sets `out` to whether this machine can do it.
function(audyn_apt_available out)
    find_program(AUDYN_APT_GET apt-get)
    find_program(AUDYN_DPKG dpkg)
    mark_as_advanced(AUDYN_APT_GET AUDYN_DPKG)
    if(AUDYN_APT_GET AND AUDYN_DPKG)
        set(${out} TRUE PARENT_SCOPE)
    else()
        set(${out} FALSE PARENT_SCOPE)
    endif()
endfunction()

# audyn_apt_run(<output variable> <state folder> <program> <argument>...): runs a program of apt with lists below `state`.
function(audyn_apt_run out state program)
    set(ENV{LC_ALL} C)
    execute_process(
        COMMAND ${program} -o Dir::State=${state} -o Dir::State::lists=${state}/lists -o Dir::Cache=${state}/cache
            -o Dir::State::status=/var/lib/dpkg/status -o Debug::NoLocking=1 -o APT::Sandbox::User=root -o Acquire::Retries=3
            ${ARGN}
        WORKING_DIRECTORY "${state}"
        OUTPUT_VARIABLE output ERROR_VARIABLE errors RESULT_VARIABLE failed)
    if(failed)
        list(JOIN ARGN " " arguments)
        message(FATAL_ERROR "audyn: \"${program} ${arguments}\" failed:\n${errors}")
    endif()
    set(${out} "${output}" PARENT_SCOPE)
endfunction()

# audyn_apt_unpack(DESTINATION <folder> STATE <folder> PACKAGES <name>... [WITH <regex>]): downloads the packages and
# unpacks them into the folder, which appears only when it is complete. Their dependencies come too where the name matches.
function(audyn_apt_unpack)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "DESTINATION;STATE;WITH" "PACKAGES")
    list(JOIN arg_PACKAGES " " names)
    message(STATUS "audyn: downloading ${names}")
    set(partial "${arg_DESTINATION}.partial")
    file(REMOVE_RECURSE "${partial}" "${arg_STATE}")
    file(MAKE_DIRECTORY "${partial}" "${arg_STATE}/lists/partial" "${arg_STATE}/cache/archives/partial")
    audyn_apt_run(ignored "${arg_STATE}" apt-get -qq update)

    set(packages ${arg_PACKAGES})
    if(arg_WITH)
        audyn_apt_run(closure "${arg_STATE}" apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts
            --no-breaks --no-replaces --no-enhances ${arg_PACKAGES})
        string(REGEX MATCHALL "[^\n]+" closure "${closure}")
        list(FILTER closure INCLUDE REGEX "^${arg_WITH}")
        list(FILTER closure EXCLUDE REGEX "-dev$|:")
        list(APPEND packages ${closure})
        list(REMOVE_DUPLICATES packages)
    endif()
    audyn_apt_run(ignored "${arg_STATE}" apt-get -qq download ${packages})
    file(GLOB archives "${arg_STATE}/*.deb")
    foreach(archive IN LISTS archives)
        execute_process(COMMAND dpkg -x "${archive}" "${partial}" COMMAND_ERROR_IS_FATAL ANY)
    endforeach()
    file(REMOVE_RECURSE "${arg_DESTINATION}" "${arg_STATE}")
    file(RENAME "${partial}" "${arg_DESTINATION}")
endfunction()
