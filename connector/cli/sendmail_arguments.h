#pragma once
// The command line of sendmail(8), as programs have called it for decades (Sendmail, Postfix and Exim agree
// on what is here). Pure functions.

#include <string>
#include <vector>

#include "base/result.h"

namespace postern::cli {

enum class SendmailMode { Mail, Smtp, Queue, Nothing, Help };  // -bm, -bs, -bp, -bi and -q, --help

struct SendmailCommand {
    SendmailMode mode = SendmailMode::Mail;
    bool headerRecipients = false;  // -t
    bool dotEnds = true;            // until -i or -oi
    bool fromGiven = false;
    std::string from;      // -f, -r; "<>" and "" are the null sender
    std::string fullName;  // -F
    std::string notify;    // -N, as given
    std::string ret;       // -R, "full" or "hdrs"
    std::string envelopeId;
    std::string body;        // "7bit", "8bitmime" or nothing
    std::string configPath;  // -C; empty: the usual one
    std::string said;        // Nothing: why there is nothing to do
    std::vector<std::string> recipients;
};

// `program` is what we were called: "mailq" means -bp, "newaliases" -bi. Flags may stand together ("-it") and
// values may follow at once or as the next word ("-fa@b", "-f a@b"); the first word without "-", and all
// behind "--", are recipients. Invalid for what is not known or can not be done here.
Result<SendmailCommand> parseSendmail(const std::string& program, const std::vector<std::string>& words);

std::string sendmailHelp();

}  // namespace postern::cli
