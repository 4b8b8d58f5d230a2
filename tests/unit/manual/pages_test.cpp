// Every table is in its page, whole.

#include "connector/manual/pages.h"

#include <gtest/gtest.h>

#include "adapters/registry.h"
#include "connector/config/example.h"
#include "connector/config/keys.h"
#include "connector/manual/mdoc.h"
#include "connector/posternd_options.h"
#include "tests/kit/platform.h"

namespace postern::manual {
namespace {

std::string textOf(std::string_view name, const Programs& programs = {}) {
    const auto page = pageNamed(name);
    EXPECT_TRUE(page) << name;
    return page ? pageText(*page, programs) : "";
}

testing::AssertionResult holds(const std::string& text, const std::string& part) {
    if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
    return testing::AssertionFailure() << part << " is not in the page";
}

TEST(Pages, TheConfigurationsHasEachKeyAndEachKind) {
    const std::string text = textOf("postern.toml");
    for (const config::Key& key : config::keys())
        EXPECT_TRUE(holds(text, ".It Ic " + argument(key.setting.key) + " No = ")) << key.section;
    std::size_t items = 0;
    for (auto at = text.find(".It Ic "); at != std::string::npos; at = text.find(".It Ic ", at + 1)) ++items;
    EXPECT_EQ(items, config::keys().size());
    for (const adapters::Kind* kind : adapters::kinds())
        EXPECT_TRUE(holds(text, ".Xr postern-" + std::string(kind->name) + " 5"));
}

TEST(Pages, EachKindHasAPageWithItsSettingsItsDocumentAndAnExample) {
    for (const adapters::Kind* kind : adapters::kinds()) {
        const std::string text = textOf(kind->name);
        for (const adapters::Setting& setting : kind->settings)
            EXPECT_TRUE(holds(text, ".It Ic " + argument(setting.key) + " No = ")) << kind->name;
        EXPECT_TRUE(holds(text, "A file in adapters.d:"))
            << kind->name << ": packaging/config/examples has none";
        const auto describes = text.find(".Sh DESCRIPTION\n"), settings = text.find(".Sh SETTINGS\n");
        ASSERT_NE(describes, std::string::npos);
        EXPECT_GT(settings, describes + 200)
            << kind->name << ": docs/adapters/" << kind->name << ".md says nothing";
    }
}

TEST(Pages, ASettingSaysHowItIsWrittenItsDefaultAndItsBounds) {
    const std::string text = textOf("postern.toml");
    EXPECT_TRUE(holds(text,
                      ".It Ic watchers No = Ar number\nThreads that export for this adapter.\n"
                      "Default: \\fB2\\fR.\nFrom 1 to 256.\n"));
    EXPECT_TRUE(
        holds(text, ".It Ic \\&use No = Cm \\(dqboth\\(dq No \\&| Cm \\(dqrecipients\\(dq No \\&| Cm "));
    EXPECT_TRUE(holds(text, "It must be given.\n"));
}

TEST(Pages, OfCommandsAndOptionsNoneIsMissing) {
    Programs programs;
    Command list{"list", "what waits", "Quick.", {}, {}};
    list.options = {{"--state", "STATE", "in this state", "Filters"},
                    {"--by", "KEY", "counted by", "Options"},
                    {"--yes", "", "shall be", "What was seen"},
                    {"--no", "", "shall not be", "What was seen"},
                    {"ITEM", "", "which", "Arguments", true, true, true}};
    programs.postern.commands = {{"queue", "look at it", "", {}, {list}},
                                 {"top", "again and again", "", {}, {}}};
    programs.postern.options = {{"--json", "", "as JSON", "Options"}};
    programs.exits = {{0, "done"}, {64, "wrong"}};
    const std::string text = textOf("postern", programs);
    EXPECT_TRUE(holds(text, ".Ss \"queue: look at it\"\n"));
    EXPECT_TRUE(holds(
        text, ".It Ic \"queue list\" Oo Ar option ... Oc Oo Ar filter ... Oc Ar ITEM ...\nWhat waits.\n"));
    EXPECT_TRUE(holds(text, ".It Fl Fl state Ar STATE\nIn this state.\n"));
    EXPECT_TRUE(holds(text, ".It Fl Fl \\&by Ar \\&KEY\nCounted by.\n"));
    EXPECT_TRUE(holds(text, "What was seen, exactly one of these:\n"));
    EXPECT_TRUE(holds(text, ".It Fl Fl \\&no\nShall not be.\n"));
    EXPECT_TRUE(holds(text, ".It Ic \\&top\nAgain and again.\n"));
    EXPECT_TRUE(holds(text, ".It Fl Fl json\nAs JSON.\n"));
    EXPECT_TRUE(holds(text, ".It 64\nWrong.\n"));
}

TEST(Pages, TheServicesHasItsOptionsAndStatuses) {
    const std::string text = textOf("posternd");
    for (const PosterndOption& option : kPosterndOptions)
        EXPECT_TRUE(holds(text, "Fl Fl " + argument(option.name)));
    for (const PosterndExit& exit : kPosterndExits)
        EXPECT_TRUE(holds(text, ".It " + std::to_string(exit.status) + "\n"));
}

// What a reader can not do on this system is not told, and what is not this system's is not named.
TEST(Pages, SpeakOfThisSystem) {
    for (const char* name : {"postern", "postern.toml", "posternd"}) {
        const std::string text = textOf(name);
        EXPECT_EQ(text.find("/etc/postern") == std::string::npos, tests::kOnWindows) << name;
        EXPECT_EQ(text.find("systemctl") == std::string::npos && text.find("SIGTERM") == std::string::npos,
                  tests::kOnWindows || std::string_view(name) != "posternd")
            << name;
        EXPECT_EQ(text.find("adapters.d") == std::string::npos, false) << name;
    }
    for (const adapters::Kind* kind : adapters::kinds()) {
        const std::string text = textOf(kind->name);
        EXPECT_EQ(text.find("Pa /etc") == std::string::npos && text.find("Pa /usr") == std::string::npos,
                  tests::kOnWindows)
            << kind->name;
        EXPECT_EQ(text.find("On Windows a path") != std::string::npos, tests::kOnWindows) << kind->name;
    }
}

// A part of the prose that no page asks for would be read by nobody.
TEST(Pages, EachHasWhatReadersLookFor) {
    for (const Page& page : pages()) {
        const std::string text = pageText(page, {});
        for (const char* section : {".Sh NAME\n", ".Sh SYNOPSIS\n", ".Sh DESCRIPTION\n", ".Sh SEE ALSO\n"})
            EXPECT_TRUE(holds(text, section)) << page.name;
        EXPECT_TRUE(page.name == "postern-mailq" || holds(text, ".Sh EXAMPLES\n")) << page.name;
        EXPECT_TRUE(page.section == 5 || holds(text, ".Sh EXIT STATUS\n")) << page.name;
    }
    EXPECT_FALSE(pageNamed("postern-nothing"));
    EXPECT_EQ(pageNamed("ccmail")->name, "postern-ccmail");
    EXPECT_EQ(pageNamed("postern-ccmail.5")->name, "postern-ccmail");
    EXPECT_EQ(pageNamed("postern")->section, 1);
}

}  // namespace
}  // namespace postern::manual
