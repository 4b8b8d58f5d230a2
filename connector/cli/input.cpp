#include "connector/cli/input.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace postern::cli {

namespace {

constexpr std::size_t kPiece = 65536;
constexpr std::size_t kInMemory = 1 << 20;

Error unreadable() {
    return fail(Errc::Io, "standard input can not be read");
}

// Up to and with the next LF, at most `size` bytes.
std::size_t takeLine(std::istream& in, char* into, std::size_t size) {
    std::size_t got = 0;
    auto* buffer = in.rdbuf();
    while (got < size) {
        const auto c = buffer->sbumpc();
        if (c == std::char_traits<char>::eof()) break;
        into[got++] = std::char_traits<char>::to_char_type(c);
        if (into[got - 1] == '\n') break;
    }
    return got;
}

}  // namespace

Result<std::size_t> InputBytes::read(char* into, std::size_t size) {
    in_.read(into, static_cast<std::streamsize>(size));
    if (in_.bad()) return unreadable();
    return static_cast<std::size_t>(in_.gcount());
}

Result<std::size_t> InputLines::read(char* into, std::size_t size) {
    if (in_.bad()) return unreadable();
    std::size_t got = takeLine(in_, into, size - 1);
    const std::string_view line(into, got);
    if (line.ends_with('\n') && !line.ends_with("\r\n")) {
        into[got - 1] = '\r';
        into[got++] = '\n';
    }
    return got;
}

Result<std::size_t> InputUpToDot::read(char* into, std::size_t size) {
    if (in_.bad()) return unreadable();
    while (!ended_ && line_.size() < size) {
        char piece[kPiece];
        const std::size_t got = takeLine(in_, piece, sizeof piece);
        const std::string_view line(piece, got);
        ended_ = got == 0 || (lineStart_ && (line == ".\n" || line == ".\r\n" || line == "."));
        if (!ended_) line_ += line;
        lineStart_ = line.ends_with('\n');
    }
    const std::size_t now = std::min(size, line_.size());
    std::memcpy(into, line_.data(), now);
    line_.erase(0, now);
    return now;
}

Result<std::unique_ptr<Kept>> Kept::all(admin::ByteStream& from, std::int64_t most) {
    auto kept = std::make_unique<Kept>();
    const auto piece = std::make_unique<char[]>(kPiece);
    for (;;) {
        POSTERN_LET(got, from.read(piece.get(), kPiece));
        if (got == 0) break;
        kept->size_ += static_cast<std::int64_t>(got);
        if (kept->size_ > most) return fail(Errc::Invalid, "the mail is larger than " + formatSize(most));
        POSTERN_TRY(kept->add(piece.get(), got));
    }
    if (kept->file_) std::rewind(kept->file_.get());
    return kept;
}

Result<void> Kept::add(const char* bytes, std::size_t size) {
    if (!file_ && memory_.size() + size <= kInMemory) {
        memory_.append(bytes, size);
        return {};
    }
    if (!file_) file_.reset(std::tmpfile());
    if (!file_ || std::fwrite(bytes, 1, size, file_.get()) != size || std::fflush(file_.get()) != 0)
        return fail(Errc::Io, "the mail can not be kept in a temporary file");
    return {};
}

Result<std::size_t> Kept::read(char* into, std::size_t size) {
    if (at_ == memory_.size()) {
        const std::size_t got = file_ ? std::fread(into, 1, size, file_.get()) : 0;
        if (file_ && std::ferror(file_.get()) != 0)
            return fail(Errc::Io, "the temporary file with the mail can not be read");
        return got;
    }
    const std::size_t now = std::min(size, memory_.size() - at_);
    std::memcpy(into, memory_.data() + at_, now);
    at_ += now;
    return now;
}

}  // namespace postern::cli
