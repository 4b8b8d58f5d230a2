#include "mail/mime.h"

#include <algorithm>

#include "base/text.h"
#include "mail/body_text.h"
#include "mail/charset.h"
#include "mail/message_header.h"
#include "mail/names.h"
#include "mail/structure.h"
#include "mail/text.h"

namespace postern::mail {
namespace {

bool isReadable(const Entity& entity) {
    return entity.type == "text/plain" || entity.type == "text/html" || entity.type == "text/enriched" ||
           entity.type == "text/richtext" || entity.type == "text/rfc822-headers" ||
           entity.type == "message/delivery-status" || entity.type == "message/disposition-notification" ||
           entity.type == "message/feedback-report" || (entity.isMultipart() && entity.children.empty());
}

bool isSignature(const Entity& entity) {
    return entity.type == "application/pgp-signature" || entity.type == "application/pkcs7-signature" ||
           entity.type == "application/x-pkcs7-signature";
}

// Another rendering of a text that was chosen: leaving it out loses nothing.
bool isOtherRendering(const Entity& entity) {
    return entity.disposition != "attachment" &&
           (isReadable(entity) || entity.type == "text/watch-html" || entity.type == "text/x-amp-html");
}

// For parts without a name (KB Q192542): one that a reader's system can open, where the type tells.
std::string_view extensionFor(std::string_view type) {
    struct Known {
        std::string_view type, extension;
    };
    static constexpr Known kKnown[] = {
        {"text/plain", "TXT"},
        {"text/html", "HTM"},
        {"text/calendar", "ICS"},
        {"text/csv", "CSV"},
        {"text/rtf", "RTF"},
        {"text/vcard", "VCF"},
        {"application/rtf", "RTF"},
        {"message/rfc822", "EML"},
        {"image/jpeg", "JPG"},
        {"image/png", "PNG"},
        {"image/gif", "GIF"},
        {"image/bmp", "BMP"},
        {"image/tiff", "TIF"},
        {"application/pdf", "PDF"},
        {"application/zip", "ZIP"},
        {"audio/mpeg", "MP3"},
        {"application/msword", "DOC"},
        {"application/pkcs7-mime", "P7M"},
        {"application/pgp-encrypted", "ASC"},
    };
    for (const Known& known : kKnown)
        if (known.type == type) return known.extension;
    return "DAT";
}

}  // namespace

class MessageReader {
  public:
    MessageReader(ByteSource& source, const ReadOptions& options) : source_(source), options_(options) {}

    Result<Readable> run() {
        auto structure = readStructure(source_, options_.bounds);
        if (!structure.ok() && structure.error().code == Errc::Invalid) return opaque(structure.error().text);
        if (!structure.ok()) return structure.error();
        structure_ = std::move(structure).value();
        readHeader(structure_.header, out_);
        if (structure_.shape.unterminated) note("a multipart lacks its final boundary");
        POSTERN_TRY(render(0, 0));
        return std::move(out_);
    }

  private:
    const Entity& entity(int index) const { return structure_.entities[static_cast<std::size_t>(index)]; }

    void note(const std::string& text) {
        constexpr std::size_t kMost = 100;
        if (out_.notes.size() < kMost &&
            std::find(out_.notes.begin(), out_.notes.end(), text) == out_.notes.end())
            out_.notes.push_back(text);
    }

    // REQUIRES: nothing of out_ is filled yet.
    Result<Readable> opaque(const std::string& reason) {
        constexpr std::size_t kExcerpt = 64 * 1024;
        POSTERN_LET(header, readLooseHeader(source_, options_.bounds));
        readHeader(std::move(header.block), out_);
        out_.opaque = true;
        Entity raw;
        raw.body = header.body;
        raw.end = source_.size();
        POSTERN_LET(body, readText(source_, raw, std::min(options_.textLimit, kExcerpt)));
        out_.text = std::move(body.text);
        Entity whole;
        whole.type = "message/rfc822";
        whole.name = "message.eml";
        whole.end = source_.size();
        POSTERN_TRY(attach(whole));
        note(reason + "; the body is given as it came, the whole message is attached as message.eml");
        return std::move(out_);
    }

    // Depth is bounded by Bounds::depth.
    Result<void> render(int index, int nested) {
        const Entity& e = entity(index);
        if (e.badType) note("a Content-Type that makes no sense");
        if (!e.unknownEncoding.empty())
            note("unknown Content-Transfer-Encoding " + escapeLine(e.unknownEncoding, 40) +
                 ", left as it is");
        if (e.isMultipart() && !e.children.empty()) return multipart(e, nested);
        if (e.isMessage() && e.disposition != "attachment" && !e.children.empty()) return message(e, nested);
        if (e.type == "application/pkcs7-mime" || e.type == "application/x-pkcs7-mime")
            note("signed or encrypted as one block (S/MIME): it is attached");
        if (isReadable(e) && e.disposition != "attachment" && (e.name.empty() || !hasText_)) return text(e);
        return attach(e);
    }

