#include "mail/plain_message.h"

#include <algorithm>

#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "mail/address_rewrite.h"
#include "mail/charset.h"
#include "mail/code_page.h"
#include "mail/encoded_words.h"
#include "mail/field_rewrite.h"
#include "mail/header_cut.h"
#include "mail/message_header.h"
#include "mail/transfer_encoder.h"

namespace postern::mail {
namespace {

constexpr std::size_t kLongestLine = 998;

// Text in any line ends to lines that end with CRLF and have at most 998 bytes.
class TextLines {
  public:
    TextLines(const Sink& sink, bool isUtf8) : sink_(sink), isUtf8_(isUtf8) {}

    Result<void> add(std::string_view bytes) {
        for (const char c : bytes) {
            if (c == '\n') {
                line_ += "\r\n";
                column_ = 0;
            } else if (c != '\r') {
                const bool inCharacter = isUtf8_ && (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
                if (column_ >= kLongestLine - 4 && !inCharacter) {
                    line_ += "\r\n";
                    column_ = 0;
                }
                line_ += c;
                ++column_;
            }
            if (line_.size() > kFlushAt) POSTERN_TRY(flush());
        }
        return {};
    }

    Result<void> end() {
        if (column_ > 0) line_ += "\r\n";
        column_ = 0;
        return flush();
    }

  private:
    static constexpr std::size_t kFlushAt = 32 * 1024;

    Result<void> flush() {
        if (line_.empty()) return {};
        POSTERN_TRY(sink_(line_));
        line_.clear();
        return {};
    }

    const Sink& sink_;
    bool isUtf8_;
    std::string line_;
    std::size_t column_ = 0;
};

class PlainWriter {
  public:
    PlainWriter(const Readable& message, const Converted& converted, const Profile& profile, const Sink& sink)
        : message_(message), converted_(converted), profile_(profile), sink_(sink) {
        words_.charset = profile.charset;
        isAscii_ = canonicalCharset(profile.charset) == "US-ASCII";
    }

    Result<void> run() {
        POSTERN_TRY(sink_(header()));
        if (converted_.files.empty()) return texts();
        const std::string mark = boundary();
        POSTERN_TRY(sink_("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"" + mark +
                          "\"\r\n\r\n--" + mark + "\r\n"));
        POSTERN_TRY(texts());
        for (const ConvertedFile& file : converted_.files) {
            POSTERN_TRY(sink_("--" + mark + "\r\n" + fileHeader(file)));
            POSTERN_TRY(fileBody(file));
        }
        return sink_("--" + mark + "--\r\n");
    }

  private:
    // UTF-8 as the text of a field.
    std::string shown(std::string_view utf8) const {
        const std::string text = isAscii_ ? toAscii(utf8) : std::string(utf8);
        return hasEightBit(text) ? encodedWords(text, words_) : text;
    }

    std::string phrase(std::string_view utf8) const {
        const std::string text = isAscii_ ? toAscii(utf8) : std::string(utf8);
        if (hasEightBit(text)) return encodedWords(text, words_);
        const auto isPlain = [](char c) {
            return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == ' ' ||
                   c == '-' || c == '_' || c == '\'';
        };
        if (std::all_of(text.begin(), text.end(), isPlain)) return text;
        std::string out = "\"";
        for (const char c : text) {
            if (c == '"' || c == '\\') out += '\\';
            out += c;
        }
        return out + '"';
    }

    std::string mailbox(const std::string& name, const std::string& address) const {
        if (hasEightBit(address)) {
            const std::string both = phrase(name) + " <" + address + ">";
            return rewriteAddresses(both, words_).value;
        }
        if (address.empty()) return name.ends_with(":;") ? shown(name) : phrase(name) + ":;";
        if (address.find_first_of("<> \t") != std::string::npos) return phrase(name + " " + address) + ":;";
        return name.empty() ? address : phrase(name) + " <" + address + ">";
    }

    std::string list(const std::vector<Mailbox>& people) const {
        std::string out;
        for (const Mailbox& person : people)
            out += (out.empty() ? "" : ", ") + mailbox(person.name, person.address);
        return out;
    }

