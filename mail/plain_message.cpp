#include "mail/plain_message.h"

#include <algorithm>

#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "mail/address_rewrite.h"
#include "mail/charset.h"
#include "mail/code_page.h"
#include "mail/convert_notes.h"
#include "mail/convert_text.h"
#include "mail/encoded_words.h"
#include "mail/field_rewrite.h"
#include "mail/header.h"
#include "mail/header_cut.h"
#include "mail/message_header.h"
#include "mail/raw_fields.h"
#include "mail/transfer_encoder.h"

namespace postern::mail {
namespace {

bool isAscii(const Profile& profile) {
    return canonicalCharset(profile.charset) == "US-ASCII";
}

// Text in any line ends to lines that end with CRLF and have at most `limit` bytes. A longer one is cut
// between characters; what switches its letters by escapes is back in US-ASCII at each end (RFC 1468).
class TextLines {
  public:
    TextLines(const Sink& sink, const Profile& profile, std::size_t limit)
        : sink_(sink),
          charset_(profile.charset),
          isOneByte_(isAscii(profile) || CodePage::find(canonicalCharset(profile.charset)) != nullptr),
          limit_(limit) {}

    Result<void> add(std::string_view bytes) {
        for (const char c : bytes) {
            if (c == '\n')
                endLine();
            else if (c != '\r')
                line_ += c;
            if (out_.size() > kFlushAt) POSTERN_TRY(flush());
        }
        return {};
    }

    Result<void> end() {
        if (!line_.empty()) endLine();
        return flush();
    }

  private:
    static constexpr std::size_t kFlushAt = 32 * 1024;

    void put(std::string_view line) { out_.append(line).append("\r\n"); }

    void endLine() {
        std::string_view rest = line_;
        if (isOneByte_) {
            for (; rest.size() > limit_; rest.remove_prefix(limit_)) put(rest.substr(0, limit_));
            put(rest);
        } else if (rest.size() <= limit_) {
            put(rest);
        } else {
            cutCharacters(toUtf8(rest, charset_));
        }
        line_.clear();
    }

    void cutCharacters(std::string_view rest) {
        while (!rest.empty()) {
            std::string_view piece = cutUtf8(rest, limit_);
            std::string bytes = fromUtf8(piece, charset_).bytes;
            while (bytes.size() > limit_) {
                piece = cutUtf8(piece, piece.size() * 3 / 4);
                bytes = fromUtf8(piece, charset_).bytes;
            }
            put(bytes);
            rest.remove_prefix(piece.size());
        }
    }

    Result<void> flush() {
        if (out_.empty()) return {};
        POSTERN_TRY(sink_(out_));
        out_.clear();
        return {};
    }

    const Sink& sink_;
    const std::string& charset_;
    const bool isOneByte_;
    const std::size_t limit_;
    std::string line_, out_;
};

// The same for the same message, and in none of its texts.
std::string boundaryFor(const Readable& message, const Converted& converted) {
    constexpr std::string_view kHex = "0123456789abcdef";
    for (int round = 0;; ++round) {
        const std::string digest =
            sha256(message.messageId + converted.subject.bytes + std::to_string(round));
        std::string mark = "=_";
        for (const char c : digest.substr(0, 12)) {
            mark += kHex[static_cast<unsigned char>(c) >> 4U];
            mark += kHex[static_cast<unsigned char>(c) & 15U];
        }
        const bool isThere =
            std::any_of(converted.texts.begin(), converted.texts.end(),
                        [&](const std::string& text) { return text.find(mark) != std::string::npos; });
        if (!isThere) return mark;
    }
}

// What the text needs said about it. A reader that knows no MIME needs none of it.
std::string textFields(const Converted& converted, const Profile& profile) {
    const bool isStateful = canonicalCharset(profile.charset).starts_with("ISO-2022");
    const bool eightBit = plainHasEightBit(converted);
    if (!eightBit && !isStateful) return {};
    return "Content-Type: text/plain; charset=" + profile.charset +
           "\r\nContent-Transfer-Encoding: " + (eightBit ? "8bit" : "7bit") + "\r\n";
}

// The longest run without blanks.
std::size_t longestWord(std::string_view text) {
    std::size_t longest = 0, length = 0;
    for (const char c : text) {
        length = c == ' ' || c == '\t' ? 0 : length + 1;
        longest = std::max(longest, length);
    }
    return longest;
}

// Behind the quoted string that `text` begins with; 0 when it is not closed.
std::size_t behindQuotes(std::string_view text) {
    std::size_t at = 1;
    while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
    return at < text.size() ? at + 1 : 0;
}

// Whether `address` can stand in a list as it is: an encoded word may have held a comma.
bool isPlainAddress(std::string_view address) {
    constexpr std::string_view kSpecials = "()<>,;:\\\"[] \t";
    if (address.starts_with('"')) {
        const std::size_t local = behindQuotes(address);
        if (local == 0 || local >= address.size() || address[local] != '@') return false;
        address.remove_prefix(local);
    }
    const auto literal = address.rfind("@[");
    if (literal != std::string_view::npos && address.ends_with(']')) {
        const std::string_view inside = address.substr(literal + 2, address.size() - literal - 3);
        // The one special that an address of IPv6 has.
        if (inside.find_first_of("()<>,;\\\"[] \t") != std::string_view::npos) return false;
        address = address.substr(0, literal);
    }
    return address.find_first_of(kSpecials) == std::string_view::npos;
}

class HeaderWriter {
  public:
    HeaderWriter(const Readable& message, const Profile& profile, const PlainLimits& limits,
                 Converted& converted)
        : message_(message), profile_(profile), limits_(limits), converted_(converted) {
        words_.charset = profile.charset;
        isAscii_ = isAscii(profile);
    }

