# Settings of audyn's own tests and examples; nothing here reaches a program that uses audyn.

function(audyn_own_program target)
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
        # GCC 12 sees overruns in std::string's own code once it is inlined (gcc.gnu.org/PR105329, PR105651).
        target_compile_options(${target} PRIVATE -Wno-array-bounds -Wno-restrict -Wno-stringop-overflow)
    endif()
    set_target_properties(${target} PROPERTIES COMPILE_WARNING_AS_ERROR ${AUDYN_WERROR} CXX_EXTENSIONS OFF)
endfunction()

find_program(AUDYN_CCACHE ccache DOC "Compiler cache for audyn's own programs")
mark_as_advanced(AUDYN_CCACHE)
if(AUDYN_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    # A precompiled header is keyed by what it includes, not by its time stamp.
    set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env "CCACHE_SLOPPINESS=pch_defines,time_macros" "${AUDYN_CCACHE}")
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        add_compile_options(-fpch-preprocess)
    endif()
endif()

find_program(AUDYN_CLANG_FORMAT NAMES clang-format-14 clang-format DOC "Formatter for the target format-check")
mark_as_advanced(AUDYN_CLANG_FORMAT)
if(AUDYN_CLANG_FORMAT)
    file(GLOB_RECURSE formatted CONFIGURE_DEPENDS include/*.hpp include/*.ipp tests/*.hpp tests/*.cpp examples/*.hpp examples/*.cpp)
    add_custom_target(format-check COMMAND "${AUDYN_CLANG_FORMAT}" --dry-run --Werror ${formatted} VERBATIM)
endif()
