// Plays every file in dialogues/: one behaviour per file, found at run time, so that a new behaviour is a new
// file. The words of such a file are in dialogues/README.md.

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "base/digest.h"
#include "base/text.h"
#include "tests/unit/chat/chat_rig.h"

namespace postern::chat {
namespace {

// "\xHH", "{12*text}", "{sasl:a|b}" (base64 of the text, with | as NUL).
std::string unescape(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t end = text.find('}');
        const std::size_t star = text.find('*');
        if (text.starts_with("\\x") && text.size() >= 4) {
            out += static_cast<char>(std::stoi(std::string(text.substr(2, 2)), nullptr, 16));
            text.remove_prefix(4);
        } else if (text.starts_with("{sasl:") && end != std::string_view::npos) {
            std::string plain = unescape(text.substr(6, end - 6));
            std::replace(plain.begin(), plain.end(), '|', '\0');
            out += base64Encode(plain);
            text.remove_prefix(end + 1);
        } else if (text.front() == '{' && star < end && end != std::string_view::npos &&
                   parseInt(text.substr(1, star - 1))) {
            const std::string piece = unescape(text.substr(star + 1, end - star - 1));
            for (auto left = *parseInt(text.substr(1, star - 1)); left > 0; --left) out += piece;
            text.remove_prefix(end + 1);
        } else {
            out += text.front();
            text.remove_prefix(1);
        }
    }
    return out;
}

// A "*" at the end of `wanted` takes whatever follows.
bool fits(std::string_view wanted, std::string_view got) {
    if (wanted.ends_with('*')) return got.starts_with(wanted.substr(0, wanted.size() - 1));
    return wanted == got;
}

std::string commandOf(std::string_view line) {
    for (const char sign : {'@', ':'}) {
        if (line.starts_with(sign)) line.remove_prefix(std::min(line.find(' ') + 1, line.size()));
    }
    return std::string(line.substr(0, line.find(' ')));
}

struct Script {
    std::string path;
    std::vector<std::string> lines;
};

class Player {
  public:
    explicit Player(const Script& script) : script_(script) {}

    void play() {
        for (std::size_t i = 0; i < script_.lines.size() && !testing::Test::HasFailure(); ++i) {
            const std::string& line = script_.lines[i];
            const testing::ScopedTrace where(script_.path.c_str(), static_cast<int>(i + 1), line);
            if (!line.empty() && line.front() != '#') step(line);
        }
        for (const std::string& name : names_) nothingMore(name);
    }

  private:
    void step(const std::string& line) {
        const std::size_t space = std::min(line.find(' '), line.size());
        const std::string word = line.substr(0, space);
        const std::string rest = space < line.size() ? line.substr(space + 1) : std::string();
        const std::size_t sign = word.find_first_of("<>");
        if (sign != std::string::npos) return talk(word.substr(0, sign), word.substr(sign), rest);
        if (word == "set:") return set(rest);
        const auto words = split(rest, ' ');
        if (word == "account:")
            return rig().addAccount(std::string(words.at(0)), std::string(words.at(1)),
                                    std::string(words.at(2)));
        if (word == "logged-on:") return logOn(words);
        if (word == "connects:") return connect(std::string(words.at(0)), std::string(words.at(1)));
        if (word == "vanishes:") return rig().vanish(rest);
        if (word == "after") return rig().pass(Millis(*parseDurationMillis(rest)));
        if (rest.empty() && word == "desk-waits") return rig().holdAnswers();
        if (rest.empty() && word == "desk-answers") return rig().giveAnswers();
        ADD_FAILURE() << "no such word: " << word;
    }

