#include "mail/tnef.h"

#include <algorithm>

#include "base/text.h"
#include "mail/charset.h"
#include "mail/rtf.h"
#include "mail/text.h"
#include "mail/tnef_properties.h"

namespace postern::mail {
namespace {

constexpr std::uint32_t kSignature = 0x223e9f78;
constexpr std::uint32_t kMessageLevel = 1, kAttachmentLevel = 2;

// Attributes, by type and number (MS-OXTNEF 2.1.3.2 and 2.1.3.3).
constexpr std::uint32_t kSubject = 0x00018004, kBody = 0x0002800c, kMessageProperties = 0x00069003,
                        kCodePage = 0x00069007, kRendering = 0x00069002, kData = 0x0006800f,
                        kTitle = 0x00018010, kTransportName = 0x00069001, kAttachmentProperties = 0x00069005;

// Properties (MS-OXPROPS).
constexpr std::uint32_t kPrSubject = 0x0037, kPrSenderName = 0x0c1a, kPrSenderAddress = 0x0c1f,
                        kPrBody = 0x1000, kPrRtf = 0x1009, kPrHtml = 0x1013, kPrCodePage = 0x3fde,
                        kPrDisplayName = 0x3001, kPrAttachment = 0x3701, kPrFileName = 0x3704,
                        kPrLongFileName = 0x3707, kPrMimeType = 0x370e;
constexpr std::uint32_t kTypeObject = 0x0d;

constexpr std::string_view kMessageInterface(
    "\x07\x03\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46", 16);

// An attachment while its attributes are read; views are into the memory of all.
struct Pending {
    bool isOpen = false;
    std::string title, transportName, fileName, longName, shownName, type;
    std::string_view data;
    std::string_view object;  // PR_ATTACH_DATA_OBJ with its interface in front

    const std::string& name() const {
        for (const std::string* candidate : {&longName, &transportName, &fileName, &title})
            if (!trim(*candidate).empty()) return *candidate;
        return shownName;
    }
};

// What a body may come as; the first that says something is taken.
struct Bodies {
    std::string plain;
    std::string_view html, rtf;
    std::string htmlText;   // where it is no bytes but text
    bool plainCut = false;  // there is more of it
};

class TnefReader {
  public:
    TnefReader(const std::shared_ptr<const std::string>& memory, const TnefLimits& limits)
        : memory_(memory),
          limits_(limits),
          attributes_(limits.attributes),
          properties_(limits.properties),
          textLeft_(limits.allText) {}

    // Depth is bounded by the limits.
    Result<TnefMessage> message(std::string_view bytes, int depth) {
        if (depth > limits_.depth)
            return fail(Errc::Invalid,
                        "messages inside each other: more than " + std::to_string(limits_.depth));
        Level level;
        level.depth = depth;
        LittleEndian in(bytes);
        POSTERN_LET(signature, in.number(4));
        if (signature != kSignature) return fail(Errc::Invalid, "it does not begin as TNEF does");
        POSTERN_TRY(in.take(2));
        while (!in.empty()) {
            if (isPadding(bytes.substr(in.position()))) break;
            POSTERN_TRY(attribute(in, level));
        }
        POSTERN_TRY(endAttachment(level));
        takeText(level);
        return std::move(level.out);
    }

  private:
    struct Level {
        TnefMessage out;
        Pending attachment;
        Bodies bodies;
        std::string charset = "windows-1252", htmlCharset;
        std::string fromName, fromAddress;
        int depth = 1;
    };

    // Some relays add a line end or blanks behind the last attribute.
    static bool isPadding(std::string_view rest) {
        return rest.size() < 8 && trim(rest.substr(0, rest.find_last_not_of('\0') + 1)).empty();
    }

    Result<void> attribute(LittleEndian& in, Level& level) {
        if (--attributes_ < 0) return fail(Errc::Invalid, "it has too many attributes");
        POSTERN_LET(where, in.number(1));
        POSTERN_LET(id, in.number(4));
        POSTERN_LET(size, in.number(4));
        POSTERN_LET(value, in.take(size));
        POSTERN_LET(checksum, in.number(2));
        if (where != kMessageLevel && where != kAttachmentLevel)
            return fail(Errc::Invalid, "an attribute is of no level");
        std::uint32_t sum = 0;
        for (const char c : value) sum += static_cast<unsigned char>(c);
        if (checksum != (sum & 0xffffU) && checksum != 0) return fail(Errc::Invalid, "a checksum is wrong");
        return where == kMessageLevel ? messageAttribute(id, value, level)
                                      : attachmentAttribute(id, value, level);
    }

    Result<void> messageAttribute(std::uint32_t id, std::string_view value, Level& level) {
        if (id == kCodePage && value.size() >= 4) {
            LittleEndian in(value);
            level.charset = charsetOfCodePage(*in.number(4));
        }
        if (id == kSubject) level.out.subject = cleanLine(text(value, level));
        if (id == kBody) {
            level.bodies.plain = text(value.substr(0, limits_.text), level);
            level.bodies.plainCut = std::min(value.find('\0'), value.size()) > limits_.text;
        }
        if (id != kMessageProperties) return {};
        return readProperties(value, properties_, [&](const MapiProperty& property) {
            messageProperty(property, level);
            return Result<void>();
        });
    }

    void messageProperty(const MapiProperty& property, Level& level) {
        const auto line = [&] { return cleanLine(propertyText(property, level.charset)); };
        switch (property.id) {
            case kPrSubject: level.out.subject = line(); break;
            case kPrSenderName: level.fromName = line(); break;
            case kPrSenderAddress: level.fromAddress = line(); break;
            case kPrBody: plainProperty(property, level); break;
            case kPrRtf: level.bodies.rtf = property.value; break;
            case kPrHtml:
                if (property.type == 0x1f)
                    level.bodies.htmlText = propertyText(property, "");
                else
                    level.bodies.html = property.value;
                break;
            case kPrCodePage:
                if (property.value.size() >= 4) {
                    LittleEndian in(property.value);
                    level.htmlCharset = charsetOfCodePage(*in.number(4));
                }
                break;
            default: break;
        }
    }

