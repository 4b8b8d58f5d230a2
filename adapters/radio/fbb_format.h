#pragma once
// One message of FBB's import file mail.in (FORMATS 9.2): its addresses and its bytes. Nothing in a text may
// end the message early or be taken for a command, for what follows it would be one. Thread rule: pure.

#include <string>

#include "adapters/adapter.h"
#include "mail/convert.h"

namespace postern::adapters::fbb {

// US-ASCII, lines of 78 columns, titles of 60 characters, no files.
mail::Profile boardProfile();

enum class Type { Private, Bulletin, Traffic };  // SP, SB, ST

struct Options {
    mail::Profile profile = boardProfile();
    Type type = Type::Private;
    std::string call;                   // who the messages are from
    std::string route;                  // behind "@" of recipients without one; empty: none
    std::string idPrefix = "GW";        // begins every bulletin id
    std::int64_t totalLimit = 100'000;  // bytes of one message; 0: none
};

// "N0USR" or "N0USR @ N0BBS.#RGN.TST.NOAM" of "N0USR@N0BBS.#RGN.TST.NOAM". Errc::Invalid with the reason. A
// private message is for a callsign alone: names such as SYSOP or REQDIR are programs of the board.
Result<std::string> address(std::string_view legacy, const Options& options);

// The whole message, to behind its "/EX". What was changed goes to `notes`. Errc::Invalid: it can never be
// sent, with the reason.
Result<std::string> message(const Delivery& delivery, const std::string& bid, const Options& options,
                            std::vector<std::string>& notes);

}  // namespace postern::adapters::fbb
