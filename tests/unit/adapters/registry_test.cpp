#include "adapters/registry.h"

#include <set>

#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/adapter_rig.h"
#include "tests/kit/drive.h"

namespace postern::adapters {

namespace {

bool fallbackFits(const Setting& setting) {
    const std::string_view text = setting.fallback;
    switch (setting.type) {
        case SettingType::Boolean: return text == "true" || text == "false";
        case SettingType::Integer: {
            const auto value = parseInt(text);
            return value && *value >= setting.least && *value <= setting.most;
        }
        case SettingType::Size: return parseSize(text).has_value();
        case SettingType::Duration: return parseDurationMillis(text).has_value();
        case SettingType::List: return true;
        case SettingType::Choice:
            return std::find(setting.choices.begin(), setting.choices.end(), text) != setting.choices.end();
        case SettingType::Text:
        case SettingType::Path: return true;
    }
    return false;
}

}  // namespace

TEST(Registry, EveryKindCanBeFoundAndExplainsItself) {
    ASSERT_GE(kinds().size(), 3u);
    std::set<std::string> names;
    for (const Kind* each : kinds()) {
        const Kind& kind = *each;
        EXPECT_TRUE(names.insert(kind.name).second) << kind.name << " is listed twice";
        EXPECT_EQ(kindNamed(kind.name), &kind);
        EXPECT_FALSE(std::string(kind.summary).empty()) << kind.name;
    }
    EXPECT_EQ(kindNamed("no such kind"), nullptr);
    EXPECT_EQ(kindNamed(""), nullptr);
}

TEST(Registry, EverySettingHasAHelpAndAFittingFallback) {
    for (const Kind* each : kinds()) {
        const Kind& kind = *each;
        std::set<std::string> keys;
        for (const Setting& setting : kind.settings) {
            const std::string which = std::string(kind.name) + "." + setting.key;
            EXPECT_TRUE(keys.insert(setting.key).second) << which << " is listed twice";
            EXPECT_TRUE(std::string_view(setting.help).ends_with(".")) << which;
            EXPECT_EQ(setting.type == SettingType::Choice, !setting.choices.empty()) << which;
            EXPECT_TRUE(setting.fallback == nullptr || fallbackFits(setting)) << which;
        }
    }
}

TEST(Registry, SettingsThatCanNotWorkAreRefusedByName) {
    struct Case {
        const char* kind;
        const char* key;
        const char* value;
    };
    const std::vector<Case> cases = {
        {"maildir", "folder", "relative"},
        {"maildir", "folder", ""},
        {"maildir", "file_mode", "rw-"},
        {"maildir", "file_mode", "0999"},
        {"maildir", "folder_mode", "rwx"},
        {"maildir", "maildir_folder", "a/b"},
        {"maildir", "maildir_folder", "a..b"},
        {"maildir", "maildir_folder", "."},
        {"mbox", "mailbox", ""},
        {"mbox", "mailbox", "../inbox"},
        {"mbox", "mailbox", "two words"},
        {"mbox", "mailbox", "bob.lock"},
        {"mbox", "mailbox", ".hidden"},
        {"mh", "sequence", "two words"},
        {"mh", "sequence", "cur"},
        {"pickup", "null_sender", "nobody"},
        {"drop", "stage", "relative"},
        {"drop", "stage", "/live"},
        {"drop", "extension", "a/b"},
        {"drop", "extension", ""},
        {"drop", "extension", ".eml"},
        {"ccmail", "charset", "cp0"},
        {"ccmail", "gateway", ""},
        {"ccmail", "gateway", "a\nb"},
        {"ccmail", "post_office", "M\xc3\xa1laga"},
        {"ccmail", "date_zone", "noon"},
        {"ccmail", "date_zone", "CET-1CEST,M3.5.0"},
        {"ccmail", "text_limit", "0"},
        {"ccmail", "text_limit", "255"},
        {"ccmail", "subject_limit", "0"},
        {"ccmail", "subject_limit", "19"},
        {"ccmail", "subject_limit", "201"},
        {"ccmail", "wrap", "19"},
        {"ccmail", "null_sender", " "},
    };
    for (const Case& c : cases) {
        tests::SettingMap settings = {{"folder", tests::onDrive("/live")}};
        settings[c.key] = tests::onDrive(c.value);
        const auto made = tests::makeKind(c.kind, settings, tests::kRigContext);
        ASSERT_FALSE(made.ok()) << c.kind << "." << c.key << " = '" << c.value << "'";
        EXPECT_TRUE(made.error().text.starts_with(std::string(c.key) + ":")) << made.error().text;
    }
}

TEST(Settings, AreReadByTheirType) {
    Settings settings;
    settings.set("yes", "true");
    settings.set("no", "false");
    settings.set("count", "-12");
    settings.set("size", "64 KiB");
    settings.set("time", "5m");
    EXPECT_TRUE(settings.boolean("yes"));
    EXPECT_FALSE(settings.boolean("no"));
    EXPECT_EQ(settings.integer("count"), -12);
    EXPECT_EQ(settings.integer("size"), 65536);
    EXPECT_EQ(settings.milliseconds("time"), 300'000);
}

}  // namespace postern::adapters
