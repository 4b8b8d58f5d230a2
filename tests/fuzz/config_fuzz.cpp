// A configuration file of any bytes: it is refused with places, or it is what `postern config show` writes,
// read again.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/file.h"
#include "connector/config/load.h"
#include "tests/temp_folder.h"

namespace {

void mustHold(bool holds, const char* what, const std::string& text) {
    if (holds) return;
    std::fprintf(stderr, "%s: %s\n", what, text.c_str());
    std::abort();
}

void put(const std::string& path, std::string_view text) {
    std::FILE* file = std::fopen(path.c_str(), "wb");
    mustHold(file != nullptr, "no file", path);
    std::fwrite(text.data(), 1, text.size(), file);
    std::fclose(file);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern;
    static tests::TempFolder folder;
    static const std::string path = folder / "postern.toml";
    if (size > 20'000) return 0;
    put(path, {reinterpret_cast<const char*>(data), size});
    const config::Loaded first = config::load(path);
    mustHold(first.config.has_value() == first.problems.empty(), "a configuration and problems", path);
    for (const config::Problem& problem : first.problems)
        mustHold(!problem.text.empty() && problem.place.file.starts_with(path), "a problem without a place",
                 problem.text);
    if (!first.config) return 0;
    const std::string shown = config::show(*first.config);
    put(path, shown);
    const config::Loaded again = config::load(path);
    mustHold(again.config.has_value(), "what is shown is not taken", shown);
    mustHold(config::show(*again.config) == shown, "what is shown changes when read again", shown);
    return 0;
}
