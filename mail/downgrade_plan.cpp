#include "mail/downgrade_plan.h"

#include <algorithm>
#include <functional>

#include "base/text.h"
#include "mail/charset.h"
#include "mail/code_page.h"
#include "mail/header.h"
#include "mail/line_facts.h"
#include "mail/structure.h"

namespace postern::mail {
namespace {

bool fits(const LineFacts& facts, const Carrier& carrier) {
    return (carrier.eightBit || !facts.eightBit) && (carrier.binary || !facts.binary()) &&
           (carrier.lineLimit == 0 || facts.longest <= carrier.lineLimit);
}

std::string whyNot(const LineFacts& facts, const Carrier& carrier) {
    if (facts.eightBit && !carrier.eightBit) return "8-bit bytes";
    if (facts.binary() && !carrier.binary) return "NUL, or CR or LF alone";
    return "a line of " + std::to_string(facts.longest) + " bytes";
}

bool isText(const Entity& e) {
    return e.type.starts_with("text/") || e.type.starts_with("message/");
}

// A body, not a file: its line ends and its charset are ours to change.
bool isBodyText(const Entity& e) {
    return isText(e) && e.disposition != "attachment" && e.name.empty();
}

// CR and LF are halves of characters here.
bool isWide(const Entity& e) {
    const std::string charset = lowerAscii(e.charset);
    return charset.starts_with("utf-16") || charset.starts_with("utf-32") || charset.starts_with("utf16") ||
           charset.starts_with("utf32") || charset.starts_with("ucs-") ||
           charset.starts_with("iso-10646-ucs");
}

// RFC 2046 5.2.2, 5.2.3: these are never encoded. A multipart without parts is none we could cut up.
bool mayEncode(const Entity& e) {
    return !e.isMultipart() && !e.isMessage() && e.type != "message/partial" &&
           e.type != "message/external-body" && e.unknownEncoding.empty();
}

class Planner {
  public:
    Planner(ByteSource& source, const Carrier& carrier)
        : source_(source), window_(source), carrier_(carrier) {}

    Result<DowngradePlan> run() {
        auto structure = readStructure(source_, Bounds{});
        if (!structure.ok() && structure.error().code != Errc::Invalid) return structure.error();
        if (!structure.ok()) return opaque(structure.error().text);
        structure_ = std::move(structure).value();
        POSTERN_LET(behind, entity(0, false));
        POSTERN_TRY(gap(behind, source_.size(), false));
        finish();
        return std::move(plan_);
    }

  private:
    const Entity& at(int index) const { return structure_.entities[static_cast<std::size_t>(index)]; }

    void note(const std::string& text) {
        constexpr std::size_t kMost = 30;
        if (std::find(plan_.notes.begin(), plan_.notes.end(), text) != plan_.notes.end()) return;
        if (plan_.notes.size() < kMost)
            plan_.notes.push_back(text);
        else
            ++notesLeft_;
    }

    // A message that we can not take apart passes as it is, or not at all.
    Result<DowngradePlan> opaque(const std::string& reason) {
        POSTERN_LET(facts, lineFacts(window_, 0, source_.size()));
        Carrier asBody = carrier_;
        asBody.eightBit = carrier_.eightBit && carrier_.utf8Header;
        if (!fits(facts, asBody))
            return fail(Errc::Invalid,
                        "the message has " + whyNot(facts, asBody) + " and can not be rewritten: " + reason);
        plan_.eightBit = plan_.utf8Header = facts.eightBit;
        copy(0, source_.size());
        return std::move(plan_);
    }

    void finish() {
        plan_.changed = std::any_of(plan_.steps.begin(), plan_.steps.end(),
                                    [](const Step& step) { return step.kind != StepKind::Copy; });
        if (plan_.changed && HeaderBlock(structure_.header).has("DKIM-Signature"))
            note("the DKIM signature does not hold any more");
        if (notesLeft_ > 0)
            plan_.notes.push_back("and " + std::to_string(notesLeft_) + " more notes like these");
    }

    void copy(std::int64_t begin, std::int64_t end) {
        if (begin == end) return;
        if (!plan_.steps.empty() && plan_.steps.back().kind == StepKind::Copy &&
            plan_.steps.back().end == begin) {
            plan_.steps.back().end = end;
            return;
        }
        Step step;
        step.begin = begin;
        step.end = end;
        plan_.steps.push_back(std::move(step));
    }

