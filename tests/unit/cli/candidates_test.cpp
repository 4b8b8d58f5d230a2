#include "connector/cli/candidates.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "connector/cli/grammar.h"
#include "tests/fake_clock.h"
#include "tests/kit/drive.h"
#include "tests/temp_folder.h"

namespace postern::cli {
namespace {

struct Shell {
    std::istringstream in;
    std::ostringstream out, err;
    tests::FakeClock clock;
    Console console{in, out, err, clock};
    Run run{console, "/nowhere/postern.toml"};
    const manual::Command program = Grammar(run).facts();

    Candidates complete(const std::vector<std::string>& words) const {
        return candidatesFor(program, run.configPath, words);
    }
    std::vector<std::string> words(const std::vector<std::string>& typed) const {
        std::vector<std::string> all;
        for (const Candidate& each : complete(typed).words) all.push_back(each.word);
        return all;
    }
};

using Words = std::vector<std::string>;

void collect(const manual::Command& command, const std::string& path, std::set<std::string>& missing,
             std::set<std::string>& names) {
    for (const manual::Option& option : command.options) {
        names.insert(path + "|" + option.name);
        if ((option.argument || !option.value.empty()) && slotOf(path, option.name) == nullptr)
            missing.insert(path + " " + option.name);
    }
    for (const manual::Command& each : command.commands)
        collect(each, path + (path.empty() ? "" : " ") + each.name, missing, names);
}

TEST(Candidates, EveryValueAndArgumentOfTheGrammarIsInTheTableAndNoOther) {
    std::set<std::string> missing, names;
    collect(Shell().program, "", missing, names);
    EXPECT_EQ(missing, std::set<std::string>());
    for (const Slot& slot : slots()) {
        const bool known = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
            const auto bar = name.find('|');
            return name.substr(bar + 1) == slot.name &&
                   (slot.command.empty() || name.substr(0, bar) == slot.command);
        });
        EXPECT_TRUE(known) << slot.command << " " << slot.name << ": the grammar has no such thing";
    }
}

TEST(Candidates, CommandsAndOptionsComeFromTheGrammar) {
    const Shell shell;
    EXPECT_EQ(shell.words({"qu"}), Words{"queue"});
    EXPECT_EQ(shell.words({"queue", "re"}), (Words{"release", "retry", "resolve", "requeue", "replay"}));
    EXPECT_EQ(shell.words({"queue", "list", "--me"}), (Words{"--message-id", "--message"}));
    EXPECT_EQ(shell.words({"queue", "list", "--js"}), Words{"--json"});
    EXPECT_EQ(shell.words({"--js"}), Words{"--json"});
    EXPECT_EQ(shell.words({"comple"}), Words{"completion"}) << "what only programs type is not offered";
    EXPECT_EQ(shell.words({"queue", "list", "--all", "--al"}), Words()) << "once is enough";
    EXPECT_EQ(shell.words({"account", "add", "--role", "viewer", "--ro"}), Words{"--role"});
    EXPECT_EQ(shell.words({"queue", "show", "--", "--"}), Words());
    EXPECT_EQ(shell.words({"nothing", "x"}), Words());
    EXPECT_EQ(shell.words({"--config", "x.toml", "queue", "rel"}), Words{"release"});
    EXPECT_TRUE(shell.complete({}).words.empty());
}

TEST(Candidates, ValuesStandBehindTheirOptionEitherWay) {
    const Shell shell;
    EXPECT_EQ(shell.words({"queue", "list", "--state", "in"}), Words{"in_doubt"});
    EXPECT_EQ(shell.words({"queue", "list", "--state=in"}), Words{"--state=in_doubt"});
    EXPECT_EQ(shell.words({"queue", "list", "--state", "held,in"}), Words{"held,in_doubt"});
    EXPECT_EQ(shell.words({"queue", "summary", "--by", ""}), (Words{"adapter", "sender", "domain", "error"}));
    EXPECT_EQ(shell.words({"submit", "--notify", "success,f"}), Words{"success,failure"});
    EXPECT_EQ(shell.words({"watch", "--event", "item.in"}), Words{"item.in_doubt"});
    EXPECT_EQ(shell.words({"completion", ""}), (Words{"bash", "zsh", "fish"}));
    EXPECT_EQ(shell.words({"completion", "bash", ""}), Words()) << "it takes one";
    EXPECT_EQ(shell.words({"adapter", "add", "x", "cc"}), Words{"ccmail"});
    EXPECT_EQ(shell.words({"man", "postern-cc"}), Words{"postern-ccmail"});
    EXPECT_EQ(shell.words({"queue", "list", "--from", ""}), Words());
}

