// What a client sends to the SMTP and LMTP session, byte by byte and all at once: the replies and the mails
// must be the same, every reply must be a reply line, and a closed session must stay closed.
//
// Input: one byte that chooses the listener, then the client's bytes.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/text.h"
#include "tests/unit/intake/house.h"

namespace postern::intake {
namespace {

void mustHold(bool holds, const char* what, std::string_view text) {
    if (holds) return;
    std::fprintf(stderr, "%s: %.*s\n", what, static_cast<int>(text.size()), text.data());
    std::abort();
}

config::Listener listenerFor(std::uint8_t choice) {
    config::Listener listener =
        listenerOf((choice & 1) != 0 ? config::Protocol::Lmtp : config::Protocol::Smtp);
    listener.limits.messageSize = (choice & 2) != 0 ? 2000 : 100'000;
    listener.limits.textLine = (choice & 4) != 0 ? 1000 : 65536;
    listener.limits.recipients = 5;
    listener.limits.errors = 10;
    listener.submission = (choice & 8) != 0;
    return listener;
}

struct Heard {
    std::string replies;
    std::vector<std::string> mails;
    bool closing = false;
    bool operator==(const Heard&) const = default;
};

// A Message-ID that submission added is new each time: it holds the mail's own trace.
std::string textOf(const IncomingMail& mail) {
    const bool made = !mail.trace.empty() && mail.message.headerId.find(mail.trace) != std::string::npos;
    std::string text = mail.message.sender + "|" + (made ? "added" : mail.message.headerId) + "|" +
                       mail.message.subject + "|" + std::to_string(mail.body->size());
    for (const auto& recipient : mail.recipients) text += "|" + recipient.address;
    return text;
}

// `piece`: how many bytes the session gets at a time.
Heard hear(House& house, std::uint8_t choice, std::string_view bytes, std::size_t piece) {
    ScriptedDoor door(house.store());
    Talk talk(house, door, listenerFor(choice));
    Heard heard;
    heard.replies = talk.read();
    while (!bytes.empty() && !talk.session().closing()) {
        talk.send(bytes.substr(0, piece));
        bytes.remove_prefix(std::min(piece, bytes.size()));
        heard.replies += talk.read();
    }
    heard.closing = talk.session().closing();
    for (const IncomingMail& mail : door.mails) heard.mails.push_back(textOf(mail));
    return heard;
}

void checkReplies(const std::string& replies) {
    mustHold(replies.empty() || replies.ends_with("\r\n"), "replies end inside a line", replies);
    for (std::string_view line : split(replies, '\n')) {
        if (line.empty()) continue;
        const bool fine = line.size() >= 5 && line.size() <= 512 && line.back() == '\r' && line[0] >= '2' &&
                          line[0] <= '5' && (line[3] == ' ' || line[3] == '-');
        mustHold(fine, "no reply line", line);
        for (const char c : line.substr(0, line.size() - 1))
            mustHold(static_cast<unsigned char>(c) >= ' ' && c != 0x7f, "a control character in a reply",
                     line);
    }
}

}  // namespace
}  // namespace postern::intake

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern;
    using namespace postern::intake;
    static House house;
    static const bool quiet = [] {
        setLogLevel(Severity::Error);
        return true;
    }();
    (void)quiet;
    if (size < 2 || size > 20'000) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const Heard whole = hear(house, data[0], bytes, bytes.size());
    checkReplies(whole.replies);
    // What is pipelined behind DATA or STARTTLS is refused or dropped only when it came too early.
    if (whole.replies.find("503 5.5.0 ") != std::string::npos) return 0;
    if (whole.replies.find("\r\n220 ") != std::string::npos) return 0;
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}}) {
        const Heard cut = hear(house, data[0], bytes, piece);
        if (cut.replies.find("503 5.5.0 ") != std::string::npos) continue;
        mustHold(cut.replies == whole.replies, "other replies in pieces",
                 cut.replies + "----\n" + whole.replies);
        mustHold(cut.mails == whole.mails, "other mails in pieces", cut.replies);
    }
    return 0;
}
