#include "adapters/ftn/ftn_text.h"

#include <algorithm>

#include "base/text.h"
#include "mail/charset.h"

namespace postern::adapters::ftn {

namespace {

constexpr char kSoftCr = '\x8d';
constexpr std::size_t kHeldBytes = 10;  // " * Origin:" is the longest trap

bool beginsWith(std::string_view line, std::string_view trap) {
    return line.size() >= trap.size() && equalsIgnoreCase(line.substr(0, trap.size()), trap);
}

// Changes one byte of a beginning that a tosser would take for its own.
void defuse(std::string& line, bool first) {
    if (line == "---" || line.starts_with("--- ")) line[1] = '+';
    if (beginsWith(line, " * Origin:")) line[1] = '+';
    if (beginsWith(line, "SEEN-BY:")) line[4] = '+';
    if (first && beginsWith(line, "AREA:")) line[4] = '+';
}

}  // namespace

char softCrSubstitute(std::string_view charset) {
    constexpr std::string_view kCyrillicEn = "\xd0\x9d";  // U+041D
    bool clean = false;
    const std::string letter = mail::toUtf8(std::string_view(&kSoftCr, 1), charset, &clean);
    if (!clean || mail::fromUtf8(letter, charset).bytes != std::string_view(&kSoftCr, 1)) return 0;
    if (letter == kCyrillicEn) return 'H';
    const std::string plain = mail::toAscii(letter);
    return plain.empty() ? '?' : plain.front();
}

std::string withoutSoftCr(std::string bytes, char softCr, int& substituted) {
    if (softCr == 0) return bytes;
    substituted += static_cast<int>(std::count(bytes.begin(), bytes.end(), kSoftCr));
    std::replace(bytes.begin(), bytes.end(), kSoftCr, softCr);
    return bytes;
}

void TextWriter::begin() {
    held_.clear();
    holding_ = empty_ = firstLine_ = true;
}

Result<void> TextWriter::put(std::string_view bytes) {
    if (softCr_ == 0 || bytes.find(kSoftCr) == std::string_view::npos)
        return bytes.empty() ? Result<void>() : sink_(bytes);
    return sink_(withoutSoftCr(std::string(bytes), softCr_, substituted_));
}

Result<void> TextWriter::flushHeld() {
    defuse(held_, firstLine_);
    holding_ = false;
    const std::string line = std::move(held_);
    held_.clear();
    return put(line);
}

Result<void> TextWriter::endLine() {
    if (holding_) POSTERN_TRY(flushHeld());
    POSTERN_TRY(sink_("\r"));
    holding_ = empty_ = true;
    firstLine_ = false;
    return {};
}

Result<void> TextWriter::write(std::string_view bytes) {
    while (!bytes.empty()) {
        // To the next control character but TAB and ESC, which the sets of ISO-2022 need.
        std::size_t length = 0;
        while (length < bytes.size() && (static_cast<unsigned char>(bytes[length]) >= ' ' ||
                                         bytes[length] == '\t' || bytes[length] == '\x1b'))
            ++length;
        if (length > 0) {
            std::string_view run = bytes.substr(0, length);
            empty_ = false;
            if (holding_) {
                const std::size_t take = std::min(run.size(), kHeldBytes - held_.size());
                held_.append(run.substr(0, take));
                run.remove_prefix(take);
                if (held_.size() == kHeldBytes) POSTERN_TRY(flushHeld());
            }
            POSTERN_TRY(put(run));
        }
        if (length < bytes.size() && bytes[length] == '\n') POSTERN_TRY(endLine());
        bytes.remove_prefix(std::min(length + 1, bytes.size()));
    }
    return {};
}

Result<void> TextWriter::end() {
    return empty_ ? Result<void>() : endLine();
}

}  // namespace postern::adapters::ftn