    // Plans an entity with all inside it; where its bytes end. Depth is bounded by Bounds::depth.
    Result<std::int64_t> entity(int index, bool frozen) {
        const Entity& e = at(index);
        const bool hasParts = e.isMultipart() && !e.children.empty();
        const bool hasMessage = e.isMessage() && !e.children.empty();
        Step body;
        HeaderNeeds needs;
        if (hasParts) POSTERN_TRY(checkBoundary(e));
        if (!hasParts && !hasMessage) POSTERN_TRY(planBody(e, frozen, body, needs));
        if (!frozen && needs.encoding.empty()) needs.encoding = relabelled(e);
        if (e.type == "message/global" && hasMessage && !frozen && !carrier_.utf8Header)
            needs.type = "message/rfc822";
        POSTERN_TRY(header(e, frozen, std::move(needs)));
        if (!hasParts && !hasMessage) {
            if (body.kind == StepKind::Copy)
                copy(e.body, e.end);
            else
                plan_.steps.push_back(std::move(body));
            return e.end;
        }
        const bool inside = frozen || e.type == "multipart/signed" || e.type == "multipart/encrypted";
        std::int64_t behind = e.body;
        for (const int child : e.children) {
            POSTERN_TRY(gap(behind, at(child).header, inside));
            POSTERN_LET(end, entity(child, inside));
            behind = end;
        }
        POSTERN_TRY(gap(behind, e.end, inside));
        return std::max(behind, e.end);
    }

    // A label that promises more than this carrier has; it is replaced by what is true.
    std::string relabelled(const Entity& e) {
        if (e.encoding != TransferEncoding::Identity || !e.unknownEncoding.empty()) return {};
        const bool tooMuch = (e.declared == "8bit" && !carrier_.eightBit) ||
                             (e.declared == "binary" && (!carrier_.binary || !carrier_.eightBit));
        if (!tooMuch) return {};
        return carrier_.eightBit ? "8bit" : "7bit";
    }

    Result<void> header(const Entity& e, bool frozen, HeaderNeeds needs) {
        const bool isMessageHeader = e.parent < 0 || at(e.parent).isMessage();
        needs.ascii = !carrier_.utf8Header;
        needs.clean = !carrier_.binary;
        needs.lineLimit = carrier_.lineLimit;
        needs.blockLimit = e.parent < 0 ? carrier_.headerLimit : 0;
        needs.words = {carrier_.charset, carrier_.preferBase64};
        needs.addMime = isMessageHeader;
        POSTERN_LET(block, bytes(e.header, e.body));
        const LineFacts facts = lineFacts(block);
        Carrier asHeader = carrier_;
        asHeader.eightBit = carrier_.utf8Header;
        // Inside a signature its bytes are those of a body, which the receiver takes.
        const bool isRaw = facts.eightBit && carrier_.utf8Header && !carrier_.rawHeader && !isUtf8(block);
        needs.utf8 = isRaw && !frozen;
        const bool fine =
            fits(facts, asHeader) && !needs.utf8 && (!isRaw || carrier_.eightBit) &&
            (needs.blockLimit == 0 || static_cast<std::int64_t>(block.size()) <= needs.blockLimit + 2);
        if (frozen && !fine) {
            asHeader.eightBit = asHeader.eightBit && (!isRaw || carrier_.eightBit);
            return refuse(whyNot(facts, asHeader) + " in a header field");
        }
        const bool edits = !needs.encoding.empty() || !needs.charset.empty() || !needs.type.empty();
        if (fine && !edits) {
            plan_.utf8Header = plan_.utf8Header || (facts.eightBit && !isRaw);
            plan_.eightBit = plan_.eightBit || isRaw;
            copy(e.header, e.body);
            return {};
        }
        POSTERN_LET(rewritten, rewriteHeader(block, needs));
        plan_.utf8Header = plan_.utf8Header || hasEightBit(rewritten.bytes);
        for (const std::string& text : rewritten.notes) note(text);
        notesLeft_ += rewritten.notesLeft;
        if (!rewritten.changed) {
            copy(e.header, e.body);
            return {};
        }
        if (!fine && facts.eightBit && (needs.ascii || needs.utf8)) note("8-bit header fields were encoded");
        if (!fine && carrier_.lineLimit > 0 && facts.longest > carrier_.lineLimit)
            note("long header lines were folded");
        Step step;
        step.kind = StepKind::Header;
        step.begin = e.header;
        step.end = e.body;
        step.header = std::move(needs);
        plan_.steps.push_back(std::move(step));
        return {};
    }

    // Its lines stand between the parts, and would have to be made anew in all of them.
    Result<void> checkBoundary(const Entity& e) const {
        const std::size_t line = e.boundary.size() + 4;  // "--" at both ends
        if (carrier_.lineLimit > 0 && line > static_cast<std::size_t>(carrier_.lineLimit))
            return fail(Errc::Invalid, "the receiver can not take a boundary of " +
                                           std::to_string(e.boundary.size()) + " bytes");
        if (hasEightBit(e.boundary) && !(carrier_.eightBit && carrier_.utf8Header))
            return fail(Errc::Invalid, "the receiver can not take a boundary that is not US-ASCII");
        return {};
    }

