# What a program for Windows carries besides code: who made it, which version it is, a manifest that lifts the limit of paths and
# asks for no more rights than its caller's. With EVENTS also the texts of the Event Log (base/windows/events.mc).
#   postern_windows_program(TARGET DESCRIPTION [EVENTS])
# Does nothing for other systems.
function(postern_windows_program target description)
    if(NOT WIN32)
        return()
    endif()
    cmake_parse_arguments(PROGRAM "EVENTS" "" "" ${ARGN})
    set(folder "${CMAKE_BINARY_DIR}/generated/windows/${target}")
    get_target_property(name ${target} OUTPUT_NAME)
    if(NOT name)
        set(name ${target})
    endif()
    set(POSTERN_PROGRAM "${name}.exe")
    set(POSTERN_DESCRIPTION "${description}")
    configure_file("${CMAKE_SOURCE_DIR}/packaging/windows/program.rc.in" "${folder}/program.rc" @ONLY)
    configure_file("${CMAKE_SOURCE_DIR}/packaging/windows/program.manifest" "${folder}/program.manifest" COPYONLY)
    target_sources(${target} PRIVATE "${folder}/program.rc")
    set_source_files_properties("${folder}/program.rc" PROPERTIES OBJECT_DEPENDS "${folder}/program.manifest")
    if(PROGRAM_EVENTS)
        set(messages "${CMAKE_SOURCE_DIR}/base/windows/events.mc")
        add_custom_command(OUTPUT "${folder}/events.rc" "${folder}/MSG00409.bin"
            COMMAND "${CMAKE_MC_COMPILER}" -h "${folder}" -r "${folder}" "${messages}"
            DEPENDS "${messages}" VERBATIM)
        target_sources(${target} PRIVATE "${folder}/events.rc")
        set_source_files_properties("${folder}/events.rc" PROPERTIES OBJECT_DEPENDS "${folder}/MSG00409.bin" COMPILE_OPTIONS "-I${folder}")
    endif()
endfunction()
