#pragma once
// The adapters that the conformance suite runs: every kind of the registry, in each layout that delivers
// differently. A kind that is missing here fails the suite.

#include <cstdio>
#include <cstdlib>
#include <sstream>

#include <gtest/gtest.h>

#include "adapters/extension/loader.h"
#include "tests/adapter_rig.h"
#include "tests/ftn_reader.h"
#include "tests/kit/platform.h"
#include "tests/kit/programs.h"

namespace postern::tests {

// Where an artifact's name comes from.
enum class Naming {
    Key,      // the delivery's key
    Running,  // the next number in its folder
    Shared,   // it has none: it stands among others in one file
};

struct AdapterCase {
    const char* label;
    const char* kind;
    SettingMap settings;
    const char* live;  // where bob's mail appears, relative to the folder
    Naming naming = Naming::Key;
    bool small = false;          // holds texts of a few megabytes, and no files
    bool namesAttempts = false;  // each attempt of an item has another name
    bool tellsLittle = false;    // a few lines of a text, however long it is
};

// A kind from outside this tree instead of ours, from the environment:
//   POSTERN_CONFORMANCE_FOLDER    the folder of its library
//   POSTERN_CONFORMANCE_KIND      its name
//   POSTERN_CONFORMANCE_SETTINGS  "key=value;key=value": those that must be given, without the folder
inline const char* strangerKind() {
    return std::getenv("POSTERN_CONFORMANCE_KIND");
}

inline std::vector<AdapterCase> strangersCases() {
    const auto given = [](const char* name) {
        const char* value = std::getenv(name);
        return std::string(value == nullptr ? "" : value);
    };
    for (const adapters::Refused& refused :
         adapters::loadExtensions(builtLibraries(given("POSTERN_CONFORMANCE_FOLDER")), {}))
        std::fprintf(stderr, "%s %s\n", refused.path.c_str(), refused.reason.c_str());
    if (adapters::kindNamed(strangerKind()) == nullptr) {
        std::fprintf(stderr, "no library in POSTERN_CONFORMANCE_FOLDER brings the kind %s\n", strangerKind());
        std::exit(78);
    }
    SettingMap settings;
    std::istringstream pairs(given("POSTERN_CONFORMANCE_SETTINGS"));
    for (std::string pair; std::getline(pairs, pair, ';');)
        settings[pair.substr(0, pair.find('='))] = pair.substr(std::min(pair.size(), pair.find('=') + 1));
    return {{strangerKind(), strangerKind(), settings, ""}};
}

inline const std::vector<AdapterCase>& adapterCases() {
    static const std::vector<AdapterCase> all =
        strangerKind() != nullptr
            ? strangersCases()
            : std::vector<AdapterCase>{
                  {"b2f", "b2f", {{"call", "N0AAA"}, {"total_limit", "0"}}, ""},
                  {"bsmtp", "bsmtp", {}, ""},
                  {"bsmtp_lf", "bsmtp", {{"line_ends", "lf"}, {"greeting", "ehlo"}}, ""},
                  {"ccmail", "ccmail", {{"post_office", "PO1"}}, ""},
                  {"ccmail_with_program",
                   "ccmail",
                   {{"post_office", "PO1"}, {"import_program", builtProgram(POSTERN_TEST_CHILD)}},
                   "Submit",
                   Naming::Key,
                   false,
                   true},
                  {"chat_channel",
                   "chat",
                   {{"channels", "#mail"}, {"keep", "1000"}},
                   "%23mail",
                   Naming::Running,
                   false,
                   false,
                   true},
                  {"chat_person", "chat", {{"keep", "1000"}}, "bob", Naming::Running, false, false, true},
                  {"drop", "drop", {}, ""},
                  {"drop_without_synchronous_renames", "drop", {{"synchronous_renames", "false"}}, ""},
                  {"fbb", "fbb", {{"call", "N0GW"}, {"total_limit", "8M"}}, "", Naming::Shared, true},
                  {"ftn", "ftn", {{"address", "2:999/1"}, {"link", "2:999/2"}}, ""},
                  {"ftn_bundle", "ftn", {{"address", "2:999/1"}, {"link", "2:999/2"}, {"bundle", "64"}}, ""},
                  {"ftn_bso",
                   "ftn",
                   {{"address", "2:999/1"}, {"link", "2:999/2"}, {"mode", "bso"}},
                   "postern-packets"},
                  {"gwapi", "gwapi", {}, "API_IN"},
                  {"maildir", "maildir", {}, "new"},
                  {"maildir_per_recipient", "maildir", {{"layout", "per-recipient"}}, "bob/new"},
                  {"mbox", "mbox", {}, "", Naming::Shared},
                  {"mbox_per_recipient", "mbox", {{"layout", "per-recipient"}}, "", Naming::Shared},
                  {"mbox_fcntl_only", "mbox", {{"locks", "fcntl"}}, "", Naming::Shared},
                  {"mh", "mh", {}, "", Naming::Running},
                  {"mh_with_unseen", "mh", {{"sequence", "unseen"}}, "", Naming::Running},
                  {"mh_per_recipient", "mh", {{"layout", "per-recipient"}}, "bob", Naming::Running},
                  {"mhs", "mhs", {}, "SND"},
                  {"mhs_gateway", "mhs", {{"folders", "gateway"}, {"format", "smf-71"}}, "IN"},
                  {"mhs_without_synchronous_renames", "mhs", {{"synchronous_renames", "false"}}, "SND"},
                  {"mmff", "mmff", {}, ""},
                  {"pickup_replay", "pickup", {}, ""},
                  {"pickup", "pickup", {{"mode", "pickup"}}, "", Naming::Key},
                  {"pickup_iis", "pickup", {{"mode", "iis"}}, "", Naming::Key},
              };
    return all;
}

// Those of one naming.
inline std::vector<AdapterCase> casesNamed(Naming naming) {
    std::vector<AdapterCase> found;
    for (const AdapterCase& which : adapterCases())
        if (which.naming == naming) found.push_back(which);
    return found;
}

// Those whose artifacts grow with their mail.
inline std::vector<AdapterCase> casesThatFillADisk() {
    std::vector<AdapterCase> found = adapterCases();
    std::erase_if(found, [](const AdapterCase& which) { return which.tellsLittle; });
    return found;
}

// Bob's mail has a folder of its own: his, or that of the channel that he is.
inline bool hasFolderOfRecipient(const AdapterCase& which) {
    const std::string live = which.live;
    return live.starts_with("bob") || live.starts_with("%23");
}

// Those that keep bob's mail in a folder of his own.
inline std::vector<AdapterCase> casesWithFoldersOfRecipients() {
    std::vector<AdapterCase> found;
    for (const AdapterCase& which : adapterCases())
        if (hasFolderOfRecipient(which)) found.push_back(which);
    return found;
}

// The kinds whose consumer is a host and no folder; wire_conformance_test.cpp runs them.
struct WireCase {
    const char* label;
    const char* kind;
    SettingMap settings;
};

inline const std::vector<WireCase>& wireCases() {
    static const std::vector<WireCase> all =
        strangerKind() != nullptr ? std::vector<WireCase>{}
                                  : std::vector<WireCase>{
                                        {"smtp", "smtp", {}},
                                        {"smtp_one_connection_each", "smtp", {{"keep_connection", "0s"}}},
                                        {"smtp_old_host", "smtp", {{"ignore", "PIPELINING\nSIZE\n8BITMIME"}}},
                                        {"lmtp", "lmtp", {}},
                                    };
    return all;
}

// The kinds that run a program; command_conformance_test.cpp runs them.
struct CommandCase {
    const char* label;
    const char* kind;
    SettingMap settings;
};

inline const std::vector<CommandCase>& commandCases() {
    static const std::vector<CommandCase> all =
        strangerKind() != nullptr ? std::vector<CommandCase>{}
                                  : std::vector<CommandCase>{
                                        {"nncp", "nncp", {}},
                                        {"pipe", "pipe", {}},
                                        {"pipe_bsmtp", "pipe", {{"envelope", "bsmtp"}, {"dialect", "qmail"}}},
                                        {"uucp", "uucp", {}},
                                    };
    return all;
}

// uucp's spool has folders whose names ("D.", "C.") Windows does not keep.
inline std::vector<CommandCase> commandCasesHere() {
    std::vector<CommandCase> found = commandCases();
    std::erase_if(found,
                  [](const CommandCase& each) { return kOnWindows && each.kind == std::string("uucp"); });
    return found;
}

inline void PrintTo(const CommandCase& which, std::ostream* out) {
    *out << which.label;
}

// The mails of a packet; those that were split count once.
inline std::size_t mailsOfPacket(const std::string& bytes) {
    const auto packet = readFtnPacket(bytes);
    if (!packet.ok()) return 1;
    return static_cast<std::size_t>(
        std::count_if(packet->messages.begin(), packet->messages.end(),
                      [](const FtnMessage& each) { return !each.isLaterPart(); }));
}

inline std::string caseName(const testing::TestParamInfo<AdapterCase>& info) {
    return info.param.label;
}

inline void PrintTo(const AdapterCase& which, std::ostream* out) {
    *out << which.label;
}

class AdapterSuite : public testing::TestWithParam<AdapterCase> {
  protected:
    AdapterSuite() : rig_(GetParam().kind, GetParam().settings) {
        if (GetParam().settings.contains("bundle")) rig_.setCount(&mailsOfPacket);
    }
    void SetUp() override { ASSERT_TRUE(rig_.probed().ok()) << rig_.probed().error().text; }

    // The only artifact's content; fails the test when there is not exactly one.
    std::string onlyArtifact() {
        const auto files = rig_.visible();
        EXPECT_EQ(files.size(), 1u) << testing::PrintToString(files);
        return files.empty() ? std::string() : rig_.content(files.front());
    }
    std::string livePath() const {
        const std::string live = GetParam().live;
        return live.empty() ? rig_.folder() : rig_.folder() + "/" + live;
    }

    AdapterRig rig_;
};

}  // namespace postern::tests
