#include "mail/convert_uuencode.h"

#include <algorithm>
#include <array>

#include "mail/convert.h"
#include "mail/convert_text.h"

namespace postern::mail {
namespace {

constexpr std::string_view kZeroLine = "`";
constexpr std::string_view kEndLine = "end";
constexpr std::size_t kPiece = 64 * 1024;

constexpr auto kLetters = [] {
    std::array<char, 64> all{};
    all[0] = '`';
    for (std::size_t i = 1; i < all.size(); ++i) all[i] = static_cast<char>(' ' + i);
    return all;
}();

// Where the lines behind the texts go: a new text begins where the next line would pass the limit.
class Filling {
  public:
    Filling(std::vector<std::int64_t> sizes, std::int64_t limit) : sizes_(std::move(sizes)), limit_(limit) {}

    // Whether the line begins a new text.
    bool add(std::size_t length) {
        const auto bytes = static_cast<std::int64_t>(length);
        const bool fresh = limit_ > 0 && sizes_.back() > 0 && sizes_.back() + bytes > limit_;
        if (fresh) sizes_.push_back(0);
        sizes_.back() += bytes;
        return fresh;
    }
    std::vector<std::int64_t> take() { return std::move(sizes_); }

  private:
    std::vector<std::int64_t> sizes_;
    const std::int64_t limit_;
};

std::vector<std::int64_t> sizesOf(const std::vector<std::string>& texts) {
    std::vector<std::int64_t> sizes;
    for (const std::string& text : texts) sizes.push_back(static_cast<std::int64_t>(text.size()));
    return sizes;
}

// Calls `line` with the length of each line of an encoded file, without line ends: a blank one is first.
template <class Line>
void eachLine(const ConvertedFile& file, const Line& line) {
    line(0);
    line(uuBegin(file.name).size());
    for (std::int64_t left = file.size(); left > 0; left -= static_cast<std::int64_t>(kUuLineBytes))
        line(uuLineLength(std::min(static_cast<std::size_t>(left), kUuLineBytes)));
    line(kZeroLine.size());
    line(kEndLine.size());
}

// Writes the lines, and says where a text begins.
class Writer {
  public:
    Writer(const Converted& converted, const Sink& sink,
           const std::function<Result<void>(std::int64_t)>& begin)
        : converted_(converted),
          sink_(sink),
          begin_(begin),
          ending_(lineEnd(converted.crlf)),
          sizes_(converted.textSizes()),
          filling_(sizesOf(converted.texts), converted.textLimit) {}

    Result<void> run() {
        for (const std::string& text : converted_.texts) {
            POSTERN_TRY(beginText());
            for (std::size_t at = 0; at < text.size(); at += kPiece)
                POSTERN_TRY(sink_(std::string_view(text).substr(at, kPiece)));
        }
        for (const ConvertedFile& file : converted_.encoded) POSTERN_TRY(encode(file));
        return flush();
    }

  private:
    Result<void> beginText() {
        POSTERN_TRY(flush());
        const std::int64_t size = sizes_[next_++];
        return begin_ ? begin_(size) : Result<void>();
    }

    Result<void> flush() {
        if (buffer_.empty()) return {};
        POSTERN_TRY(sink_(buffer_));
        buffer_.clear();
        return {};
    }

    Result<void> room(std::size_t length) {
        if (filling_.add(length + ending_.size())) POSTERN_TRY(beginText());
        return buffer_.size() + length + ending_.size() > kPiece ? flush() : Result<void>();
    }

    Result<void> line(std::string_view text) {
        POSTERN_TRY(room(text.size()));
        buffer_.append(text).append(ending_);
        return {};
    }

    Result<void> dataLine(std::string_view bytes) {
        POSTERN_TRY(room(uuLineLength(bytes.size())));
        appendUuLine(bytes, buffer_);
        buffer_.append(ending_);
        return {};
    }

    Result<void> encode(const ConvertedFile& file) {
        POSTERN_TRY(line(""));
        POSTERN_TRY(line(uuBegin(file.name)));
        POSTERN_TRY(file.writeTo([this](std::string_view bytes) { return encodePiece(bytes); }));
        if (!held_.empty()) POSTERN_TRY(dataLine(held_));
        held_.clear();
        POSTERN_TRY(line(kZeroLine));
        return line(kEndLine);
    }

    Result<void> encodePiece(std::string_view bytes) {
        if (!held_.empty()) {
            const std::size_t more = std::min(kUuLineBytes - held_.size(), bytes.size());
            held_.append(bytes.substr(0, more));
            bytes.remove_prefix(more);
            if (held_.size() < kUuLineBytes) return {};
            POSTERN_TRY(dataLine(held_));
        }
        for (; bytes.size() >= kUuLineBytes; bytes.remove_prefix(kUuLineBytes))
            POSTERN_TRY(dataLine(bytes.substr(0, kUuLineBytes)));
        held_ = bytes;
        return {};
    }

    const Converted& converted_;
    const Sink& sink_;
    const std::function<Result<void>(std::int64_t)>& begin_;
    const std::string_view ending_;
    const std::vector<std::int64_t> sizes_;
    Filling filling_;
    std::size_t next_ = 0;
    std::string held_;  // of a file, the beginning of a line
    std::string buffer_;
};

}  // namespace

void appendUuLine(std::string_view bytes, std::string& out) {
    out += kLetters[bytes.size()];
    const std::size_t at = out.size();
    out.resize(at + uuLineLength(bytes.size()) - 1);
    char* into = out.data() + at;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const auto byte = [&](std::size_t k) -> unsigned {
            return i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U;
        };
        const unsigned group = byte(0) << 16 | byte(1) << 8 | byte(2);
        *into++ = kLetters[group >> 18];
        *into++ = kLetters[group >> 12 & 63];
        *into++ = kLetters[group >> 6 & 63];
        *into++ = kLetters[group & 63];
    }
}

std::string uuBegin(std::string_view name) {
    return "begin 644 " + std::string(name);
}

Result<void> ConvertedFile::writeTo(const Sink& sink) const {
    if (attachment == nullptr) return bytes.empty() ? Result<void>() : sink(bytes);
    std::int64_t written = 0;
    POSTERN_TRY(attachment->writeTo([&](std::string_view piece) {
        written += static_cast<std::int64_t>(piece.size());
        return sink(piece);
    }));
    if (written == size()) return {};
    return fail(Errc::Internal, "an attachment has " + std::to_string(written) + " bytes, announced were " +
                                    std::to_string(size()));
}

std::vector<std::int64_t> Converted::textSizes() const {
    Filling filling(sizesOf(texts), textLimit);
    const std::size_t ending = lineEnd(crlf).size();
    for (const ConvertedFile& file : encoded)
        eachLine(file, [&](std::size_t length) { filling.add(length + ending); });
    return filling.take();
}

Result<void> Converted::writeTexts(const Sink& sink,
                                   const std::function<Result<void>(std::int64_t size)>& begin) const {
    return Writer(*this, sink, begin).run();
}

}  // namespace postern::mail
