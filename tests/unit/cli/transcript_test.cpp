// Command lines as text files: transcripts/NAME.txt, each run with the service down and up. A new behaviour
// is a new file.
//
//   # a remark                      (also blank lines)
//   @ advance 5m                    a step of the test: advance TIME, claim ID, export ID TARGET, fail ID
//   TEXT,
//                                   doubt ID TEXT, reload-problem TEXT, up, down,
//                                   pickup-missing NAME,
//                                   exported-event ID LINE, held-event ID LINE, feed-ends
//   DIR is the folder of the test, in commands and in what they print
//   @ only up | @ only down         the file is for one of the two ways
//   $ postern queue hold 1          a command, its output in a pipe ("% postern" on a terminal of 100
//   columns) < Subject: x                    a line of its input 1<TAB>true<TAB>held             a line of
//   its output; "*" takes any text, "\t" is a tab ! postern: ...                  a line of its standard
//   error = 65                            its exit status, when it is not 0; ends the output

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/text.h"
#include "tests/kit/platform.h"
#include "tests/unit/cli/gateway.h"

namespace postern {
namespace {

namespace fs = std::filesystem;
using queue::Settlement;
using tests::Gateway;

struct Command {
    int line = 0;
    bool terminal = false;
    std::vector<std::string> words;
    std::string input;
    std::vector<std::string> out, err;
    int exit = 0;
};

// Words of a command line; "..." keeps blanks.
std::vector<std::string> wordsOf(std::string_view text) {
    std::vector<std::string> words;
    bool quoted = false, open = false;
    for (const char c : text) {
        if (c == '"') {
            quoted = !quoted;
            if (!open) words.emplace_back();
            open = true;
        } else if (c == ' ' && !quoted) {
            open = false;
        } else {
            if (!open) words.emplace_back();
            open = true;
            words.back() += c;
        }
    }
    return words;
}

bool matches(std::string_view pattern, std::string_view text) {
    const auto star = pattern.find('*');
    if (star == std::string_view::npos) return pattern == text;
    if (text.substr(0, star) != pattern.substr(0, star)) return false;
    for (std::size_t at = star; at <= text.size(); ++at)
        if (matches(pattern.substr(star + 1), text.substr(at))) return true;
    return false;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
    return text;
}

// Paths in the test's folder as they are written here. Windows joins them with its own separator, some of its
// functions change the others into that, and JSON shows each twice.
std::string withoutFolder(std::string text, const std::string& folder) {
    text = replaced(text, folder, "DIR");
    if (!tests::kOnWindows) return text;
    const std::string own = replaced(folder, "/", "\\");
    text = replaced(replaced(text, own, "DIR"), replaced(own, "\\", "\\\\"), "DIR");
    for (auto at = text.find("DIR"); at != std::string::npos; at = text.find("DIR", at)) {
        const std::size_t end = std::min(text.find_first_of(" \t\n\"',;:()", at), text.size());
        const std::string path = replaced(replaced(text.substr(at, end - at), "\\\\", "/"), "\\", "/");
        text.replace(at, end - at, path);
        at += path.size();
    }
    return text;
}

class Transcript {
  public:
    Transcript(const fs::path& file, bool up) : up_(up) {
        std::ifstream in(file);
        for (std::string line; std::getline(in, line);) lines_.push_back(line);
        if (up) gateway_.up();
    }

    void play() {
        for (; at_ < lines_.size(); ++at_) {
            const std::string& line = lines_[at_];
            SCOPED_TRACE("line " + std::to_string(at_ + 1) + ": " + line);
            if (line.empty() || line[0] == '#') continue;
            if (line.starts_with("@ ")) {
                if (!step(wordsOf(line.substr(2)))) return;
            } else if (line.starts_with("$ postern") || line.starts_with("% postern")) {
                carryOut(readCommand());
            } else {
                ADD_FAILURE() << "not understood";
            }
        }
    }

