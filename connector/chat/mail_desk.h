#pragma once
// Reads the logs that the adapters of the kind "chat" write (adapters/chat/chat_entry.h), on a thread of its
// own: the chat's loop never waits for a disk. It writes nothing, and remembers nothing but what it
// complained of.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/work_queue.h"
#include "connector/chat/settings.h"

namespace postern::chat {

struct Mail {
    std::int64_t number = 0;  // in its log: what was stored later has the larger one
    ItemId item;
    WallTime at;  // when it was written
    std::vector<std::string> lines;
};

// What a log has that was not seen before, the oldest first.
struct MailPart {
    std::string adapter, target;  // "#alerts"; or the account of a person
    std::vector<Mail> mails;
    std::int64_t more = 0;  // came as well: older than what a log keeps, or not to be read
};

struct LogSeen {
    std::int64_t number = 0;  // the newest
    int stuck = 0;            // looks that found the one behind it, and could not read it
};
using MailSeen = std::map<std::string, LogSeen>;  // by the path of the log

struct MailFound {
    bool past = false;  // nobody was told of anything before: it happened at some time
    std::vector<MailPart> parts{};
    MailSeen seen{};
    // Logs that were seen before and that somebody removed: adapter and target.
    std::vector<std::pair<std::string, std::string>> gone{};
    std::string trouble{};  // the first thing that could not be read; empty: none
};

// A log whose newest number is smaller than before was emptied by somebody: all of it is new. Any thread.
MailFound lookForMail(const std::vector<MailPlace>& places, const MailSeen& seen);

class MailDesk {
  public:
    using Done = std::function<void(MailFound)>;

    explicit MailDesk(std::vector<MailPlace> places);

    // `done` is called once on the desk's thread; or never, when the desk ends before. False: it is busy,
    // ask again later.
    bool look(MailSeen seen, bool past, Done done);

  private:
    struct Question {
        MailSeen seen;
        bool past;
        Done done;
    };
    void answer(Question question);

    const std::vector<MailPlace> places_;
    std::string complained_;  // of what; the thread's own
    WorkQueue<Question> queue_;
};

}  // namespace postern::chat
