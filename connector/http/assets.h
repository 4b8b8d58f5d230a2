#pragma once
// The files of the page, built into the program from connector/http/web.

#include <span>
#include <string_view>

namespace postern::http {

struct Asset {
    std::string_view path;  // "/app.js"
    std::string_view type;  // "text/javascript; charset=utf-8"
    std::string_view bytes;
};
std::span<const Asset> assets();

}  // namespace postern::http
