# The programs of a project that uses audyn, however it got the targets.

foreach(component IN ITEMS config audyn audio)
    if(TARGET audyn::${component})
        add_executable(use_${component} ../use_${component}.cpp)
        target_link_libraries(use_${component} PRIVATE audyn::${component})
        add_test(NAME use_${component} COMMAND use_${component})
    endif()
endforeach()
