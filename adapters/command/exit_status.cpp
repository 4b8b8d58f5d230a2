#include "adapters/command/exit_status.h"

#include <algorithm>

#include "base/text.h"

namespace postern::adapters {

namespace {

enum class Meaning { Exported, Deferred, Rejected, Unusable };

struct Code {
    int code;
    Meaning sysexits, qmail;
    const char* name;
    const char* status;  // RFC 3463, as Postfix has them
};

constexpr Code kCodes[] = {
    {0, Meaning::Exported, Meaning::Exported, "", ""},
    {64, Meaning::Rejected, Meaning::Rejected, "command line usage error", "5.3.0"},
    {65, Meaning::Rejected, Meaning::Rejected, "data format error", "5.6.0"},
    {66, Meaning::Rejected, Meaning::Deferred, "cannot open input", "5.3.0"},
    {67, Meaning::Rejected, Meaning::Deferred, "user unknown", "5.1.1"},
    {68, Meaning::Rejected, Meaning::Deferred, "host name unknown", "5.1.2"},
    {69, Meaning::Rejected, Meaning::Deferred, "service unavailable", "5.3.0"},
    {70, Meaning::Rejected, Meaning::Rejected, "internal software error", "5.3.0"},
    {71, Meaning::Deferred, Meaning::Deferred, "system resource problem", "4.3.0"},
    {72, Meaning::Rejected, Meaning::Deferred, "critical file missing", "5.3.0"},
    {73, Meaning::Rejected, Meaning::Deferred, "can't create output file", "5.2.0"},
    {74, Meaning::Rejected, Meaning::Deferred, "input/output error", "5.3.0"},
    {75, Meaning::Deferred, Meaning::Deferred, "temporary failure", "4.3.0"},
    {76, Meaning::Rejected, Meaning::Rejected, "remote error in protocol", "5.5.6"},
    {77, Meaning::Rejected, Meaning::Rejected, "permission denied", "5.7.0"},
    {78, Meaning::Rejected, Meaning::Rejected, "configuration error", "5.3.5"},
    {99, Meaning::Deferred, Meaning::Exported, "", ""},
    {100, Meaning::Deferred, Meaning::Rejected, "", ""},
    {112, Meaning::Deferred, Meaning::Rejected, "", ""},
    {126, Meaning::Deferred, Meaning::Deferred, "something it called can not be executed", ""},
    {127, Meaning::Deferred, Meaning::Deferred, "something it called was not found", ""},
};

const Code* known(int code) {
    const auto* found = std::find_if(std::begin(kCodes), std::end(kCodes),
                                     [&](const Code& each) { return each.code == code; });
    return found == std::end(kCodes) ? nullptr : found;
}

bool isNumber(std::string_view text, std::size_t most) {
    return !text.empty() && text.size() <= most &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "5.1.1" of "5.1.1 no such user"; empty: the line begins otherwise.
std::string statusIn(std::string_view line) {
    const std::string_view word = line.substr(0, line.find_first_of(" \t"));
    const auto parts = split(word, '.');
    if (parts.size() != 3 || (parts[0] != "4" && parts[0] != "5")) return {};
    return isNumber(parts[1], 3) && isNumber(parts[2], 3) ? std::string(word) : std::string();
}

Meaning meaningOf(int number, const Code* code, ExitDialect dialect) {
    const Meaning plain = code == nullptr                 ? Meaning::Deferred
                          : dialect == ExitDialect::Qmail ? code->qmail
                                                          : code->sysexits;
    if (dialect != ExitDialect::Queuer || plain == Meaning::Exported) return plain;
    constexpr int kOwnFault = 70;
    const bool machine = number >= 66 && number <= 78 && number != kOwnFault;
    return machine ? Meaning::Unusable : Meaning::Deferred;
}

Outcome outcomeFor(Meaning meaning, std::string reason, std::string status) {
    Outcome outcome;
    switch (meaning) {
        case Meaning::Exported: outcome = exported({}); break;
        case Meaning::Deferred: outcome = deferred(std::move(reason), Cause::Refused); break;
        case Meaning::Rejected: outcome = rejected(std::move(reason)); break;
        case Meaning::Unusable: outcome = unusable(std::move(reason)); break;
    }
    outcome.status = std::move(status);
    return outcome;
}

}  // namespace

std::string firstLineShown(const std::string& output) {
    constexpr std::size_t kLongest = 300;
    for (const std::string_view line : split(output, '\n'))
        if (!trim(line).empty()) return escapeLine(trim(line), kLongest);
    return {};
}

std::string outputShown(const ProcessEnd& end) {
    constexpr std::size_t kLongest = 2000;
    std::string all;
    for (const std::string_view line : split(end.output, '\n'))
        if (!trim(line).empty()) all += (all.empty() ? "" : " / ") + std::string(trim(line));
    return escapeLine(all, kLongest) + (end.outputCut && !all.empty() ? " (and more)" : "");
}

Outcome judgeEnd(const ProcessEnd& end, ExitDialect dialect, const std::string& name) {
    const std::string said = firstLineShown(end.output);
    const std::string all = outputShown(end);
    std::string reason = name + " " + end.text();
    if (end.how == ProcessEnd::How::NotStarted) return unusable(reason);
    const Code* code = end.how == ProcessEnd::How::Exited ? known(end.code) : nullptr;
    if (code != nullptr && code->name[0] != '\0') reason += " (" + std::string(code->name) + ")";
    if (!all.empty()) reason += ": " + all;
    if (end.how != ProcessEnd::How::Exited) return unknown(reason + "; it may have done its work");
    const Meaning meaning = meaningOf(end.code, code, dialect);
    if (dialect == ExitDialect::Queuer && meaning != Meaning::Exported)
        return outcomeFor(meaning, std::move(reason), {});
    if (meaning == Meaning::Exported) return outcomeFor(meaning, {}, {});
    // What the command says itself counts more than its code (Postfix's pipe(8)).
    if (const std::string status = statusIn(said); !status.empty())
        return outcomeFor(status.front() == '5' ? Meaning::Rejected : Meaning::Deferred, reason, status);
    const bool tells = code != nullptr && dialect == ExitDialect::Sysexits;
    return outcomeFor(meaning, std::move(reason), tells ? code->status : "");
}

}  // namespace postern::adapters