    void talk(const std::string& name, const std::string& sign, const std::string& rest) {
        if (names_.empty() || std::find(names_.begin(), names_.end(), name) == names_.end()) {
            ASSERT_TRUE(rig().connect(name));
            names_.push_back(name);
        }
        if (sign == ">") return rig().say(name, unescape(rest));
        if (sign == "<") return expect(name, unescape(rest));
        if (sign == "<<") return skipTo(name, rest);
        if (sign == "<.") return nothingMore(name);
        ASSERT_EQ("<!", sign) << "no such sign";
        EXPECT_TRUE(rig().closed(name)) << name << " is still connected";
    }
    void expect(const std::string& name, const std::string& wanted) {
        std::deque<std::string>& lines = rig().heard(name);
        ASSERT_FALSE(lines.empty()) << name << " heard nothing; wanted " << wanted;
        EXPECT_TRUE(fits(wanted, lines.front())) << "   got " << lines.front() << "\nwanted " << wanted;
        lines.pop_front();
    }
    void skipTo(const std::string& name, const std::string& command) {
        std::deque<std::string>& lines = rig().heard(name);
        while (!lines.empty() && commandOf(lines.front()) != command) lines.pop_front();
        ASSERT_FALSE(lines.empty()) << name << " did not hear " << command;
        lines.pop_front();
    }
    void nothingMore(const std::string& name) {
        const auto& lines = rig().heard(name);
        EXPECT_TRUE(lines.empty()) << name << " heard as well: " << lines.front();
    }
    void logOn(const std::vector<std::string_view>& words) {
        const std::string name(words.front());
        std::string caps;
        for (std::size_t i = 1; i < words.size(); ++i) caps += (i > 1 ? " " : "") + std::string(words[i]);
        rig().logOn(name, caps);
        names_.push_back(name);
    }
    void connect(const std::string& name, const std::string& address) {
        ASSERT_TRUE(rig().connect(name, peerAt(address)));
        names_.push_back(name);
    }
    void set(const std::string& what) {
        ASSERT_FALSE(rig_) << "settings stand before everything else";
        const auto words = split(what, ' ');
        const std::string value = words.size() > 1 ? std::string(words[1]) : std::string();
        if (words[0] == "password") return void(settings_.password = value);
        if (words[0] == "account-needed") return void(settings_.accountNeeded = value == "yes");
        if (words[0] == "anyone-creates") return void(settings_.anyoneCreates = value == "yes");
        if (words[0] == "lasting") return void(settings_.lasting.push_back(value));
        if (words[0] == "bans")
            return void(settings_.limits.bans = static_cast<std::size_t>(*parseInt(value)));
        if (words[0] == "channels")
            return void(settings_.limits.channels = static_cast<std::size_t>(*parseInt(value)));
        ADD_FAILURE() << "no such setting: " << what;
    }
    ChatRig& rig() {
        if (!rig_) rig_ = std::make_unique<ChatRig>(settings_);
        return *rig_;
    }

    const Script& script_;
    Settings settings_ = openHouse();
    std::unique_ptr<ChatRig> rig_;
    std::vector<std::string> names_;
};

std::vector<std::string> dialogueFiles() {
    std::vector<std::string> paths;
    for (const auto& entry : std::filesystem::directory_iterator(POSTERN_DIALOGUES)) {
        if (entry.path().extension() == ".txt") paths.push_back(entry.path().string());
    }
    std::sort(paths.begin(), paths.end());
    return paths;
}

class ChatDialogue : public testing::TestWithParam<std::string> {};

TEST_P(ChatDialogue, RunsAsWritten) {
    Script script{GetParam(), {}};
    std::ifstream file(script.path);
    for (std::string line; std::getline(file, line);) script.lines.push_back(line);
    ASSERT_FALSE(script.lines.empty());
    EXPECT_EQ(script.lines.front().substr(0, 2), "# ") << "the first line says what the dialogue is about";
    Player(script).play();
}

INSTANTIATE_TEST_SUITE_P(Files, ChatDialogue, testing::ValuesIn(dialogueFiles()),
                         [](const auto& file) { return std::filesystem::path(file.param).stem().string(); });

TEST(ChatDialogues, AreAllThere) {
    EXPECT_GE(dialogueFiles().size(), 40u);
}

}  // namespace
}  // namespace postern::chat
