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
    if(POSTERN_SANITIZE OR WIN32)  # Wine makes each file slowly
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

# postern_not_on_windows(NAME REASON SOURCES...): tests of what Windows has not. There the run says of each file that it is left out.
function(postern_not_on_windows name reason)
    if(NOT WIN32)
        target_sources(${name} PRIVATE ${ARGN})
        return()
    endif()
    list(GET ARGN 0 first)
    set(text "#include <gtest/gtest.h>\n")
    foreach(source IN LISTS ARGN)
        get_filename_component(case "${source}" NAME_WE)
        string(APPEND text "TEST(NotOnWindows, ${case}) {\n    GTEST_SKIP() << \"Windows: ${reason}\";\n}\n")
    endforeach()
    set(generated "${CMAKE_CURRENT_BINARY_DIR}/not_on_windows/${name}_${first}")
    file(CONFIGURE OUTPUT "${generated}" CONTENT "${text}" @ONLY)
    target_sources(${name} PRIVATE "${generated}")
endfunction()
