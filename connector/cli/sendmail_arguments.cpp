#include "connector/cli/sendmail_arguments.h"

#include <algorithm>

#include "base/path.h"
#include "base/text.h"

namespace postern::cli {

namespace {

enum class Value { None, Attached, Wanted };  // none; only in the same word; else the next word

struct Letter {
    char letter;
    Value value;
    const char* form;  // null: taken for old programs' sake, without effect
    const char* help;
};

// Every option, in one list.
constexpr Letter kLetters[] = {
    {'A', Value::Attached, nullptr, nullptr},
    {'B', Value::Wanted, "-B 8BITMIME|7BIT", "how the text is encoded"},
    {'C', Value::Wanted, "-C FILE", "the configuration file (default: as of postern)"},
    {'F', Value::Wanted, "-F NAME", "the full name for a From field that is added"},
    {'G', Value::None, nullptr, nullptr},
    {'I', Value::None, "-I", "as -bi"},
    {'L', Value::Wanted, nullptr, nullptr},
    {'N', Value::Wanted, "-N WHEN", "report on: never, or success,failure,delay (RFC 3461)"},
    {'O', Value::Wanted, nullptr, nullptr},
    {'R', Value::Wanted, "-R full|hdrs", "what of the mail comes back in a report"},
    {'U', Value::None, nullptr, nullptr},
    {'V', Value::Wanted, "-V ID", "the envelope id for reports"},
    {'X', Value::Wanted, nullptr, nullptr},
    {'b', Value::Attached, "-bm, -bs, -bp, -bi",
     "take a mail (default); speak SMTP; list the queue; nothing"},
    {'e', Value::Attached, nullptr, nullptr},
    {'f', Value::Wanted, "-f ADDRESS", "the envelope sender, <> for none (default: you at this host)"},
    {'h', Value::Wanted, nullptr, nullptr},
    {'i', Value::None, "-i, -oi", "a line with a single dot does not end the mail"},
    {'m', Value::None, nullptr, nullptr},
    {'n', Value::None, nullptr, nullptr},
    {'o', Value::Wanted, nullptr, nullptr},
    {'p', Value::Wanted, nullptr, nullptr},
    {'q', Value::Attached, "-q", "nothing: the service tries waiting mail by itself"},
    {'r', Value::Wanted, "-r ADDRESS", "as -f"},
    {'t', Value::None, "-t", "recipients from To, Cc and Bcc as well"},
    {'v', Value::None, nullptr, nullptr},
    {'x', Value::None, nullptr, nullptr},
};

const Letter* letterOf(char c) {
    for (const Letter& letter : kLetters)
        if (letter.letter == c) return &letter;
    return nullptr;
}

Result<void> setMode(SendmailCommand& command, const std::string& mode) {
    if (mode == "m") {
        command.mode = SendmailMode::Mail;
    } else if (mode == "s") {
        command.mode = SendmailMode::Smtp;
    } else if (mode == "p") {
        command.mode = SendmailMode::Queue;
    } else if (mode == "i") {
        command.mode = SendmailMode::Nothing;
        command.said = "there is no alias database; tables are read again by 'postern reload'";
    } else {
        const std::string instead = mode == "d" || mode == "D"   ? ": the service is posternd"
                                    : mode == "v" || mode == "t" ? ": see 'postern route test'"
                                                                 : "";
        return fail(Errc::Invalid, "-b" + mode + " can not be done here" + instead);
    }
    return {};
}

Result<void> setText(SendmailCommand& command, char letter, const std::string& value) {
    const std::string lower = lowerAscii(value);
    switch (letter) {
        case 'B':
            if (lower != "8bitmime" && lower != "7bit")
                return fail(Errc::Invalid, "-B takes 8BITMIME or 7BIT, not \"" + value + "\"");
            command.body = lower;
            break;
        case 'R':
            if (lower != "full" && lower != "hdrs")
                return fail(Errc::Invalid, "-R takes full or hdrs, not \"" + value + "\"");
            command.ret = lower;
            break;
        case 'C': command.configPath = value; break;
        case 'F': command.fullName = escapeLine(trim(value), 200); break;
        case 'N': command.notify = lower; break;
        case 'V': command.envelopeId = value; break;
        case 'f':
        case 'r':
            command.from = value;
            command.fromGiven = true;
            break;
        case 'o': command.dotEnds = command.dotEnds && value != "i"; break;
        default: break;
    }
    return {};
}

Result<void> apply(SendmailCommand& command, char letter, const std::string& value) {
    switch (letter) {
        case 'b': return setMode(command, value);
        case 'i': command.dotEnds = false; break;
        case 't': command.headerRecipients = true; break;
        case 'I': return setMode(command, "i");
        case 'q':
            command.mode = SendmailMode::Nothing;
            command.said = "the service tries waiting mail by itself; see 'postern queue retry'";
            break;
        default: return setText(command, letter, value);
    }
    return {};
}

// One word of options: "-it", "-fa@b", "-f" with the next word.
Result<void> takeWord(SendmailCommand& command, const std::vector<std::string>& words, std::size_t& at) {
    const std::string& word = words[at];
    for (std::size_t i = 1; i < word.size(); ++i) {
        const Letter* letter = letterOf(word[i]);
        if (letter == nullptr)
            return fail(Errc::Invalid, "there is no option -" + std::string(1, word[i]) + " (in \"" +
                                           escapeLine(word, 60) + "\"; see postern-sendmail --help)");
        if (letter->value == Value::None) {
            POSTERN_TRY(apply(command, word[i], {}));
            continue;
        }
        std::string value = word.substr(i + 1);
        if (value.empty() && letter->value == Value::Wanted) {
            if (at + 1 == words.size())
                return fail(Errc::Invalid, "-" + std::string(1, word[i]) + " wants a value");
            value = words[++at];
        }
        return apply(command, letter->letter, value);
    }
    return {};
}

}  // namespace

Result<SendmailCommand> parseSendmail(const std::string& program, const std::vector<std::string>& words) {
    SendmailCommand command;
    std::string_view name = lastName(program);
    if (lowerAscii(name).ends_with(".exe")) name.remove_suffix(4);
    if (name == "mailq" || name == "postern-mailq") command.mode = SendmailMode::Queue;
    if (name == "newaliases") POSTERN_TRY(setMode(command, "i"));
    std::size_t at = 0;
    for (; at < words.size(); ++at) {
        const std::string& word = words[at];
        if (word == "--help") {
            command.mode = SendmailMode::Help;
            return command;
        }
        if (word == "--") {
            ++at;
            break;
        }
        if (word.size() < 2 || word[0] != '-') break;
        POSTERN_TRY(takeWord(command, words, at));
    }
    command.recipients.assign(words.begin() + static_cast<std::ptrdiff_t>(at), words.end());
    const bool nobody = command.recipients.empty() && !command.headerRecipients;
    if (command.mode == SendmailMode::Mail && nobody)
        return fail(Errc::Invalid, "no recipient: name some, or say -t (see postern-sendmail --help)");
    return command;
}

std::vector<SendmailOption> sendmailOptions() {
    std::vector<SendmailOption> all;
    for (const Letter& letter : kLetters)
        if (letter.form != nullptr) all.push_back({letter.form, letter.help});
    return all;
}

std::string sendmailHelp() {
    std::string text =
        "Takes a mail from standard input, as sendmail does, for Postern.\n\n"
        "  postern-sendmail [OPTIONS] [--] RECIPIENT...\n"
        "  postern-sendmail -t [OPTIONS] [RECIPIENT...]\n\n";
    constexpr std::size_t kColumn = 19;
    for (const SendmailOption& option : sendmailOptions()) {
        std::string form = option.form;
        form.resize(std::max(form.size() + 1, kColumn), ' ');
        text += "  " + form + option.help + "\n";
    }
    text += std::string("\n") + kSendmailOthers +
            " From, Date and Message-ID are added where they are missing; Bcc is removed.\n"
            "Called as mailq it lists the queue, as newaliases it does nothing.\n\nExit status:\n";
    for (const SendmailExit& exit : kSendmailExits)
        text += (exit.status < 10 ? "   " : "  ") + std::to_string(exit.status) + "  " + exit.meaning + "\n";
    return text + "\nNothing is stored when one recipient is refused.\n";
}

}  // namespace postern::cli
