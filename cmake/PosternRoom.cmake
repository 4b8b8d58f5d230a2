# postern_room(NAME SOURCES ... ROOMS ... PRIVATE ...): one folder, one static library.
# ROOMS are the rooms whose headers this room's headers may show; PRIVATE are libraries kept inside its .cpp files.
function(postern_room name)
    cmake_parse_arguments(ROOM "" "" "SOURCES;ROOMS;PRIVATE" ${ARGN})
    add_library(postern_${name} STATIC ${ROOM_SOURCES})
    target_include_directories(postern_${name} PUBLIC "${CMAKE_SOURCE_DIR}")
    foreach(room IN LISTS ROOM_ROOMS)
        target_link_libraries(postern_${name} PUBLIC postern_${room})
    endforeach()
    target_link_libraries(postern_${name} PUBLIC Threads::Threads PRIVATE ${ROOM_PRIVATE})
endfunction()

# postern_test(NAME SOURCES ... LIBS ... LABEL unit|conformance|race|...): one GoogleTest program, its cases known to ctest.
function(postern_test name)
    cmake_parse_arguments(TEST "" "LABEL;TIMEOUT" "SOURCES;LIBS" ${ARGN})
    if(NOT TEST_TIMEOUT)
        set(TEST_TIMEOUT 120)
    endif()
    add_executable(${name} ${TEST_SOURCES})
    target_link_libraries(${name} PRIVATE ${TEST_LIBS} GTest::gmock_main)
    set_property(GLOBAL APPEND PROPERTY POSTERN_TEST_PROGRAMS ${name})
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS "${TEST_LABEL}" TIMEOUT ${TEST_TIMEOUT})
endfunction()
