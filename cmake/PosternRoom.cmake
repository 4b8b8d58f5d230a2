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

# postern_test_runs(TEST PROGRAM NAME): the test runs that program, whose place it gets by the macro NAME.
function(postern_test_runs test program name)
    target_compile_definitions(${test} PRIVATE "${name}=\"$<TARGET_FILE:${program}>\"")
    add_dependencies(${test} ${program})
endfunction()

# postern_test(NAME SOURCES ... LIBS ... LABEL unit|conformance|race|...): one GoogleTest program, its cases known to ctest.
function(postern_test name)
    cmake_parse_arguments(TEST "" "LABEL;TIMEOUT" "SOURCES;LIBS" ${ARGN})
    if(NOT TEST_TIMEOUT)
        set(TEST_TIMEOUT 120)
    endif()
    if(POSTERN_SANITIZE)
        math(EXPR TEST_TIMEOUT "${TEST_TIMEOUT} * 4")
    endif()
    add_executable(${name} ${TEST_SOURCES})
    target_link_libraries(${name} PRIVATE ${TEST_LIBS} GTest::gmock_main)
    if(CMAKE_BUILD_TYPE STREQUAL "None")  # a test's own code takes up to twice as long to optimise; no release
        target_compile_options(${name} PRIVATE -O0 -U_FORTIFY_SOURCE)
    endif()
    set_property(GLOBAL APPEND PROPERTY POSTERN_TEST_PROGRAMS ${name})
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS "${TEST_LABEL}" TIMEOUT ${TEST_TIMEOUT})
endfunction()