    Result<PlainHeader> run(std::vector<std::string> trace) {
        fields_ = std::move(trace);
        addFields();
        addMime();
        POSTERN_TRY(checkLosses());
        POSTERN_TRY(cutHeader(fields_, limits_.header, converted_.notes));
        for (const std::string& field : fields_) header_.fields += field;
        return std::move(header_);
    }

  private:
    std::size_t longest() const { return static_cast<std::size_t>(limits_.line); }

    void note(std::string text) { converted_.notes.push_back(std::move(text)); }

    void add(std::string_view name, const std::string& value) {
        if (trim(value).empty()) return;
        auto field = folded(name, " " + value, limits_.line);
        if (field)
            fields_.push_back(std::move(*field));
        else
            note(std::string(name) + " was left out: a piece of it is longer than a line may be");
    }

    // UTF-8 as the text of a field.
    std::string shown(std::string_view utf8) const {
        const std::string text = isAscii_ ? toAscii(utf8) : std::string(utf8);
        return hasEightBit(text) || longestWord(text) + 2 > longest() ? encodedWords(text, words_) : text;
    }

    // A name; what US-ASCII lacks of it is counted.
    std::string phrase(std::string_view utf8) {
        const Encoded ascii = isAscii_ ? fromUtf8(utf8, profile_.charset) : Encoded{std::string(utf8), 0, 0};
        lost_ += ascii.lost;
        converted_.changed += ascii.changed;
        if (ascii.lost > 0 && lacked_.empty()) lacked_ = lackedBy(profile_.charset, utf8);
        const std::string& text = ascii.bytes;
        if (hasEightBit(text) || longestWord(text) + 8 > longest()) return encodedWords(text, words_);
        const auto isPlain = [](char c) {
            return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == ' ' ||
                   c == '-' || c == '_' || c == '\'';
        };
        if (std::all_of(text.begin(), text.end(), isPlain)) return text;
        // The backslashes may make a word too long.
        const std::string quoted = quotedString(text);
        return longestWord(quoted) + 7 > longest() ? encodedWords(text, words_) : quoted;
    }

    std::string mailbox(std::string_view field, const std::string& name, const std::string& address) {
        constexpr std::size_t kMostShown = 200;
        if (hasEightBit(address)) {
            const std::string both = phrase(name) + " <" + address + ">";
            const std::string value = rewriteAddresses(both, words_).value;
            if (longestWord(value) + 2 <= longest()) return value;
        }
        if (address.empty())
            return phrase(name.ends_with(":;") ? name.substr(0, name.size() - 2) : name) + ":;";
        if (hasEightBit(address) || address.size() + 4 > longest()) {
            note("an address of " + std::to_string(address.size()) + " bytes in " + std::string(field) +
                 " is longer than a line may be and was cut");
            return phrase(cutUtf8(name + (name.empty() ? "" : " ") + address, kMostShown)) + ":;";
        }
        if (!isPlainAddress(address)) return phrase(name + (name.empty() ? "" : " ") + address) + ":;";
        return name.empty() ? address : phrase(name) + " <" + address + ">";
    }

    std::string list(std::string_view field, const std::vector<Mailbox>& people) {
        std::string out;
        for (const Mailbox& person : people)
            out += (out.empty() ? "" : ", ") + mailbox(field, person.name, person.address);
        return out;
    }

    // Ids as they came, but those that no line of US-ASCII holds.
    std::string ids(std::string_view field, const std::string& value) {
        std::string out;
        for (const std::string& id : parseIds(value)) {
            if (hasEightBit(id) || longestWord(id) + 2 > longest())
                note("an id of " + std::to_string(id.size()) + " bytes in " + std::string(field) +
                     " was left out");
            else
                out += (out.empty() ? "" : " ") + id;
        }
        return out;
    }

    void addFields() {
        const std::string fromName = toUtf8(converted_.fromName.bytes, profile_.charset);
        add("From", converted_.fromAddress.empty() && fromName.empty()
                        ? "Postmaster:;"
                        : mailbox("From", fromName, converted_.fromAddress));
        add("Reply-To", list("Reply-To", message_.replyTo));
        add("To", list("To", message_.to));
        add("Cc", list("Cc", message_.cc));
        add("Subject", shown(toUtf8(converted_.subject.bytes, profile_.charset)));
        add("Date", formatRfc5322(converted_.date));
        add("Message-ID", ids("Message-ID", message_.messageId));
        add("In-Reply-To", ids("In-Reply-To", message_.inReplyTo));
        std::string all;
        for (const std::string& id : message_.references) all += id + " ";
        const std::string shorter = shortReferences(all);
        add("References", ids("References", shorter.empty() ? all : shorter));
        if (message_.automatic) add("Auto-Submitted", "auto-generated");
    }

