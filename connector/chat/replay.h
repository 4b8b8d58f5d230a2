#pragma once
// Inside of hall.h: what happened before, told to one who has just come: in one batch where he knows that,
// with the time of each line as its tag, or else in its text. Thread rule: the chat's one thread; lives for a
// part of a turn.

#include <string>
#include <string_view>

#include "base/clock.h"
#include "connector/chat/floor.h"

namespace postern::chat {

class Replay {
  public:
    // Said by `mask`, to the channel or nick `target`.
    Replay(Floor& floor, Client& client, std::string mask, std::string target)
        : floor_(floor), client_(client), mask_(std::move(mask)), target_(std::move(target)) {}
    ~Replay() {
        if (!reference_.empty()) tellBatch({"-" + reference_});
    }
    Replay(const Replay&) = delete;
    Replay& operator=(const Replay&) = delete;

    void say(std::string_view text, WallTime at, std::string id = {}) {
        if (reference_.empty() && client_.caps.has(Cap::Batch)) {
            reference_ = "replay" + std::to_string(++floor_.lastReplay);
            tellBatch({"+" + reference_, "chathistory", target_});
        }
        // Without the time as a tag it stands in the text, or the past would look like the present.
        const std::string said = client_.caps.has(Cap::ServerTime) ? "" : formatUtc(at) + " ";
        Line line{writeMessage(mask_, "PRIVMSG", {target_, said + std::string(text)}, true)};
        line.at = at;
        line.batch = reference_;
        line.id = std::move(id);
        floor_.send(client_, line, false);
    }

  private:
    void tellBatch(const std::vector<std::string>& parameters) {
        floor_.send(client_, {writeMessage(floor_.settings.serverName, "BATCH", parameters)}, false);
    }

    Floor& floor_;
    Client& client_;
    const std::string mask_, target_;
    std::string reference_;  // of the batch; empty: none
};

}  // namespace postern::chat
