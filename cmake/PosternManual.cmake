# Run by the build: cmake -DPOSTERN=PROGRAM -DFOLDER=FOLDER [-DGZIP=PROGRAM] -P PosternManual.cmake
# Writes the manual pages into FOLDER/pages and, as they are installed, into FOLDER/installed: compressed where GZIP is given, with
# no time in them, so that two builds are the same.
file(REMOVE_RECURSE "${FOLDER}/pages" "${FOLDER}/installed")
execute_process(COMMAND "${POSTERN}" --config "${FOLDER}/none.toml" man --all "${FOLDER}/pages" COMMAND_ERROR_IS_FATAL ANY)
file(COPY "${FOLDER}/pages/" DESTINATION "${FOLDER}/installed")
if(GZIP)
    file(GLOB_RECURSE pages "${FOLDER}/installed/*.[0-9]")
    execute_process(COMMAND "${GZIP}" -9n ${pages} COMMAND_ERROR_IS_FATAL ANY)
endif()
file(WRITE "${FOLDER}/made" "")