    std::string header() const {
        std::string out;
        const auto add = [&](std::string_view name, const std::string& value) {
            if (!trim(value).empty())
                out += folded(name, " " + value, static_cast<int>(kLongestLine)).value_or("");
        };
        const std::string fromName = toUtf8(converted_.fromName.bytes, profile_.charset);
        add("From", converted_.fromAddress.empty() && fromName.empty()
                        ? "Postmaster:;"
                        : mailbox(fromName, converted_.fromAddress));
        add("Reply-To", list(message_.replyTo));
        add("To", list(message_.to));
        add("Cc", list(message_.cc));
        add("Subject", shown(toUtf8(converted_.subject.bytes, profile_.charset)));
        add("Date", formatRfc5322(converted_.date));
        add("Message-ID", message_.messageId);
        add("In-Reply-To", message_.inReplyTo);
        std::string ids;
        for (const std::string& id : message_.references) ids += id + " ";
        const std::string shorter = shortReferences(ids);
        add("References", std::string(trim(shorter.empty() ? ids : shorter)));
        if (message_.automatic) add("Auto-Submitted", "auto-generated");
        return out;
    }

    bool isPlainText() const {
        return std::none_of(converted_.texts.begin(), converted_.texts.end(),
                            [](const std::string& text) { return hasEightBit(text); });
    }

    // The fields of the text and the text. A reader that knows no MIME needs none of them.
    Result<void> texts() {
        const bool isStateful =
            profile_.charset.size() > 8 && lowerAscii(profile_.charset).starts_with("iso-2022");
        const bool isPlain = isPlainText() && !isStateful;
        std::string fields;
        if (!isPlain && converted_.files.empty()) fields = "MIME-Version: 1.0\r\n";
        if (!isPlain)
            fields += "Content-Type: text/plain; charset=" + profile_.charset +
                      "\r\nContent-Transfer-Encoding: " + (isPlainText() ? "7bit" : "8bit") + "\r\n";
        POSTERN_TRY(sink_(fields + "\r\n"));
        TextLines lines(sink_, canonicalCharset(profile_.charset) == "UTF-8");
        POSTERN_TRY(converted_.writeTexts([&](std::string_view piece) { return lines.add(piece); }));
        return lines.end();
    }

    std::string fileHeader(const ConvertedFile& file) const {
        const std::string type = file.attachment != nullptr ? file.attachment->type : "text/plain";
        const std::string name = isAscii_ ? toAscii(file.shown) : file.shown;
        const std::string disposition = "attachment; " + encodedParameter("filename", cutUtf8(name, 250));
        return contentField("Content-Type", type, "", "") + "Content-Transfer-Encoding: base64\r\n" +
               folded("Content-Disposition", " " + disposition, static_cast<int>(kLongestLine)).value_or("") +
               "\r\n";
    }

    Result<void> fileBody(const ConvertedFile& file) const {
        TransferEncoder encoder(TransferEncoding::Base64, 76);
        std::string out;
        POSTERN_TRY(file.writeTo([&](std::string_view piece) -> Result<void> {
            out.clear();
            encoder.encode(piece, out);
            return out.empty() ? Result<void>() : sink_(out);
        }));
        out.clear();
        encoder.finish(out);
        return sink_(out + "\r\n");
    }

    // The same for the same message, and in none of its texts.
    std::string boundary() const {
        constexpr std::string_view kHex = "0123456789abcdef";
        for (int round = 0;; ++round) {
            const std::string digest =
                sha256(message_.messageId + converted_.subject.bytes + std::to_string(round));
            std::string mark = "=_";
            for (const char c : digest.substr(0, 12)) {
                mark += kHex[static_cast<unsigned char>(c) >> 4U];
                mark += kHex[static_cast<unsigned char>(c) & 15U];
            }
            const bool isThere =
                std::any_of(converted_.texts.begin(), converted_.texts.end(),
                            [&](const std::string& text) { return text.find(mark) != std::string::npos; });
            if (!isThere) return mark;
        }
    }

    const Readable& message_;
    const Converted& converted_;
    const Profile& profile_;
    const Sink& sink_;
    WordStyle words_;
    bool isAscii_ = false;
};

}  // namespace

Result<void> writePlainMessage(const Readable& message, const Converted& converted, const Profile& profile,
                               const std::function<Result<void>(std::string_view)>& sink) {
    return PlainWriter(message, converted, profile, sink).run();
}

Result<std::string> traceFields(ByteSource& source) {
    POSTERN_LET(header, readLooseHeader(source, Bounds{}));
    std::string out;
    std::string_view block = header.block;
    while (!block.empty()) {
        std::size_t end = 0;
        do {
            const auto newline = block.find('\n', end);
            end = newline == std::string_view::npos ? block.size() : newline + 1;
        } while (end < block.size() && (block[end] == ' ' || block[end] == '\t'));
        const std::string_view field = block.substr(0, end);
        block.remove_prefix(end);
        if (field.size() > 9 && equalsIgnoreCase(field.substr(0, 9), "Received:"))
            out += rewriteField("Received", field.substr(9), FieldNeeds{}).bytes;
    }
    return out;
}

}  // namespace postern::mail