    Result<std::string> bytes(std::int64_t begin, std::int64_t end) {
        std::string out;
        while (begin < end) {
            POSTERN_LET(view, window_.at(begin, 1));
            const auto left = static_cast<std::size_t>(end - begin);
            out += view.substr(0, left);
            begin += static_cast<std::int64_t>(std::min(view.size(), left));
        }
        return out;
    }

    Result<void> refuse(const std::string& what) const {
        return fail(Errc::Invalid, "the receiver can not take " + what +
                                       ", and inside a signed or encrypted part nothing may be rewritten");
    }

    Result<void> planBody(const Entity& e, bool frozen, Step& step, HeaderNeeds& needs) {
        POSTERN_LET(facts, lineFacts(window_, e.body, e.end));
        const bool fine = fits(facts, carrier_);
        if (frozen) {
            plan_.eightBit = plan_.eightBit || facts.eightBit;
            return fine ? Result<void>() : refuse(whyNot(facts, carrier_));
        }
        step.begin = e.body;
        step.end = e.end;
        step.from = e.encoding;
        POSTERN_LET(isRecoded, tryRecode(e, step, needs));
        if (isRecoded) return {};
        if (fine && !isDisliked(e)) {
            plan_.eightBit = plan_.eightBit || facts.eightBit;
            return {};
        }
        return encodeBody(e, facts, step, needs);
    }

    Result<void> encodeBody(const Entity& e, const LineFacts& facts, Step& step, HeaderNeeds& needs) {
        step.kind = StepKind::Body;
        const bool isRaw = e.encoding == TransferEncoding::Identity;
        const bool isBody = isBodyText(e) && !(isRaw && isWide(e));
        // The line ends of a text are its own affair; an attachment's are its bytes (KB Q184718), unless they
        // are those of an encoding.
        LineFacts mended = facts;
        mended.bareLf = false;
        const bool isLines = isBody || !mayEncode(e) || !isRaw;
        if (facts.bareLf && isLines && fits(mended, carrier_) && !isDisliked(e)) {
            step.from = TransferEncoding::Identity;
            step.lineEnds = true;
            plan_.eightBit = plan_.eightBit || facts.eightBit;
            note("lines that ended with LF alone got CRLF");
            return {};
        }
        if (!mayEncode(e))
            return fail(Errc::Invalid, "the receiver can not take " + whyNot(facts, carrier_) +
                                           ", and a part of type " + escapeLine(e.type, 60) +
                                           " can not be rewritten");
        mended.bareCr = false;
        mended.longest = 0;
        if (e.encoding == TransferEncoding::Base64 && fits(mended, carrier_)) {
            step.kind = StepKind::Fold;
            plan_.eightBit = plan_.eightBit || facts.eightBit;
            note(escapeLine(e.type, 60) + " part with " + whyNot(facts, carrier_) +
                 ": its lines were folded");
            return {};
        }
        POSTERN_TRY(noteDamage(e));
        const bool oddEnds = facts.bareCr || facts.bareLf;
        const bool asText =
            isText(e) && !(isRaw && isWide(e)) && !carrier_.preferBase64 && (isBody || !oddEnds);
        step.to = asText ? TransferEncoding::QuotedPrintable : TransferEncoding::Base64;
        step.lineEnds = isBody && oddEnds;
        needs.encoding = asText ? "quoted-printable" : "base64";
        if (!e.hasType) POSTERN_TRY(describeText(e, facts, needs));
        const std::string why = isDisliked(e) ? "quoted-printable" : whyNot(facts, carrier_);
        note(escapeLine(e.type, 60) + " part with " + why + " became " + needs.encoding);
        return {};
    }

    // What follows the damage is lost when the rest is encoded anew.
    Result<void> noteDamage(const Entity& e) {
        if (e.encoding == TransferEncoding::Identity) return {};
        bool damaged = false;
        POSTERN_TRY(decodeRange(
            {&source_, e.body, e.end, e.encoding}, [](std::string_view) -> Result<void> { return {}; },
            &damaged));
        if (damaged) note(escapeLine(e.type, 60) + " part was damaged: what could be decoded of it was kept");
        return {};
    }

    bool isDisliked(const Entity& e) const {
        return carrier_.preferBase64 && e.encoding == TransferEncoding::QuotedPrintable;
    }

