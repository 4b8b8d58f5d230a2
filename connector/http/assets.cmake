# cmake -DFOLDER=... -DOUTPUT=... -P assets.cmake: writes a source file with the bytes of all files in a folder.
file(GLOB files "${FOLDER}/*")
list(SORT files)
set(arrays "")
set(rows "")
set(n 0)
foreach(file IN LISTS files)
    get_filename_component(name "${file}" NAME)
    get_filename_component(ending "${file}" LAST_EXT)
    if(ending STREQUAL ".html")
        set(type "text/html; charset=utf-8")
    elseif(ending STREQUAL ".js")
        set(type "text/javascript; charset=utf-8")
    elseif(ending STREQUAL ".css")
        set(type "text/css; charset=utf-8")
    elseif(ending STREQUAL ".svg")
        set(type "image/svg+xml")
    else()
        message(FATAL_ERROR "${file}: no type is known for ${ending}")
    endif()
    file(READ "${file}" bytes HEX)
    string(LENGTH "${bytes}" length)
    math(EXPR length "${length} / 2")
    string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${bytes}")
    string(APPEND arrays "constexpr char kFile${n}[] = {${bytes}};\n")
    string(APPEND rows "    {\"/${name}\", \"${type}\", {kFile${n}, ${length}}},\n")
    math(EXPR n "${n} + 1")
endforeach()
file(WRITE "${OUTPUT}" "#include \"connector/http/assets.h\"

namespace postern::http {

namespace {

${arrays}
constexpr Asset kAssets[] = {
${rows}};

}  // namespace

std::span<const Asset> assets() {
    return kAssets;
}

}  // namespace postern::http
")
