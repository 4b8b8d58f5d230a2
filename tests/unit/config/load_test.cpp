#include "connector/config/load.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "adapters/registry.h"
#include "base/file.h"
#include "connector/config/address.h"
#include "connector/config/check.h"
#include "connector/config/fields.h"
#include "connector/config/keys.h"
#include "connector/config/section.h"
#include "net/system_sockets.h"
#include "tests/kit/drive.h"
#include "tests/temp_folder.h"

namespace postern::config {
namespace {

void write(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << tests::onDrive(text);
}

std::string problemsOf(const Loaded& loaded) {
    std::string all;
    for (const Problem& problem : loaded.problems)
        all += placeText(problem.place) + ": " + problem.text + "\n";
    return all;
}

const char* const kSmall = R"(
store = "/var/lib/postern"
[[listener]]
protocol = "smtp"
address = "127.0.0.1:2525"
[adapter.drop1]
kind = "drop"
folder = "/srv/drop1"
[[route]]
recipient = "*@postoffice.example"
adapter = "drop1"
)";

TEST(Load, FillsInTheDefaults) {
    tests::TempFolder folder;
    write(folder / "postern.toml", kSmall);
    const Loaded loaded = load(folder / "postern.toml");
    ASSERT_TRUE(loaded.config) << problemsOf(loaded);
    EXPECT_TRUE(loaded.warnings.empty());
    const Config& config = *loaded.config;
    EXPECT_EQ(config.hostname, hostName());
    EXPECT_EQ(config.controlSocket, tests::onDrive("/var/lib/postern/control.sock"));
    const Config fresh;  // the table's fallbacks are the members' defaults
    EXPECT_EQ(config.lease, fresh.lease);
    EXPECT_EQ(config.pollInterval, fresh.pollInterval);
    EXPECT_EQ(config.retention, fresh.retention);
    EXPECT_EQ(config.stopLimit, fresh.stopLimit);
    EXPECT_EQ(config.reserve, fresh.reserve);
    EXPECT_EQ(config.warnBelow, fresh.warnBelow);
    EXPECT_EQ(config.ballast, fresh.ballast);
    EXPECT_EQ(config.inlineBody, fresh.inlineBody);
    EXPECT_EQ(config.holdAfterDeaths, fresh.holdAfterDeaths);
    EXPECT_EQ(config.hops, fresh.hops);
    EXPECT_EQ(config.submitMessageSize, fresh.submitMessageSize);
    EXPECT_EQ(config.logLevel, fresh.logLevel);
    ASSERT_EQ(config.listeners.size(), 1u);
    const Listener& listener = config.listeners[0];
    EXPECT_EQ(listener.name, "smtp");
    EXPECT_EQ(listener.host, "127.0.0.1");
    EXPECT_EQ(listener.port, 2525);
    const Limits limits;
    EXPECT_EQ(listener.limits.messageSize, limits.messageSize);
    EXPECT_EQ(listener.limits.recipients, limits.recipients);
    EXPECT_EQ(listener.limits.commandLine, limits.commandLine);
    EXPECT_EQ(listener.limits.textLine, limits.textLine);
    EXPECT_EQ(listener.limits.sessions, limits.sessions);
    EXPECT_EQ(listener.limits.sessionsPerAddress, limits.sessionsPerAddress);
    EXPECT_EQ(listener.limits.errors, limits.errors);
    EXPECT_EQ(listener.limits.idle, limits.idle);
    EXPECT_EQ(listener.limits.total, limits.total);
    const Adapter* adapter = adapterNamed(config, "drop1");
    ASSERT_NE(adapter, nullptr);
    const Adapter plain;
    EXPECT_EQ(adapter->watchers, plain.watchers);
    EXPECT_EQ(adapter->batch, plain.batch);
    EXPECT_EQ(adapter->onDoubt, plain.onDoubt);
    EXPECT_EQ(adapter->retry.first, plain.retry.first);
    EXPECT_EQ(adapter->retry.longest, plain.retry.longest);
    EXPECT_EQ(adapter->retry.maximumAge, plain.retry.maximumAge);
    EXPECT_EQ(adapter->settings.text("folder"), tests::onDrive("/srv/drop1"));
    EXPECT_EQ(adapter->settings.text("extension"), "eml");
    ASSERT_EQ(config.routes.size(), 1u);
    EXPECT_EQ(config.routes[0].pattern, "*@postoffice.example");
    EXPECT_EQ(config.routes[0].legacy, "{address}");
}

TEST(Load, TakesOneAdapterFromEachFileBesideIt) {
    tests::TempFolder folder;
    write(folder / "postern.toml", "store = \"/s\"\n[[route]]\nrecipient = \"*\"\nadapter = \"two\"\n");
    makeFolders(folder / "adapters.d").ok();
    write(folder / "adapters.d/two.toml", "kind = \"drop\"\nfolder = \"/srv/two\"\nwatchers = 7\n");
    write(folder / "adapters.d/one.toml", "kind = \"maildir\"\nfolder = \"/srv/one\"\n");
    write(folder / "adapters.d/one.toml.bak", "nonsense");
    const Loaded loaded = load(folder / "postern.toml");
    ASSERT_TRUE(loaded.config) << problemsOf(loaded);
    ASSERT_EQ(loaded.config->adapters.size(), 2u);
    EXPECT_EQ(loaded.config->adapters[0].name, "one");
    EXPECT_EQ(loaded.config->adapters[1].name, "two");
    EXPECT_EQ(loaded.config->adapters[1].watchers, 7);
}

TEST(Load, TwoCommandsMayRunInOneFolder) {
    tests::TempFolder folder;
    std::string text = kSmall;
    for (const char* name : {"one", "two"})
        text += "[adapter." + std::string(name) + "]\nkind = \"pipe\"\nfolder = \"/srv/" + name +
                "\"\ncommand = [\"/bin/true\"]\n[[route]]\nrecipient = \"*@" + name +
                ".example\"\nadapter = \"" + name + "\"\n";
    write(folder / "postern.toml", text);
    const Loaded loaded = load(folder / "postern.toml");
    ASSERT_TRUE(loaded.config) << problemsOf(loaded);
}

// Devices, and names whose end Windows would take away.
TEST(Load, PathsThatWindowsCanNotHaveAreRefusedThere) {
    for (const char* path : {"/srv/con", "/srv/nul.txt", "/srv/a./b", "/srv/a:b"}) {
        tests::TempFolder folder;
        std::string text = kSmall;
        text.replace(text.find("/srv/drop1"), 10, path);
        write(folder / "postern.toml", text);
        const Loaded loaded = load(folder / "postern.toml");
        EXPECT_EQ(loaded.config.has_value(), !tests::kOnWindows) << path << problemsOf(loaded);
        if (tests::kOnWindows) {
            EXPECT_NE(problemsOf(loaded).find("\"folder\": "), std::string::npos) << problemsOf(loaded);
        }
    }
}

TEST(Load, ATableAloneTakesMail) {
    tests::TempFolder folder;
    std::string text = kSmall;
    text.replace(text.find("[[route]]"), std::string::npos,
                 "[[table]]\nname = \"people\"\nfile = \"/etc/people.csv\"\nadapter = \"drop1\"\n");
    write(folder / "postern.toml", text);
    const Loaded loaded = load(folder / "postern.toml");
    ASSERT_TRUE(loaded.config) << problemsOf(loaded);
    EXPECT_TRUE(loaded.warnings.empty()) << loaded.warnings[0].text;
}

TEST(Load, AChatAdapterWithoutTheChatIsSaid) {
    for (const bool on : {false, true}) {
        tests::TempFolder folder;
        std::string text = kSmall;
        text.replace(text.find("kind = \"drop\""), 13, "kind = \"chat\"");
        if (on) text += "[chat]\naddress = \"127.0.0.1:6667\"\n";
        write(folder / "postern.toml", text);
        const Loaded loaded = load(folder / "postern.toml");
        ASSERT_TRUE(loaded.config) << problemsOf(loaded);
        ASSERT_EQ(loaded.warnings.size(), on ? 0u : 1u);
        if (!on) {
            EXPECT_TRUE(loaded.warnings[0].text.starts_with("adapter \"drop1\": [chat] is off"))
                << loaded.warnings[0].text;
        }
    }
}

TEST(Load, NoMailIsToldInTheChannelOfTheQueue) {
    for (const bool same : {false, true}) {
        tests::TempFolder folder;
        std::string text = kSmall;
        text.replace(text.find("kind = \"drop\""), 13,
                     std::string("kind = \"chat\"\nchannels = [\"#") + (same ? "Desk" : "mail") + "\"]");
        write(folder / "postern.toml", text + "[chat]\naddress = \"127.0.0.1:6667\"\nchannel = \"#desk\"\n");
        const Loaded loaded = load(folder / "postern.toml");
        EXPECT_EQ(problemsOf(loaded).find("the channel #Desk is the queue's") != std::string::npos, same)
            << problemsOf(loaded);
        EXPECT_NE(loaded.config.has_value(), same);
    }
}

TEST(Load, ARouteIntoAChannelThatItsAdapterHasNotSaysWhatToWrite) {
    const auto problems = [](const std::string& channels, const std::string& legacy) {
        tests::TempFolder folder;
        std::string text = kSmall;
        text.replace(text.find("kind = \"drop\""), 13, "kind = \"chat\"\nchannels = [" + channels + "]");
        write(folder / "postern.toml", text +
                                           "[[route]]\nrecipient = \"alarm@x.example\"\nadapter = "
                                           "\"drop1\"\nlegacy = \"" +
                                           legacy + "\"\n[chat]\naddress = \"127.0.0.1:6667\"\n");
        return problemsOf(load(folder / "postern.toml"));
    };
    const std::string said = problems("\"#fax\"", "#alarm");
    EXPECT_NE(said.find("\"legacy\" leads to #alarm, which adapter \"drop1\" has not: write channels = "
                        "[\"#fax\", \"#alarm\"] there"),
              std::string::npos)
        << said;
    EXPECT_NE(problems("", "#alarm").find("write channels = [\"#alarm\"] there"), std::string::npos);
    EXPECT_EQ(problems("\"#Alarm\"", "#alarm"), "");
    for (const char* other : {"anna", "{local}", "#{local}"}) EXPECT_EQ(problems("", other), "") << other;
}

// As the README beside them says.
TEST(Load, EveryExampleIsAnAdapterFile) {
    int examples = 0;
    for (const auto& entry : std::filesystem::directory_iterator(POSTERN_EXAMPLES_FOLDER)) {
        const std::string file = entry.path().filename().string(), name = entry.path().stem().string();
        if (entry.path().extension() != ".toml") continue;
        // Over a Unix socket; and UUCP's spool can not be on Windows.
        if (tests::kOnWindows && (name == "dovecot" || name == "uucp")) continue;
        ++examples;
        tests::TempFolder folder;
        const std::string route = "[[route]]\nrecipient = \"*@example.com\"\nadapter = \"" + name + "\"\n";
        // A webhook takes no mail.
        write(folder / "postern.toml", "store = \"/s\"\n" + (name == "webhook" ? "" : route));
        makeFolders(folder / "adapters.d").ok();
        write(folder / ("adapters.d/" + file), readFile(entry.path().string(), 1 << 20).value());
        const Loaded loaded = load(folder / "postern.toml");
        ASSERT_TRUE(loaded.config) << file << ": " << problemsOf(loaded);
        ASSERT_EQ(loaded.config->adapters.size(), 1u);
        const Adapter& adapter = loaded.config->adapters[0];
        const adapters::Kind* kind = adapters::kindNamed(adapter.kind);
        ASSERT_NE(kind, nullptr) << file;
        const auto made = kind->make({name, "gw.example.org", "0123456789abcdef", {}}, adapter.settings);
        EXPECT_TRUE(made.ok()) << file << ": " << (made.ok() ? "" : made.error().text);
    }
    EXPECT_GT(examples, 5);
}

// KB Q196253: defaults were not visible.
TEST(Load, Q196253_WhatShowPrintsIsReadBackTheSame) {
    tests::TempFolder folder;
    write(
        folder / "postern.toml",
        std::string("hostname = \"gw.example.org\"\nretention = \"0ms\"\nlease = \"1m30s\"\nreserve = 1000\n"
                    "warn_below = \"12%\"\nballast = \"0 B\"\n"
                    "inline_body = \"0 B\"\nlog_level = \"debug\"\n") +
            kSmall +
            "legacy = \"{{\\\"{local}\\\" \\\\ at PO1\"\n"
            "[[listener]]\nprotocol = \"lmtp\"\naddress = \"" +
            (tests::kOnWindows ? "127.0.0.1:2424" : "unix:/run/l.sock") +
            "\"\nidle = \"1500ms\"\nname = "
            "\"mta\"\n"
            "[[listener]]\nprotocol = \"lmtp\"\naddress = \"[::1]:24\"\n"
            "[adapter.box]\nkind = \"maildir\"\nfolder = \"/srv/b\\u00fc\"\non_doubt = \"resend\"\n"
            "[[route]]\nrecipient = \"*\"\nadapter = \"box\"\n");
    const Loaded first = load(folder / "postern.toml");
    ASSERT_TRUE(first.config) << problemsOf(first);
    const std::string shown = show(*first.config);
    write(folder / "second.toml", shown);
    const Loaded second = load(folder / "second.toml");
    ASSERT_TRUE(second.config) << problemsOf(second) << shown;
    EXPECT_EQ(show(*second.config), shown);
    EXPECT_EQ(second.config->lease, Millis{90'000});
    EXPECT_EQ(second.config->retention, Millis{0});
    EXPECT_EQ(second.config->reserve, (Amount{1000, 0}));
    EXPECT_EQ(second.config->warnBelow, (Amount{0, 12}));
    EXPECT_EQ(second.config->ballast, 0);
    EXPECT_EQ(second.config->logLevel, Severity::Debug);
    EXPECT_EQ(second.config->listeners[1].socketPath, tests::kOnWindows ? "" : "/run/l.sock");
    EXPECT_EQ(second.config->listeners[1].limits.idle, Millis{1500});
    EXPECT_EQ(second.config->listeners[2].name, "lmtp-2");
    EXPECT_EQ(second.config->listeners[2].host, "::1");
    EXPECT_EQ(second.config->routes[0].legacy, "{{\"{local}\" \\ at PO1");
    EXPECT_EQ(second.config->adapters[0].onDoubt, OnDoubt::Resend);
    EXPECT_EQ(second.config->adapters[0].settings, first.config->adapters[0].settings);
}

TEST(Keys, EveryKeyOfTheTableHasItsMemberAndEveryMemberItsKey) {
    std::vector<std::string> bound, table;
    const auto collect = [&](const std::string& section) {
        return [&bound, section](const char* key, const auto&) { bound.push_back(section + "." + key); };
    };
    Config config;
    Listener listener;
    Adapter adapter;
    Route route;
    visitTop(config, collect(""));
    visitListener(listener, collect("listener"));
    bound.push_back("listener.address");
    visitAdapter(adapter, collect("adapter"));
    visitRoute(route, collect("route"));
    visitPickup(config.pickups.emplace_back(), collect("pickup"));
    visitTable(config.tables.emplace_back(), collect("table"));
    visitRule(config.rules.emplace_back(), collect("rule"));
    visitReports(config.reports, collect("reports"));
    visitHttp(config.http, collect("http"));
    visitChat(config.chat, collect("chat"));
    for (const Key& key : keys()) table.push_back(std::string(key.section) + "." + key.setting.key);
    std::sort(bound.begin(), bound.end());
    std::sort(table.begin(), table.end());
    EXPECT_EQ(bound, table);
}

TEST(Keys, NoKindTakesTheNameOfACommonKey) {
    for (const adapters::Kind* kind : adapters::kinds())
        for (const adapters::Setting& setting : kind->settings)
            for (const adapters::Setting* common : keysOf("adapter"))
                EXPECT_STRNE(setting.key, common->key) << kind->name;
}

TEST(Keys, TheNearestOneIsSuggestedAndNoFarOne) {
    const std::vector<std::string_view> known = {"recipient", "recipients", "adapter", "idle"};
    EXPECT_EQ(nearest("recipeint", known), "recipient");
    EXPECT_EQ(nearest("Adaptor", known), "adapter");
    EXPECT_EQ(nearest("idel", known), "idle");
    EXPECT_EQ(nearest("colour", known), "");
    EXPECT_EQ(nearest("idea", known), "") << "two of four letters is another word";
    EXPECT_EQ(nearest("x", known), "");
    EXPECT_EQ(nearest(std::string(100'000, 'a'), known), "");
}

TEST(Check, PatternsOfRoutes) {
    for (const char* good :
         {"*", "anna@example.org", "*@example.org", "*@*.example.org", "\"a b\"@x", "*@[192.0.2.1]"})
        EXPECT_EQ(patternProblem(good), "") << good;
    for (const char* bad :
         {"", "@", "a@", "@b", "anna", "a*@b", "*@*", "*@a*b", "a@*.b", "*@.b", "a b@c", "a@b."})
        EXPECT_NE(patternProblem(bad), "") << bad;
}

TEST(Check, TemplatesOfLegacyNames) {
    for (const char* good : {"", "{local} at PO1", "{{x", "{address}{domain}", "a}b", "{{{local}"})
        EXPECT_EQ(templateProblem(good), "") << good;
    for (const char* bad : {"{", "{x}", "{local", "{ local}", "{local}{"})
        EXPECT_NE(templateProblem(bad), "") << bad;
}

TEST(Section, SizesAndDurationsAreWrittenExactly) {
    EXPECT_EQ(exactSize(0), "0 B");
    EXPECT_EQ(exactSize(1536), "1536 B");
    EXPECT_EQ(exactSize(3LL << 30), "3 GiB");
    EXPECT_EQ(exactDuration(0), "0ms");
    EXPECT_EQ(exactDuration(90'000), "90s");
    EXPECT_EQ(exactDuration(604'800'000), "7d");
}

TEST(Address, AUnixSocketIsRefusedByItsReasonWhereThereAreNone) {
    if (net::hasLocalSockets()) GTEST_SKIP() << "there are some here";
    Listener listener;
    listener.protocol = Protocol::Lmtp;
    const auto read = readAddress("unix:/run/lmtp.sock", listener);
    ASSERT_FALSE(read.ok());
    EXPECT_NE(read.error().text.find("there are no Unix sockets on this system"), std::string::npos)
        << read.error().text;
}

}  // namespace
}  // namespace postern::config
