# cmake -P configure.cmake <project> <build folder> <whether it succeeds> <words|words...> <option>...: configures the project
# in a folder made anew; it must say each of the words, and fail with one error unless it is to succeed.

set(binary "${CMAKE_ARGV4}")
set(succeeds "${CMAKE_ARGV5}")
string(REPLACE "|" ";" expected "${CMAKE_ARGV6}")
set(options "")
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(index RANGE 7 ${last})
    list(APPEND options "${CMAKE_ARGV${index}}")
endforeach()

file(REMOVE_RECURSE "${binary}")
execute_process(COMMAND "${CMAKE_COMMAND}" -S "${CMAKE_ARGV3}" -B "${binary}" ${options}
    OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE failed)
message("${output}")

if(succeeds AND failed)
    message(FATAL_ERROR "the configure step failed")
elseif(NOT succeeds)
    string(REGEX MATCHALL "CMake Error" errors "${output}")
    list(LENGTH errors count)
    if(NOT failed OR NOT count EQUAL 1)
        message(FATAL_ERROR "the configure step should fail with one error; it gave ${count}")
    endif()
endif()
# CMake wraps the lines of its messages.
string(REGEX REPLACE "[ \n]+" " " output "${output}")
foreach(words IN LISTS expected)
    string(FIND "${output}" "${words}" position)
    if(position EQUAL -1)
        message(FATAL_ERROR "the configure step did not say \"${words}\"")
    endif()
endforeach()
