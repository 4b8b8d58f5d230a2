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

// What --help and the manual page say.
struct SendmailOption {
    const char* form;  // "-F NAME", "-i, -oi"
    const char* help;
};
std::vector<SendmailOption> sendmailOptions();  // those with an effect

inline constexpr const char* kSendmailOthers =
    "Other options of sendmail (-o..., -O, -A, -e, -h, -m, -n, -v, -x, -G, -L, -U, -X, -p) are taken\n"
    "without effect.";

struct SendmailExit {
    int status;
    const char* meaning;
};
inline constexpr SendmailExit kSendmailExits[] = {
    {0, "the mail is on the disk"},
    {64, "the command line is wrong"},
    {65, "the mail or an address is no good"},
    {67, "no route takes a recipient"},
    {75, "not stored, try again later"},
    {77, "a rule forbids it"},
};

std::string sendmailHelp();

}  // namespace postern::cli