  private:
    // False: the rest is not for this way.
    bool step(const std::vector<std::string>& words) {
        const std::string& what = words.at(0);
        if (what == "only") return (words.at(1) == "up") == up_;
        if (what == "up") return gateway_.up(), true;
        if (what == "down") return gateway_.down(), true;
        if (what == "advance") return gateway_.clock.advance(Millis(*parseDurationMillis(words.at(1)))), true;
        if (what == "reload-problem") return gateway_.problems = words.at(1), true;
        if (what == "pickup-missing")
            return gateway_.pickupTroubles.emplace(words.at(1), fail(Errc::NotFound, "/no/such: gone")), true;
        if (what == "feed-ends") return gateway_.stopFeed(), true;
        const ItemId id{*parseInt(words.at(1))};
        if (what == "exported-event") return gateway_.event(LogEvent::ItemExported, id, words.at(2)), true;
        if (what == "held-event") return gateway_.event(LogEvent::ItemHeld, id, words.at(2)), true;
        if (what == "claim") return gateway_.claim(id), true;
        const auto kind = what == "export"  ? Settlement::Kind::Exported
                          : what == "fail"  ? Settlement::Kind::Failed
                          : what == "defer" ? Settlement::Kind::Deferred
                                            : Settlement::Kind::InDoubt;
        gateway_.settle(id, kind, words.at(2));
        return true;
    }

    Command readCommand() {
        Command command;
        command.line = static_cast<int>(at_) + 1;
        command.terminal = lines_[at_][0] == '%';
        command.words = wordsOf(replaced(lines_[at_].substr(9), "DIR", gateway_.folder.path()));
        for (++at_; at_ < lines_.size(); ++at_) {
            const std::string& line = lines_[at_];
            const bool over = line.empty() || line.starts_with("@ ") || line.starts_with("$ ") ||
                              line.starts_with("% ") || line.starts_with("# ");
            if (over) break;
            if (line == "<" || line.starts_with("< ")) {
                command.input += line.substr(std::min<std::size_t>(2, line.size())) + "\n";
            } else if (line.starts_with("! ")) {
                command.err.push_back(line.substr(2));
            } else if (line.starts_with("= ")) {
                command.exit = static_cast<int>(*parseInt(line.substr(2)));
            } else {
                command.out.push_back(line == "~" ? "" : replaced(line, "\\t", "\t"));
            }
        }
        --at_;
        return command;
    }

    void carryOut(const Command& command) {
        const tests::Ran ran = gateway_.run(command.words, command.input, {command.terminal, 100, false});
        EXPECT_EQ(ran.exit, command.exit);
        compare("output", ran.out, command.out);
        compare("standard error", ran.err, command.err);
    }

    void compare(const char* what, const std::string& got, const std::vector<std::string>& wanted) const {
        std::string text = withoutFolder(got, gateway_.folder.path());
        text = replaced(text, "\t" + userName() + "\t", "\tUSER\t");
        text = replaced(text, userName() + "@", "USER@");
        std::vector<std::string> lines;
        for (const std::string_view line : split(text, '\n')) lines.emplace_back(line);
        if (lines.back().empty()) lines.pop_back();
        bool same = lines.size() == wanted.size();
        for (std::size_t i = 0; same && i < lines.size(); ++i) same = matches(wanted[i], lines[i]);
        std::string shown;
        for (const std::string& line : wanted) shown += line + "\n";
        EXPECT_TRUE(same) << what << ", got:\n"
                          << replaced(text, "\t", "\\t") << "wanted:\n"
                          << replaced(shown, "\t", "\\t");
    }

    const bool up_;
    Gateway gateway_;
    std::vector<std::string> lines_;
    std::size_t at_ = 0;
};

class Transcripts : public testing::TestWithParam<std::tuple<std::string, bool>> {};

TEST_P(Transcripts, SaysWhatIsWritten) {
    const auto& [name, up] = GetParam();
    if (name == "system_service")
        SKIP_ON_WINDOWS("tests/windows/service_life.py says these to a service manager");
    Transcript(fs::path(POSTERN_TRANSCRIPTS) / (name + ".txt"), up).play();
}

std::vector<std::string> names() {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(POSTERN_TRANSCRIPTS))
        if (entry.path().extension() == ".txt") found.push_back(entry.path().stem().string());
    std::sort(found.begin(), found.end());
    return found;
}

INSTANTIATE_TEST_SUITE_P(Cli, Transcripts, testing::Combine(testing::ValuesIn(names()), testing::Bool()),
                         [](const auto& each) {
                             return std::get<0>(each.param) + (std::get<1>(each.param) ? "_up" : "_down");
                         });

}  // namespace
}  // namespace postern