    Result<void> multipart(const Entity& e, int nested) {
        if (e.type == "multipart/alternative") return alternative(e, nested);
        if (e.type == "multipart/signed") note("signed: the signature was left out");
        if (e.type == "multipart/encrypted") {
            note("encrypted: the parts are attached");
            POSTERN_TRY(append("This message is encrypted. Its parts are attached.\n"));
        }
        for (const int child : e.children) {
            if (e.type == "multipart/signed" && isSignature(entity(child))) continue;
            POSTERN_TRY(e.type == "multipart/encrypted" ? attachLeaves(child) : render(child, nested));
        }
        return {};
    }

    Result<void> alternative(const Entity& e, int nested) {
        POSTERN_LET(chosen, choose(e));
        for (const int child : e.children) {
            if (child == chosen)
                POSTERN_TRY(render(child, nested));
            else
                POSTERN_TRY(attachRest(child));
        }
        return {};
    }

    // The plain text, if it says anything (FORMATS 2.1); else the first that can be made text.
    Result<int> choose(const Entity& e) const {
        for (const std::string_view type : {"text/plain", "text/enriched", "text/html"})
            for (const int child : e.children) {
                POSTERN_LET(has, hasTextOf(child, type));
                if (has) return child;
            }
        return e.children.front();
    }

    Result<bool> hasTextOf(int index, std::string_view type) const {
        const Entity& e = entity(index);
        for (const int child : e.children) {
            POSTERN_LET(has, hasTextOf(child, type));
            if (has) return true;
        }
        if (e.type != type || e.disposition == "attachment") return false;
        POSTERN_LET(blank, isBlankText(source_, e));
        return !blank;
    }

    // Of an alternative that was not chosen: everything that is not just the same text once more.
    Result<void> attachRest(int index) {
        const Entity& e = entity(index);
        if (e.children.empty() && isOtherRendering(e)) return {};
        return attachLeaves(index, true);
    }

    Result<void> attachLeaves(int index, bool onlyRest = false) {
        const Entity& e = entity(index);
        if (!e.isMultipart() || e.children.empty()) return attach(e);
        for (const int child : e.children) POSTERN_TRY(onlyRest ? attachRest(child) : attachLeaves(child));
        return {};
    }

    Result<void> message(const Entity& e, int nested) {
        if (nested >= options_.nestedDepth) return attach(e);
        const Entity& inner = entity(e.children.front());
        std::string block(static_cast<std::size_t>(inner.body - inner.header), '\0');
        for (std::size_t filled = 0; filled < block.size();) {
            POSTERN_LET(got, source_.readAt(inner.header + static_cast<std::int64_t>(filled),
                                            block.data() + filled, block.size() - filled));
            if (got == 0) return fail(Errc::Io, "the message ends early");
            filled += got;
        }
        POSTERN_TRY(append("----- Message inside this message -----\n" + headerAsText(std::move(block))));
        return render(e.children.front(), nested + 1);
    }

    // Text parts are joined with one blank line between them (FORMATS 2.1).
    Result<void> append(std::string_view text) {
        hasText_ = true;
        if (text.empty()) return {};
        if (!out_.text.empty()) out_.text += '\n';
        out_.text += text;
        return {};
    }

    Result<void> text(const Entity& e) {
        const std::size_t used = out_.text.size() + 1;
        if (used >= options_.textLimit) {
            note("text beyond " + formatSize(static_cast<std::int64_t>(options_.textLimit)) + " is attached");
            return attach(e);
        }
        POSTERN_LET(body, readText(source_, e, options_.textLimit - used));
        POSTERN_TRY(append(body.text));
        if (e.isMultipart()) note("a multipart without parts: its body is taken as text");
        if (body.damaged) note("the encoding of a text part is damaged");
        if (body.replaced) note("a text part has bytes that are illegal in its character set");
        if (body.unknownCharset)
            note("unknown character set " + escapeLine(e.charset, 40) +
                 ": the text is a guess, its bytes are attached");
        if (body.cut)
            note("the text was cut at " + formatSize(static_cast<std::int64_t>(options_.textLimit)) +
                 ", the whole part is attached");
        return body.cut || body.unknownCharset ? attach(e) : Result<void>();
    }

    Result<void> attach(const Entity& e) {
        Attachment added;
        added.type = e.isMultipart() ? "application/octet-stream" : e.type;
        added.name = safeFileName(e.name);
        if (added.name.empty()) added.name = madeUpName(e);
        added.range_ = {&source_, e.body, e.end, e.encoding};
        POSTERN_TRY(added.measure());
        if (added.damaged) note("the encoding of attachment " + escapeLine(added.name, 80) + " is damaged");
        if (e.type == "application/ms-tnef" || equalsIgnoreCase(added.name, "winmail.dat"))
            note("winmail.dat (TNEF) is attached as it is");
        out_.attachments.push_back(std::move(added));
        return {};
    }

    // Counted per message (KB Q99716).
    std::string madeUpName(const Entity& e) {
        std::string number = std::to_string(++unnamed_);
        number.insert(0, number.size() < 5 ? 5 - number.size() : 0, '0');
        return "ATT" + number + '.' + std::string(extensionFor(e.type));
    }

    ByteSource& source_;
    const ReadOptions& options_;
    Structure structure_;
    Readable out_;
    bool hasText_ = false;
    int unnamed_ = 0;
};

Result<Readable> readMessage(ByteSource& source, const ReadOptions& options) {
    return MessageReader(source, options).run();
}

}  // namespace postern::mail
