// What clients send to the chat: the parser and the writer agree, the state machine says only lines, and
// when everybody has left nothing is left.
//
// Input: lines. "0" to "5" before a line: the client that says it; "v0" it vanishes, "d0" it stops reading,
// "r0" it reads again, "t" a minute passes, "w" and "g" the log-on desk waits and goes on.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text.h"
#include "connector/chat/message.h"
#include "tests/unit/chat/chat_rig.h"

namespace postern::chat {
namespace {

constexpr int kClients = 6;

void mustHold(bool holds, const char* what, std::string_view text) {
    if (holds) return;
    std::fprintf(stderr, "%s: %.*s\n", what, static_cast<int>(text.size()), text.data());
    std::abort();
}

void checkParser(std::string_view line) {
    Message message;
    if (parseMessage(line, message) != Parsed::Good) return;
    mustHold(message.parameters.size() <= kMostParameters, "too many parameters", line);
    const std::string written =
        tagText(message.tags) + writeMessage("s", message.command, message.parameters);
    mustHold(written.find_first_of("\r\n") == std::string::npos, "a line of its own", written);
    for (const auto& [name, value] : message.tags)
        mustHold(unescapeTag(escapeTag(value)) == value, "another value of a tag", value);
}

void checkLine(const std::string& line) {
    Message message;
    mustHold(line.size() <= 8191 + kLongestBody, "too long", line);
    mustHold(parseMessage(line, message) != Parsed::Empty, "no command", line);
    mustHold(validUtf8(line), "no UTF-8", line);
}

// The rig with clients 0 to 5, who connect when they first speak.
class Stage {
  public:
    Stage() { rig_.addAccount("root", "pencil", "admin"); }
    ~Stage() {
        rig_.giveAnswers();
        for (int i = 0; i < kClients; ++i) vanish(i);
        mustHold(rig_.hall().held() == Held{}, "something is left", "");
    }
    void play(std::string_view line) {
        if (line.empty()) return;
        const char word = line.front();
        if (word >= '0' && word < '0' + kClients) return say(word - '0', line.substr(1));
        if (word == 't') return rig_.pass(Millis(60'000));
        if (word == 'w') return rig_.holdAnswers();
        if (word == 'g') return rig_.giveAnswers();
        const int who = line.size() > 1 ? (line[1] - '0') % kClients : 0;
        if (who < 0 || !here_[who]) return;
        if (word == 'v') vanish(who);
        if (word == 'd') rig_.stopReading(name(who));
        if (word == 'r') rig_.readAgain(name(who));
    }

  private:
    static std::string name(int who) { return "c" + std::to_string(who); }
    void vanish(int who) {
        if (here_[who]) rig_.vanish(name(who));
        here_[who] = false;
    }
    void say(int who, std::string_view line) {
        if (here_[who] && rig_.closed(name(who))) here_[who] = false;
        if (!here_[who]) here_[who] = rig_.connect(name(who));
        rig_.say(name(who), std::string(line));
        for (int i = 0; i < kClients; ++i) {
            if (!here_[i]) continue;
            for (const std::string& heard : rig_.take(name(i))) checkLine(heard);
        }
    }

    ChatRig rig_;
    bool here_[kClients] = {};
};

}  // namespace
}  // namespace postern::chat

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern;
    using namespace postern::chat;
    if (size > 20'000) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    Stage stage;
    for (const std::string_view line : split(bytes, '\n')) {
        if (!line.empty()) checkParser(line.substr(1));
        stage.play(line);
    }
    return 0;
}
