#include "adapters/mailbox/mbox_lines.h"

#include <algorithm>
#include <cstdio>

#include "base/hex.h"
#include "base/text.h"

namespace postern::adapters {

namespace {

constexpr std::string_view kFrom = "From ";
// Enough to know any of the names below with its colon.
constexpr std::size_t kStartBytes = 24;
constexpr std::string_view kReadersOwn[] = {
    "Content-Length", "Status",     "X-Status",         "X-Keywords",        "X-UID",         "X-UIDL",
    "X-IMAP",         "X-IMAPbase", "X-Mozilla-Status", "X-Mozilla-Status2", "X-Mozilla-Keys"};

bool printable(char c) {
    return static_cast<unsigned char>(c) > 0x20 && c != 0x7f;
}

}  // namespace

std::string fromLine(std::string_view sender, WallTime received) {
    static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::string line(kFrom);
    line += sender.empty() ? "MAILER-DAEMON" : asciiAddress(sender);
    std::replace_if(
        line.begin() + kFrom.size(), line.end(), [](char c) { return !printable(c); }, '_');
    const CivilTime at = civilUtc(received);
    char date[64];
    std::snprintf(date, sizeof date, " %s %s %2d %02d:%02d:%02d %04d\n", kDays[at.weekday],
                  kMonths[at.month - 1], at.day, at.hour, at.minute, at.second, at.year);
    return line + date;
}

// CR LF becomes LF, every other CR stays.
Result<void> MboxLines::feed(std::string_view bytes) {
    if (bytes.empty()) return {};
    if (heldCr_ && bytes.front() != '\n') POSTERN_TRY(take("\r"));
    heldCr_ = bytes.back() == '\r';
    if (heldCr_) bytes.remove_suffix(1);
    while (!bytes.empty()) {
        std::size_t lineEnd = bytes.find("\r\n");
        POSTERN_TRY(take(bytes.substr(0, lineEnd)));
        if (lineEnd == std::string_view::npos) break;
        bytes.remove_prefix(lineEnd + 1);
        POSTERN_TRY(take(bytes.substr(0, 1)));
        bytes.remove_prefix(1);
    }
    return {};
}

Result<void> MboxLines::take(std::string_view bytes) {
    while (!bytes.empty()) {
        if (part_ == Part::Start) {
            POSTERN_LET(taken, takeStart(bytes));
            bytes.remove_prefix(taken);
            continue;
        }
        const std::size_t end = bytes.find('\n');
        const std::string_view line = bytes.substr(0, end == std::string_view::npos ? end : end + 1);
        if (part_ == Part::Kept) POSTERN_TRY(sink_(line));
        if (end != std::string_view::npos) part_ = Part::Start;
        bytes.remove_prefix(line.size());
    }
    return {};
}

// Collects the line's start until it is clear what the line is; the result is how many bytes that took.
Result<std::size_t> MboxLines::takeStart(std::string_view bytes) {
    std::size_t taken = 0;
    for (const char c : bytes) {
        if (c == '\n' || start_.size() == kStartBytes) {
            POSTERN_TRY(decide());
            return taken;
        }
        ++taken;
        if (c == '>' && start_.empty())
            ++quotes_;
        else
            start_ += c;
    }
    return taken;
}

Result<void> MboxLines::writeQuotes() {
    static const std::string kMany(4096, '>');
    for (; quotes_ > 0; quotes_ -= std::min<std::int64_t>(quotes_, 4096))
        POSTERN_TRY(sink_(std::string_view(kMany).substr(
            0, static_cast<std::size_t>(std::min<std::int64_t>(quotes_, 4096)))));
    return {};
}

bool MboxLines::isLeftOut(std::string_view start) {
    if (start.starts_with(" ") || start.starts_with("\t")) return skippedField_;
    const std::size_t colon = start.find(':');
    if (colon == std::string_view::npos) return false;
    const std::string_view name = trim(start.substr(0, colon));
    for (const std::string_view each : kReadersOwn) {
        if (!equalsIgnoreCase(each, name)) continue;
        if (std::find(leftOut_.begin(), leftOut_.end(), each) == leftOut_.end()) leftOut_.emplace_back(each);
        return true;
    }
    return false;
}

Result<void> MboxLines::decide() {
    if (quotes_ == 0 && start_.empty()) inHeader_ = false;
    skippedField_ = inHeader_ && quotes_ == 0 && isLeftOut(start_);
    if (start_.starts_with(kFrom)) ++quotes_;
    part_ = skippedField_ ? Part::Skipped : Part::Kept;
    if (!skippedField_) {
        POSTERN_TRY(writeQuotes());
        if (!start_.empty()) POSTERN_TRY(sink_(start_));
    }
    quotes_ = 0;
    start_.clear();
    return {};
}

Result<void> MboxLines::end() {
    if (heldCr_) POSTERN_TRY(take("\r"));
    heldCr_ = false;
    const bool openLine = part_ != Part::Start || quotes_ > 0 || !start_.empty();
    if (openLine) POSTERN_TRY(take("\n"));
    return sink_("\n");
}

}  // namespace postern::adapters
