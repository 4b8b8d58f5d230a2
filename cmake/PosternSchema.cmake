# postern_schema(OUT FILE): makes generated/<name>.h with `inline constexpr char k<name>[]`, the text of one schema file.
# The file name's number and words become the constant's name: 0001_messages.sql -> kSchema0001Messages.
function(postern_schema out file)
    get_filename_component(name "${file}" NAME_WE)
    string(REGEX REPLACE "_([a-z])" ";\\1" pieces "${name}")
    set(constant "kSchema")
    foreach(piece IN LISTS pieces)
        string(SUBSTRING "${piece}" 0 1 first)
        string(TOUPPER "${first}" first)
        string(SUBSTRING "${piece}" 1 -1 rest)
        string(APPEND constant "${first}${rest}")
    endforeach()
    file(READ "${file}" sql)
    set(header "${CMAKE_BINARY_DIR}/generated/schema_${name}.h")
    file(CONFIGURE OUTPUT "${header}" @ONLY CONTENT
        "#pragma once\n// Made from ${name}.sql at configure time.\nnamespace postern {\ninline constexpr char @constant@[] = R\"sql(@sql@)sql\";\n}  // namespace postern\n")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
    set(${out} "${header}" PARENT_SCOPE)
endfunction()
