// One folder per broken configuration: broken/NAME/postern.toml, adapters.d/ where it matters, and
// expected.txt with what load() says about it. A new case is a new folder.

#include <filesystem>

#include <gtest/gtest.h>

#include "adapters/registry.h"
#include "base/file.h"
#include "connector/config/load.h"

namespace postern::config {
namespace {

namespace fs = std::filesystem;

std::string said(const fs::path& folder) {
    const Loaded loaded = load((folder / "postern.toml").string());
    const std::string prefix = folder.string() + "/";
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

TEST_P(Broken, SaysWhatIsWrongAndWhere) {
    const fs::path folder = fs::path(POSTERN_BROKEN_FOLDER) / GetParam();
    const auto expected = readFile((folder / "expected.txt").string(), 1 << 20);
    EXPECT_EQ(said(folder), expected.ok() ? *expected : "(no expected.txt)") << GetParam();
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
