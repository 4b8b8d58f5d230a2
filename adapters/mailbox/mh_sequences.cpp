#include "adapters/mailbox/mh_sequences.h"

#include <algorithm>

#include "base/text.h"

namespace postern::adapters {

namespace {

constexpr const char* kIndex = ".mh_sequences";
constexpr std::size_t kLargestIndex = 4 << 20;

bool isLetter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

Result<std::string> readWhole(File& file) {
    POSTERN_LET(size, file.size());
    if (size > static_cast<std::int64_t>(kLargestIndex))
        return fail(Errc::NoSpace, "it is longer than 4 MiB");
    std::string text(static_cast<std::size_t>(size), '\0');
    std::size_t filled = 0;
    while (filled < text.size()) {
        POSTERN_LET(
            got, file.readAt(static_cast<std::int64_t>(filled), text.data() + filled, text.size() - filled));
        if (got == 0) break;
        filled += got;
    }
    text.resize(filled);
    return text;
}

// The line of the sequence, from its name to its line end; at the text's end when there is none.
std::pair<std::size_t, std::size_t> lineOf(std::string_view text, std::string_view sequence) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string_view line = text.substr(at, end - at);
        if (line.starts_with(sequence) && line.substr(sequence.size()).starts_with(":")) return {at, end};
        at = end + 1;
    }
    return {text.size(), text.size()};
}

Result<File> openIndex(const Folder& folder) {
    auto opened = folder.openShared(kIndex, false);
    if (!opened.ok() && opened.error().code == Errc::NotFound) {
        const auto made = folder.create(kIndex, 0640);
        if (!made.ok() && made.error().code != Errc::Exists) return made.error();
        opened = folder.openShared(kIndex, false);
    }
    return opened;
}

}  // namespace

bool isSequenceName(std::string_view name) {
    static constexpr std::string_view kReserved[] = {"all", "cur", "first", "last", "new", "next", "prev"};
    if (name.empty() || name.size() > 64 || !isLetter(name.front())) return false;
    if (std::find(std::begin(kReserved), std::end(kReserved), name) != std::end(kReserved)) return false;
    return std::all_of(name.begin(), name.end(),
                       [](char c) { return isLetter(c) || (c >= '0' && c <= '9'); });
}

// Takes the last piece of `line`, "7" or "3-7", off when it ends right before `next`; 0 when it does not.
static std::int64_t takeNeighbour(std::string& line, std::int64_t next) {
    const std::size_t begin = line.find_last_of(": ") + 1;
    const std::string_view piece = std::string_view(line).substr(begin);
    const auto first = parseInt(piece.substr(0, piece.find('-')));
    const auto last = parseInt(piece.substr(piece.rfind('-') + 1));
    if (!first || !last || *first <= 0 || *last < *first || *last + 1 != next) return 0;
    const std::int64_t start = *first;
    line.resize(begin);
    return start;
}

Result<std::string> withNumbers(std::string_view text, std::string_view sequence,
                                const std::vector<std::string>& numbers) {
    if (text.find('\0') != std::string_view::npos) return fail(Errc::Invalid, "it has NUL bytes");
    const auto [begin, end] = lineOf(text, sequence);
    std::string line(text.substr(begin, end - begin));
    if (line.empty()) line = std::string(sequence) + ":";
    for (const std::string& number : numbers) {
        if (const std::int64_t start = takeNeighbour(line, parseInt(number).value_or(0)); start != 0)
            line += std::to_string(start) + "-" + number;
        else
            line += (line.ends_with(" ") ? "" : " ") + number;
    }
    std::string all(text.substr(0, begin));
    if (!all.empty() && all.back() != '\n') all += '\n';
    all += line;
    return all + (end < text.size() ? std::string(text.substr(end)) : "\n");
}

Result<void> addToSequence(const Folder& folder, std::string_view sequence,
                           const std::vector<std::string>& numbers) {
    const std::string path = joinPath(folder.path(), kIndex);
    auto opened = openIndex(folder);
    if (!opened.ok()) return opened.error();
    if (sequence.empty()) return {};
    const auto changed = [&]() -> Result<void> {
        POSTERN_LET(facts, opened->facts());
        if (!facts.regular) return fail(Errc::Invalid, "it is no file");
        POSTERN_LET(locked, opened->tryLock());
        if (!locked) return fail(Errc::Busy, "a reader has it locked");
        POSTERN_LET(text, readWhole(*opened));
        POSTERN_LET(wanted, withNumbers(text, sequence, numbers));
        return opened->writeAt(0, wanted);  // never shorter than what it replaces
    }();
    if (!changed.ok()) return changed.error().within(path);
    return {};
}

}  // namespace postern::adapters