TEST(Candidates, FilesAndFoldersAreLeftToTheShell) {
    const Shell shell;
    EXPECT_EQ(shell.complete({"convert", ""}).also, Candidates::Also::Files);
    EXPECT_EQ(shell.complete({"queue", "export", "--folder", "/t"}).also, Candidates::Also::Folders);
    const Candidates behind = shell.complete({"queue", "export", "3", "--output=/t"});
    EXPECT_EQ(behind.also, Candidates::Also::Files);
    EXPECT_EQ(behind.before, "--output=");
    EXPECT_EQ(shell.complete({"queue", "list", ""}).also, Candidates::Also::Nothing);
}

TEST(Candidates, SettingsAreThoseOfTheKind) {
    const Shell shell;
    const Candidates keys = shell.complete({"adapter", "add", "x", "ccmail", "quote"});
    ASSERT_EQ(keys.words.size(), 1U);
    EXPECT_EQ(keys.words[0].word, "quote_sender=");
    EXPECT_TRUE(keys.open);
    EXPECT_EQ(shell.words({"adapter", "add", "x", "ccmail", "file_form="}),
              (Words{"file_form=raw", "file_form=macbin2"}));
    EXPECT_EQ(shell.words({"adapter", "add", "x", "ccmail", "quote_sender=t"}), Words{"quote_sender=true"});
    EXPECT_EQ(shell.words({"adapter", "add", "x", "maildir", "quote"}), Words());
    EXPECT_EQ(shell.words({"adapter", "add", "x", "maildir", "on_doubt=h"}), Words{"on_doubt=hold"});
    const Candidates path = shell.complete({"adapter", "add", "x", "maildir", "folder=/s"});
    EXPECT_EQ(path.also, Candidates::Also::Files);
    EXPECT_EQ(path.before, "folder=");
}

class Configured : public testing::Test {
  protected:
    void write(const std::string& name, const std::string& text) const {
        std::ofstream(folder / name, std::ios::binary) << tests::onDrive(text);
    }
    Words words(std::vector<std::string> typed) const {
        typed.insert(typed.begin(), {"--config", folder / "postern.toml"});
        return shell.words(typed);
    }
    tests::TempFolder folder;
    Shell shell;
    const std::string whole =
        "store = \"/nowhere\"\n"
        "[[listener]]\nprotocol = \"smtp\"\naddress = \"127.0.0.1:2525\"\n"
        "[[table]]\nname = \"people\"\nfile = \"/nowhere.csv\"\nadapter = \"box\"\n"
        "[adapter.box]\nkind = \"mh\"\nfolder = \"/nowhere/x\"\n"
        "[[route]]\nrecipient = \"*\"\nadapter = \"box\"\n";
};

TEST_F(Configured, NamesComeFromTheConfiguration) {
    write("postern.toml", whole);
    EXPECT_EQ(words({"adapter", "test", ""}), Words{"box"});
    EXPECT_EQ(words({"queue", "move", ""}), Words{"box"});
    EXPECT_EQ(words({"queue", "list", "--adapter", "b"}), Words{"box"});
    EXPECT_EQ(words({"address", "export", "--table", ""}), Words{"people"});
    EXPECT_EQ(words({"route", "test", "--source", ""}), (Words{"smtp", "submit"}));
    EXPECT_EQ(words({"adapter", "unset", "box", "sequ"}), Words{"sequence"});
    EXPECT_EQ(words({"adapter", "set", "box", "seq"}), Words{"sequence="});
    EXPECT_EQ(shell.words({"adapter", "test", "--config=" + (folder / "postern.toml"), ""}), Words{"box"});
}

TEST_F(Configured, AMistakeInItHidesNoAdapter) {
    write("postern.toml", whole + "nonsense = 1\n");
    std::filesystem::create_directory(folder / "adapters.d");
    write("adapters.d/other.toml", "kind = \"nothing\"\n");
    write("adapters.d/readme.txt", "");
    EXPECT_EQ(words({"adapter", "test", ""}), (Words{"box", "other"}));
    EXPECT_EQ(words({"adapter", "set", "box", "seq"}), Words{"sequence="});
}

TEST_F(Configured, WithoutOneNothingIsOfferedAndNothingSaid) {
    EXPECT_EQ(words({"adapter", "test", ""}), Words());
    EXPECT_EQ(shell.out.str() + shell.err.str(), "");
}

}  // namespace
}  // namespace postern::cli
