#include "adapters/ccmail/ccmail_run.h"

#include <algorithm>

#include "base/text.h"

namespace postern::adapters::ccmail {

namespace {

constexpr int kDigits = 7;
constexpr std::int64_t kBase = 36;
constexpr std::string_view kRunHead = "run1 ";
constexpr std::string_view kEndHead = "ended1 ";
constexpr std::string_view kTail = "end";
constexpr std::size_t kMostShown = 300;

bool endsWith(std::string_view name, std::string_view extension) {
    return name.size() > extension.size() &&
           equalsIgnoreCase(name.substr(name.size() - extension.size()), extension);
}

int digitOf(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'z' ? c - 'a' + 10 : -1;
}

// "m0000001", and what stands behind it and a dash, if anything does.
struct Stem {
    std::string item;
    std::optional<std::string> attempt;
};

Stem stemParts(std::string_view name) {
    const std::string stem = stemOf(name);
    const auto dash = stem.find('-');
    if (dash == std::string::npos) return {stem, std::nullopt};
    return {stem.substr(0, dash), stem.substr(dash + 1)};
}

// "<number> <rest>"
std::optional<std::int64_t> takeNumber(std::string_view& text) {
    const auto blank = text.find(' ');
    if (blank == std::string_view::npos) return std::nullopt;
    const auto number = parseInt(text.substr(0, blank));
    text.remove_prefix(blank + 1);
    return number;
}

}  // namespace

std::string formatRun(const Run& run) {
    std::string text = std::string(kRunHead) + run.id + (run.full ? " full" : " all") + "\n";
    for (const RunEntry& entry : run.entries)
        text += std::to_string(entry.attempts) + " " + entry.name + "\n";
    return text.append(kTail).append("\n");
}

std::optional<Run> parseRun(std::string_view text) {
    const auto lines = split(text, '\n');
    if (lines.size() < 3 || !lines[0].starts_with(kRunHead) || lines[lines.size() - 2] != kTail)
        return std::nullopt;
    const auto head = split(lines[0].substr(kRunHead.size()), ' ');
    if (head.size() != 2 || head[0].empty()) return std::nullopt;
    Run run;
    run.id = head[0];
    run.full = head[1] == "full";
    for (std::size_t i = 1; i + 2 < lines.size(); ++i) {
        std::string_view rest = lines[i];
        const auto attempts = takeNumber(rest);
        if (!attempts || *attempts < 0 || *attempts > 1000 || rest.empty()) return std::nullopt;
        run.entries.push_back({static_cast<int>(*attempts), std::string(rest)});
    }
    return run;
}

std::string formatRunEnd(const RunEnd& end) {
    return std::string(kEndHead) + std::to_string(static_cast<int>(end.how)) + " " +
           std::to_string(end.code) + " " + end.text + "\n" + std::string(kTail) + "\n";
}

std::optional<RunEnd> parseRunEnd(std::string_view text) {
    const auto lines = split(text, '\n');
    if (lines.size() != 3 || !lines[0].starts_with(kEndHead) || lines[1] != kTail) return std::nullopt;
    std::string_view rest = lines[0].substr(kEndHead.size());
    const auto how = takeNumber(rest);
    const auto code = takeNumber(rest);
    if (!how || !code || *code != static_cast<int>(*code) || *how < 0 ||
        *how > static_cast<int>(ProcessEnd::How::NotStarted))
        return std::nullopt;
    return RunEnd{true, static_cast<ProcessEnd::How>(*how), static_cast<int>(*code), std::string(rest)};
}

RunEnd runEndOf(const ProcessEnd& end) {
    const std::string_view output = trim(end.output);
    const std::string said = escapeLine(trim(output.substr(0, output.find('\n'))), kMostShown);
    std::string text = end.text();
    if (const auto advice = adviceOf(end.how == ProcessEnd::How::Exited ? end.code : 0); !advice.empty())
        text.append(" (").append(advice).append(")");
    return {true, end.how, end.code, text + (said.empty() ? "" : ": " + said)};
}

std::string_view adviceOf(int code) {
    switch (code) {
        case 1:
            return "did not complete: a wrong password, missing rights, a path it can not read, or a "
                   "damaged post office";
        case 3: return "no post office: not configured, or not to be reached";
        case 4: return "the post office is locked by another program";
        case 5: return "something could not be delivered";
        default: return {};
    }
}

Millis waitAfter(int attempts, Millis interval) {
    constexpr Millis kLongest{4 * 3'600'000};
    Millis wait = interval;
    for (int i = 1; i < attempts && wait < kLongest; ++i) wait *= 4;
    return std::max(interval, std::min(wait, kLongest));
}

bool isDue(WallTime since, Millis wait, WallTime now) {
    return since + wait <= now || since > now;
}

std::string importName(ItemId item) {
    std::string stem(kDigits, '0');
    std::int64_t rest = item.value;
    for (int i = kDigits; i-- > 0; rest /= kBase) {
        const auto digit = static_cast<char>(rest % kBase);
        stem[static_cast<std::size_t>(i)] = static_cast<char>(digit < 10 ? '0' + digit : 'a' + digit - 10);
    }
    return "m" + stem + ".ccm";
}

std::string attemptName(ItemId item, Epoch epoch) {
    return stemOf(importName(item)) + "-" + std::to_string(epoch.value) + ".ccm";
}

std::string importedName(const std::string& name) {
    const auto item = itemOfName(name);
    return item && epochOfName(name) ? importName(*item) : name;
}

std::optional<ItemId> itemOfName(std::string_view name) {
    const auto [stem, attempt] = stemParts(name);
    if (stem.size() != kDigits + 1 || stem.front() != 'm') return std::nullopt;
    if (attempt && !epochOfName(name)) return std::nullopt;
    std::int64_t number = 0;
    for (const char c : stem.substr(1)) {
        if (digitOf(c) < 0) return std::nullopt;
        number = number * kBase + digitOf(c);
    }
    if (number == 0) return std::nullopt;
    return ItemId{number};
}

std::optional<Epoch> epochOfName(std::string_view name) {
    const auto attempt = stemParts(name).attempt;
    const auto number = attempt ? parseInt(*attempt) : std::nullopt;
    if (!number || *number <= 0 || std::to_string(*number) != *attempt) return std::nullopt;
    return Epoch{*number};
}

std::string stemOf(std::string_view name) {
    return lowerAscii(name.substr(0, name.find('.')));
}

bool isImportFile(std::string_view name) {
    return endsWith(name, ".ccm") && name.front() != '.';
}

bool isUndeliverable(std::string_view name) {
    return endsWith(name, ".und") && name.front() != '.';
}

}  // namespace postern::adapters::ccmail