    // A text without a Content-Type, which must get one now (RFC 1428 3).
    Result<void> describeText(const Entity& e, const LineFacts& facts, HeaderNeeds& needs) {
        needs.charset = "us-ascii";
        if (!facts.eightBit) return {};
        needs.charset = "utf-8";
        std::string held;  // a character that a piece cuts in two
        return decodeRange({&source_, e.body, e.end, TransferEncoding::Identity},
                           [&](std::string_view piece) -> Result<void> {
                               held += piece;
                               std::size_t whole = held.size();
                               for (int back = 0; back < 4 && whole > 0; ++back)
                                   if ((static_cast<unsigned char>(held[--whole]) & 0xc0U) != 0x80U) break;
                               if (!isUtf8(std::string_view(held).substr(0, whole)))
                                   needs.charset = "unknown-8bit";
                               held.erase(0, whole);
                               return {};
                           });
    }

    // Whether the part is a body of text/plain in another charset that `carrier_.charset` holds.
    Result<bool> tryRecode(const Entity& e, Step& step, HeaderNeeds& needs) {
        if (carrier_.charset.empty() || e.type != "text/plain" || !isBodyText(e) || e.charset.empty() ||
            e.badType || !e.unknownEncoding.empty())
            return false;
        const std::string_view now = canonicalCharset(e.charset);
        if (now.empty() || now == "US-ASCII" || now == canonicalCharset(carrier_.charset)) return false;
        if (e.end - e.body > static_cast<std::int64_t>(kMostRecoded)) return false;
        std::string decoded;
        bool damaged = false;
        POSTERN_TRY(decodeRange(
            {&source_, e.body, e.end, e.encoding},
            [&](std::string_view piece) -> Result<void> {
                decoded += piece;
                return {};
            },
            &damaged));
        const auto text = damaged ? std::nullopt : recoded(decoded, e.charset, carrier_.charset);
        if (!text || text->find("-----BEGIN PGP SIGNED MESSAGE-----") != std::string::npos) return false;
        step.kind = StepKind::Body;
        step.charset = e.charset;
        step.newCharset = carrier_.charset;
        const LineFacts facts = lineFacts(*text);
        needs.charset = facts.eightBit ? lowerAscii(carrier_.charset) : "us-ascii";
        // A line of the decoded text could be taken for a boundary.
        const bool dashes = e.encoding != TransferEncoding::Identity &&
                            (text->starts_with("--") || text->find("\n--") != std::string::npos);
        if (fits(facts, carrier_) && !dashes) {
            needs.encoding = facts.eightBit ? "8bit" : "7bit";
            plan_.eightBit = plan_.eightBit || facts.eightBit;
        } else {
            step.to = carrier_.preferBase64 ? TransferEncoding::Base64 : TransferEncoding::QuotedPrintable;
            needs.encoding = carrier_.preferBase64 ? "base64" : "quoted-printable";
        }
        note("text in " + escapeLine(e.charset, 40) + " became " + needs.charset);
        return true;
    }

    Result<void> gap(std::int64_t begin, std::int64_t end, bool frozen) {
        if (begin >= end) return {};
        POSTERN_LET(facts, lineFacts(window_, begin, end));
        if (fits(facts, carrier_)) {
            plan_.eightBit = plan_.eightBit || facts.eightBit;
            copy(begin, end);
            return {};
        }
        if (frozen) return refuse(whyNot(facts, carrier_) + " between parts");
        plan_.eightBit = plan_.eightBit || (facts.eightBit && carrier_.eightBit);
        LineFacts mended = facts;
        mended.bareLf = false;
        note(fits(mended, carrier_) ? "lines that ended with LF alone got CRLF"
                                    : "lines between the parts, which no reader shows, were left out");
        Step step;
        step.kind = StepKind::Gap;
        step.begin = begin;
        step.end = end;
        plan_.steps.push_back(std::move(step));
        return {};
    }

    ByteSource& source_;
    Window window_;
    const Carrier& carrier_;
    Structure structure_;
    DowngradePlan plan_;
    int notesLeft_ = 0;  // not kept
};

}  // namespace

bool fitsCarrier(std::string_view line, const Carrier& carrier) {
    return fits(lineFacts(line), carrier);
}

std::optional<std::string> recoded(std::string_view bytes, const std::string& charset,
                                   const std::string& newCharset) {
    bool clean = true;
    const std::string utf8 = toUtf8(bytes, charset, &clean);
    if (!clean) return std::nullopt;
    Encoded encoded = fromUtf8(utf8, newCharset);
    if (encoded.lost > 0 || encoded.changed > 0 || toUtf8(encoded.bytes, newCharset) != utf8)
        return std::nullopt;
    return std::move(encoded.bytes);
}

Result<DowngradePlan> planDowngrade(ByteSource& source, const Carrier& carrier) {
    return Planner(source, carrier).run();
}

}  // namespace postern::mail
