# Compiles SOURCE with COMPILER and the FLAGS file: it must fail, and say every line that SOURCE expects.

file(STRINGS "${SOURCE}" expected REGEX "^// expect: ")
if(NOT expected)
    message(FATAL_ERROR "${SOURCE} has no line \"// expect: words\"")
endif()

execute_process(COMMAND "${COMPILER}" "@${FLAGS}" -fsyntax-only "${SOURCE}"
    OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE failed)
if(NOT failed)
    message(FATAL_ERROR "${SOURCE} compiled, and should not have")
endif()
foreach(line IN LISTS expected)
    string(REPLACE "// expect: " "" words "${line}")
    string(FIND "${output}" "${words}" position)
    if(position EQUAL -1)
        message(FATAL_ERROR "${SOURCE} failed without saying \"${words}\":\n${output}")
    endif()
endforeach()
