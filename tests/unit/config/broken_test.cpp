// One folder per broken configuration: broken/NAME/postern.toml, adapters.d/ where it matters, and
// expected.txt with what load() says about it. A new case is a new folder.

#include <filesystem>
#include <fstream>
#include <map>

#include <gtest/gtest.h>

#include "adapters/registry.h"
#include "base/file.h"
#include "connector/config/load.h"
#include "tests/kit/drive.h"
#include "tests/temp_folder.h"

namespace postern::config {
namespace {

namespace fs = std::filesystem;

std::string said(const fs::path& folder) {
    const Loaded loaded = load((folder / "postern.toml").generic_string());
    const std::string prefix = folder.generic_string() + "/";
    std::string kinds;  // written as KINDS in expected.txt: a new kind breaks no file
    for (const adapters::Kind* kind : adapters::kinds())
        kinds += (kinds.empty() ? "" : ", ") + std::string(kind->name);
    std::string lines;
    const auto add = [&](const char* what, const Problem& problem) {
        std::string line = placeText(problem.place) + ": " + what + problem.text + "\n";
        for (auto at = line.find(prefix); at != std::string::npos; at = line.find(prefix, at))
            line.erase(at, prefix.size());
        if (const auto at = line.find(kinds); at != std::string::npos)
            line.replace(at, kinds.size(), "KINDS");
        lines += line;
    };
    for (const Problem& problem : loaded.problems) add("", problem);
    for (const Problem& warning : loaded.warnings) add("warning: ", warning);
    EXPECT_EQ(loaded.config.has_value(), loaded.problems.empty());
    return lines;
}

class Broken : public testing::TestWithParam<std::string> {};

// A copy whose paths stand on a drive, where there are drives.
void copyOnDrive(const fs::path& from, const fs::path& to) {
    for (const auto& entry : fs::recursive_directory_iterator(from)) {
        const fs::path place = to / fs::relative(entry.path(), from);
        if (entry.is_directory()) fs::create_directories(place);
        if (!entry.is_regular_file()) continue;
        fs::create_directories(place.parent_path());
        std::ofstream(place, std::ios::binary)
            << tests::onDrive(readFile(entry.path().string(), 1 << 20).value());
    }
}

TEST_P(Broken, SaysWhatIsWrongAndWhere) {
    static const std::map<std::string, const char*> kOtherwise = {
        {"addresses", "it has no Unix sockets"},
        {"listener_safety", "it has no Unix sockets"},
        {"one_socket", "it has no Unix sockets"},
        {"no_file", "its own words for a file that is not there"},
        {"relative_paths", "a path with a drive is absolute"}};
    if (const auto found = kOtherwise.find(GetParam()); found != kOtherwise.end())
        SKIP_ON_WINDOWS(found->second);
    const fs::path given = fs::path(POSTERN_BROKEN_FOLDER) / GetParam();
    const tests::TempFolder temp;
    const fs::path folder = temp.path();
    copyOnDrive(given, folder);
    const auto expected = readFile((given / "expected.txt").string(), 1 << 20);
    EXPECT_EQ(tests::offDrive(said(folder)), expected.ok() ? *expected : "(no expected.txt)") << GetParam();
}

std::vector<std::string> folders() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(POSTERN_BROKEN_FOLDER))
        if (entry.is_directory()) names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

INSTANTIATE_TEST_SUITE_P(Configurations, Broken, testing::ValuesIn(folders()),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace postern::config