    void addMime() {
        if (converted_.files.empty()) {
            const std::string text = textFields(converted_, profile_);
            if (!text.empty()) fields_.push_back("MIME-Version: 1.0\r\n" + text);
            return;
        }
        header_.boundary = boundaryFor(message_, converted_);
        fields_.push_back("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"" +
                          header_.boundary + "\"\r\n");
    }

    Result<void> checkLosses() {
        if (lost_ == 0) return {};
        converted_.lost += lost_;
        if (profile_.lossy == Lossy::Bounce)
            return fail(Errc::Invalid,
                        lossNote(lost_, "recipients' names", lacked_) + ": they can not be written here");
        if (profile_.lossy == Lossy::Note) note(lossNote(lost_, "recipients' names", lacked_));
        return {};
    }

    const Readable& message_;
    const Profile& profile_;
    const PlainLimits& limits_;
    Converted& converted_;
    PlainHeader header_;
    std::vector<std::string> fields_;
    WordStyle words_;
    bool isAscii_ = false;
    int lost_ = 0;
    std::string lacked_;  // the first characters that were lost
};

class PlainWriter {
  public:
    PlainWriter(const std::string& boundary, const Converted& converted, const Profile& profile,
                int lineLimit, const Sink& sink)
        : boundary_(boundary), converted_(converted), profile_(profile), lineLimit_(lineLimit), sink_(sink) {}

    Result<void> run() {
        if (converted_.files.empty()) {
            POSTERN_TRY(sink_("\r\n"));
            return texts();
        }
        const std::string& mark = boundary_;
        POSTERN_TRY(sink_("\r\n--" + mark + "\r\n" + textFields(converted_, profile_) + "\r\n"));
        POSTERN_TRY(texts());
        for (const ConvertedFile& file : converted_.files) {
            POSTERN_TRY(sink_("--" + mark + "\r\n" + fileHeader(file)));
            POSTERN_TRY(fileBody(file));
        }
        return sink_("--" + mark + "--\r\n");
    }

  private:
    Result<void> texts() {
        TextLines lines(sink_, profile_, static_cast<std::size_t>(lineLimit_));
        POSTERN_TRY(converted_.writeTexts([&](std::string_view piece) { return lines.add(piece); }));
        return lines.end();
    }

    // Base64 is not for messages and multiparts (RFC 2046 5.1, 5.2.1).
    static std::string typeOf(const ConvertedFile& file) {
        constexpr std::size_t kLongest = 60;
        if (file.attachment == nullptr) return "text/plain";
        const std::string type = lowerAscii(file.attachment->type);
        if (type.size() > kLongest || type.starts_with("message/") || type.starts_with("multipart/"))
            return "application/octet-stream";
        return file.attachment->type;
    }

    std::string fileHeader(const ConvertedFile& file) const {
        const std::string name = toUtf8(file.name, profile_.charset);
        const std::string disposition = "attachment; " + encodedParameter("filename", cutUtf8(name, 250));
        return contentField("Content-Type", typeOf(file), "", "", lineLimit_) +
               "Content-Transfer-Encoding: base64\r\n" +
               folded("Content-Disposition", " " + disposition, lineLimit_)
                   .value_or("Content-Disposition: attachment\r\n") +
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

    const std::string& boundary_;
    const Converted& converted_;
    const Profile& profile_;
    const int lineLimit_;
    const Sink& sink_;
};

}  // namespace

bool plainHasEightBit(const Converted& converted) {
    return std::any_of(converted.texts.begin(), converted.texts.end(),
                       [](const std::string& text) { return hasEightBit(text); }) ||
           std::any_of(converted.encoded.begin(), converted.encoded.end(),
                       [](const ConvertedFile& file) { return hasEightBit(file.name); });
}

Result<PlainHeader> plainHeader(const Readable& message, const Profile& profile, const PlainLimits& limits,
                                std::vector<std::string> trace, Converted& converted) {
    return HeaderWriter(message, profile, limits, converted).run(std::move(trace));
}

Result<void> writePlainMessage(const PlainHeader& header, const Converted& converted, const Profile& profile,
                               const PlainLimits& limits, const Sink& sink) {
    POSTERN_TRY(sink(header.fields));
    return PlainWriter(header.boundary, converted, profile, limits.line, sink).run();
}

Result<std::vector<std::string>> traceFields(ByteSource& source, const PlainLimits& limits) {
    POSTERN_LET(header, readLooseHeader(source, Bounds{}));
    std::vector<std::string> out;
    FieldNeeds needs;
    needs.lineLimit = limits.line;
    std::string_view block = header.block;
    while (!block.empty()) {
        const RawField field = takeField(block);
        if (equalsIgnoreCase(field.name, "Received") && field.hasColon)
            out.push_back(rewriteField("Received", field.value, needs).bytes);
    }
    return out;
}

}  // namespace postern::mail
