#pragma once
// The programs that a test runs, as postern_test_runs() of CMake says them, and the libraries that it loads.

#include <filesystem>
#include <string>

#include "base/library_error.h"
#include "base/random.h"
#include "tests/kit/platform.h"

namespace postern::tests {

// The build names them from the root on; Windows wants the drive too.
inline std::string builtProgram(const std::string& path) {
    return absolutePath(path).value();
}

// A folder of libraries that were built. Under Wine, who runs the tests is not whom the build belongs to, and
// libraries of strangers are not loaded: there it is a copy that stays, since what is loaded can not be
// removed.
inline std::string builtLibraries(const std::string& folder) {
    if (!isWine()) return builtProgram(folder);
    namespace fs = std::filesystem;
    const fs::path copies = fs::temp_directory_path() / "postern-test-libraries";
    fs::create_directories(copies);
    for (const auto& library : fs::directory_iterator(builtProgram(folder))) {
        if (library.path().extension() != ".dll") continue;
        const fs::path copy = copies / library.path().filename(), aside = copies / randomName(12);
        if (fs::exists(copy) && fs::file_size(copy) == library.file_size() &&
            fs::last_write_time(copy) >= library.last_write_time())
            continue;
        fs::copy_file(library, aside);
        std::error_code another;  // who began at the same time was quicker
        fs::rename(aside, copy, another);
        if (another) fs::remove(aside);
    }
    return copies.generic_string();
}

}  // namespace postern::tests
