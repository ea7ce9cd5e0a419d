# cmake -P run.cmake <project> <build folder> <option>...: configures and builds the project in a folder made
# anew, and runs the tests that it has.

set(project "${CMAKE_ARGV3}")
set(binary "${CMAKE_ARGV4}")
set(options "")
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(index RANGE 5 ${last})
    list(APPEND options "${CMAKE_ARGV${index}}")
endforeach()

file(REMOVE_RECURSE "${binary}")
execute_process(COMMAND "${CMAKE_COMMAND}" -S "${project}" -B "${binary}" ${options} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${CMAKE_COMMAND}" --build "${binary}" --parallel 1 COMMAND_ERROR_IS_FATAL ANY)
if(EXISTS "${binary}/CTestTestfile.cmake")
    execute_process(COMMAND "${CMAKE_CTEST_COMMAND}" --output-on-failure --no-tests=error
        WORKING_DIRECTORY "${binary}" COMMAND_ERROR_IS_FATAL ANY)
endif()
if(EXISTS "${binary}/provision" OR EXISTS "${binary}/audyn/provision")
    message(FATAL_ERROR "configuring a project that uses audyn provisioned something")
endif()
