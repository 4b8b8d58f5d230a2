#include "connector/config/example.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "base/file.h"
#include "connector/config/keys.h"
#include "connector/config/load.h"
#include "tests/kit/drive.h"
#include "tests/temp_folder.h"

namespace postern::config {
namespace {

void write(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
}

std::string problemsOf(const Loaded& loaded) {
    std::string all;
    for (const Problem& problem : loaded.problems)
        all += placeText(problem.place) + ": " + problem.text + "\n";
    return all;
}

TEST(Example, TheExampleFileIsTheOneMadeFromTheKeyTableAndLoads) {
    SKIP_ON_WINDOWS("the packaged one is that of Debian's package");
    const auto packaged = readFile(POSTERN_EXAMPLE_FILE, 1 << 20);
    ASSERT_TRUE(packaged.ok());
    EXPECT_EQ(*packaged, example()) << "make it anew: postern config example > packaging/config/postern.toml";
    const Loaded loaded = load(POSTERN_EXAMPLE_FILE);
    EXPECT_TRUE(loaded.config) << problemsOf(loaded);
    EXPECT_TRUE(loaded.warnings.empty());
}

// Every commented default, made a setting, is what the program would have taken anyway.
TEST(Example, TheExamplesCommentedDefaultsAreAccepted) {
    tests::TempFolder folder;
    std::string text = example();
    for (auto at = text.find("\n#"); at != std::string::npos; at = text.find("\n#", at + 1))
        if (text[at + 2] != ' ') text.erase(at + 1, 1);
    write(folder / "postern.toml", text);
    const Loaded loaded = load(folder / "postern.toml");
    EXPECT_TRUE(loaded.config) << problemsOf(loaded);
}

TEST(Example, TheExampleHasEachKeyOnce) {
    const std::string text = "\n" + example();
    for (const Key& key : keys()) {
        const std::string name = key.setting.key;
        std::size_t wanted = 0, found = 0;
        for (const Key& other : keys()) wanted += name == other.setting.key ? 1U : 0U;
        for (const adapters::Setting& setting : adapters::kindNamed("maildir")->settings)
            wanted += name == setting.key ? 1U : 0U;
        for (const std::string& line : {"\n" + name + " = ", "\n#" + name + " = "})
            for (auto at = text.find(line); at != std::string::npos; at = text.find(line, at + 1)) ++found;
        EXPECT_EQ(found, wanted) << name;
    }
}

class ExampleOfEachKind : public testing::TestWithParam<std::string> {
  protected:
    // The file of the kind's adapter, beside a configuration that leads mail to it.
    Loaded loadWith(const std::string& text) const {
        std::filesystem::create_directory(folder_ / "adapters.d");
        write(folder_ / "adapters.d/made.toml", text);
        std::string whole = tests::onDrive("store = \"/var/lib/postern\"\n") +
                            "[[listener]]\nprotocol = \"smtp\"\naddress = \"127.0.0.1:2525\"\n";
        if (GetParam() != "webhook") whole += "[[route]]\nrecipient = \"*\"\nadapter = \"made\"\n";
        write(folder_ / "postern.toml", whole);
        return load(folder_ / "postern.toml");
    }
    tests::TempFolder folder_;
};

TEST_P(ExampleOfEachKind, HasEachSettingOnceAndLoads) {
    if (GetParam() == "uucp") SKIP_ON_WINDOWS("the folders of its spool can not be there");
    const adapters::Kind& kind = *adapters::kindNamed(GetParam());
    const std::string text = example(kind);
    std::vector<const adapters::Setting*> all = keysOf("adapter");
    for (const adapters::Setting& setting : kind.settings) all.push_back(&setting);
    for (const adapters::Setting* setting : all) {
        const std::string name = setting->key;
        const auto open = text.find("\n" + name + " = "), comment = text.find("\n#" + name + " = ");
        EXPECT_NE(open == std::string::npos, comment == std::string::npos) << name;
        EXPECT_EQ(open != std::string::npos, setting->fallback == nullptr) << name;
        if (open != std::string::npos) {
            EXPECT_NE(text.substr(open + 1, name.size() + 5), name + " = \"\"") << name;
        }
    }
    const Loaded loaded = loadWith(text);
    EXPECT_TRUE(loaded.config) << problemsOf(loaded);
}

// Defaults, made settings, are what the program would have taken anyway. An empty path is "none" and can not
// be written.
TEST_P(ExampleOfEachKind, ItsCommentedDefaultsAreAccepted) {
    if (GetParam() == "uucp") SKIP_ON_WINDOWS("the folders of its spool can not be there");
    std::string text = example(*adapters::kindNamed(GetParam()));
    for (auto at = text.find("\n#"); at != std::string::npos; at = text.find("\n#", at + 1)) {
        const std::string line = text.substr(at + 2, text.find('\n', at + 1) - at - 2);
        if (line[0] != ' ' && !line.ends_with(" = \"\"")) text.erase(at + 1, 1);
    }
    const Loaded loaded = loadWith(text);
    EXPECT_TRUE(loaded.config) << problemsOf(loaded);
}

std::vector<std::string> kindNames() {
    std::vector<std::string> names;
    for (const adapters::Kind* kind : adapters::kinds()) names.emplace_back(kind->name);
    return names;
}
INSTANTIATE_TEST_SUITE_P(Example, ExampleOfEachKind, testing::ValuesIn(kindNames()),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace postern::config