    void plainProperty(MapiProperty property, Level& level) {
        level.bodies.plainCut = property.value.size() > 2 * limits_.text;
        property.value = property.value.substr(0, 2 * limits_.text);
        level.bodies.plain = propertyText(property, level.charset);
    }

    Result<void> attachmentAttribute(std::uint32_t id, std::string_view value, Level& level) {
        if (id == kRendering) POSTERN_TRY(endAttachment(level));
        Pending& attachment = level.attachment;
        attachment.isOpen = true;
        if (id == kTitle) attachment.title = cleanLine(text(value, level));
        if (id == kTransportName) attachment.transportName = cleanLine(text(value, level));
        if (id == kData) attachment.data = value;
        if (id != kAttachmentProperties) return {};
        return readProperties(value, properties_, [&](const MapiProperty& property) {
            attachmentProperty(property, level);
            return Result<void>();
        });
    }

    void attachmentProperty(const MapiProperty& property, Level& level) {
        Pending& attachment = level.attachment;
        const auto line = [&] { return cleanLine(propertyText(property, level.charset)); };
        switch (property.id) {
            case kPrDisplayName: attachment.shownName = line(); break;
            case kPrFileName: attachment.fileName = line(); break;
            case kPrLongFileName: attachment.longName = line(); break;
            case kPrMimeType: attachment.type = lowerAscii(trim(line())); break;
            case kPrAttachment:
                (property.type == kTypeObject ? attachment.object : attachment.data) = property.value;
                break;
            default: break;
        }
    }

    Result<void> endAttachment(Level& level) {
        const Pending attachment = std::exchange(level.attachment, Pending());
        if (!attachment.isOpen) return {};
        std::string_view object = attachment.object;
        if (object.starts_with(kMessageInterface)) {
            POSTERN_LET(inner, message(object.substr(kMessageInterface.size()), level.depth + 1));
            if (inner.subject.empty()) inner.subject = attachment.shownName;
            level.out.textCut = level.out.textCut || inner.textCut;
            level.out.allFiles += 1 + inner.allFiles;
            level.out.allText += inner.allText;
            level.out.messages.push_back(std::move(inner));
            return {};
        }
        if (attachment.data.data() == nullptr && object.size() >= kMessageInterface.size())
            object.remove_prefix(kMessageInterface.size());
        const std::string_view bytes = attachment.data.data() != nullptr ? attachment.data : object;
        if (bytes.data() == nullptr && attachment.name().empty()) return {};
        ++level.out.allFiles;
        level.out.files.push_back({attachment.name(), attachment.type, range(bytes)});
        return {};
    }

    OwnedRange range(std::string_view bytes) const {
        if (bytes.data() == nullptr) return {memory_, 0, 0};
        const auto begin = static_cast<std::size_t>(bytes.data() - memory_->data());
        return {memory_, begin, begin + bytes.size()};
    }

    static std::string text(std::string_view value, const Level& level) {
        return toUtf8(value.substr(0, std::min(value.find('\0'), value.size())), level.charset);
    }

    // What all texts may have together is less than what each may.
    void takeText(Level& level) {
        TnefMessage& out = level.out;
        if (!level.fromName.empty() || !level.fromAddress.empty())
            out.from = level.fromAddress.find('@') == std::string::npos
                           ? level.fromName
                           : level.fromName + " <" + level.fromAddress + ">";
        out.text = textOf(level);
        if (out.text.size() > textLeft_) {
            std::string kept(cutUtf8(out.text, std::max<std::size_t>(textLeft_, 1) - 1));
            if (!kept.empty()) kept += '\n';
            out.text = std::move(kept);
            out.textCut = true;
        }
        out.allText += out.text.size();
        textLeft_ -= out.text.size();
    }

    // A body that is damaged is no text; the message's files are there all the same (KB Q192940).
    std::string textOf(Level& level) const {
        const Bodies& bodies = level.bodies;
        if (!trim(bodies.plain).empty()) {
            level.out.textCut = level.out.textCut || bodies.plainCut;
            return normalizeLines(bodies.plain);
        }
        const std::size_t limit = limits_.text;
        const auto upTo = [&](std::string_view text) {
            level.out.textCut = level.out.textCut || text.size() > limit;
            return text.substr(0, limit);
        };
        if (!bodies.htmlText.empty()) return htmlToText(upTo(bodies.htmlText), limits_.target);
        if (!bodies.html.empty())
            return htmlToText(toUtf8(upTo(bodies.html), level.htmlCharset), limits_.target);
        if (bodies.rtf.empty()) return {};
        const auto rtf = decompressRtf(bodies.rtf, std::min(limit, 16 * bodies.rtf.size() + 4096));
        level.out.bodyDamaged = !rtf.ok();
        level.out.textCut = level.out.textCut || (!rtf.ok() && rtf.error().code == Errc::NoSpace);
        return rtf.ok() ? rtfToText(*rtf) : std::string();
    }

    const std::shared_ptr<const std::string>& memory_;
    const TnefLimits& limits_;
    int attributes_, properties_;
    std::size_t textLeft_;
};

}  // namespace

Result<TnefMessage> readTnef(const std::shared_ptr<const std::string>& bytes, const TnefLimits& limits) {
    return TnefReader(bytes, limits).message(*bytes, 1);
}

}  // namespace postern::mail
