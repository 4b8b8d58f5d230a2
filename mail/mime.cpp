#include "mail/mime.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "mail/body_text.h"
#include "mail/charset.h"
#include "mail/mac.h"
#include "mail/message_header.h"
#include "mail/names.h"
#include "mail/part_kinds.h"
#include "mail/structure.h"
#include "mail/text.h"
#include "mail/tnef.h"
#include "mail/tnef_texts.h"
#include "mail/uuencode.h"

namespace postern::mail {
class MessageReader {
    static constexpr std::size_t kMostFiles = 1000;  // out of containers and uuencode, of one message

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
        POSTERN_TRY(addTnefTexts());
        noteNotesLeft();
        return std::move(out_);
    }

  private:
    const Entity& entity(int index) const { return structure_.entities[static_cast<std::size_t>(index)]; }

    void note(const std::string& text) {
        constexpr std::size_t kMost = 100;
        if (std::find(out_.notes.begin(), out_.notes.end(), text) != out_.notes.end()) return;
        if (out_.notes.size() < kMost)
            out_.notes.push_back(text);
        else
            ++notesLeft_;
    }

    void noteNotesLeft() {
        if (notesLeft_ > 0)
            out_.notes.push_back("and " + std::to_string(notesLeft_) + " more notes like these");
    }

    // What the text says itself.
    void noteHistory(const std::string& text) {
        if (std::find(out_.notes.begin(), out_.notes.end(), text) != out_.notes.end()) return;
        out_.notes.insert(out_.notes.begin() + static_cast<std::ptrdiff_t>(out_.historyNotes++), text);
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
        POSTERN_LET(body, readText(source_, raw, std::min(options_.textLimit, kExcerpt), options_.target));
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
        if (e.type == "message/external-body") return elsewhere(e);
        if (e.type == "application/pkcs7-mime" || e.type == "application/x-pkcs7-mime")
            note("signed or encrypted as one block (S/MIME): it is attached");
        if (isReadable(e) && e.disposition != "attachment" && (e.name.empty() || !hasText_)) return text(e);
        return attach(e);
    }

    Result<void> multipart(const Entity& e, int nested) {
        if (e.type == "multipart/alternative") return alternative(e, nested);
        if (e.type == "multipart/appledouble") return appleDouble(e);
        if (e.type == "multipart/signed") note("signed: the signature was left out");
        if (e.type == "multipart/encrypted") {
            noteHistory("encrypted: its text can not be read here");
            POSTERN_TRY(append("This message is encrypted: its text can not be read here.\n"));
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

    // Its size has a bound.
    Result<std::string> headerOf(const Entity& e) {
        std::string block(static_cast<std::size_t>(e.body - e.header), '\0');
        for (std::size_t filled = 0; filled < block.size();) {
            POSTERN_LET(got, source_.readAt(e.header + static_cast<std::int64_t>(filled),
                                            block.data() + filled, block.size() - filled));
            if (got == 0) return fail(Errc::Io, "the message ends early");
            filled += got;
        }
        return block;
    }

    // A file that lies elsewhere (RFC 2046 5.2.3): where stands in the parameters, which no file shows.
    Result<void> elsewhere(const Entity& e) {
        POSTERN_LET(block, headerOf(e));
        const std::string place = externalAsText(std::move(block));
        if (out_.text.size() + 1 + place.size() > options_.textLimit)
            noteBeyond();
        else
            POSTERN_TRY(append(place));
        noteHistory("a file that is not in the message: the text says where it lies");
        return attach(e);
    }

    Result<void> message(const Entity& e, int nested) {
        if (nested >= options_.nestedDepth) return attach(e);
        POSTERN_LET(block, headerOf(entity(e.children.front())));
        const std::string header =
            "----- Message inside this message -----\n" + headerAsText(std::move(block));
        if (out_.text.size() + 1 + header.size() > options_.textLimit) {
            noteBeyond();
            return attach(e);
        }
        POSTERN_TRY(append(header));
        const int around = std::exchange(message_, e.children.front());
        POSTERN_TRY(render(e.children.front(), nested + 1));
        message_ = around;
        return {};
    }

    // Text parts are joined with one blank line between them (FORMATS 2.1).
    Result<void> append(std::string_view text) {
        hasText_ = true;
        if (text.empty()) return {};
        if (!out_.text.empty()) out_.text += '\n';
        out_.text += text;
        return {};
    }

    // What a part of the message says.
    Result<void> appendOwn(std::string_view text) {
        POSTERN_TRY(append(text));
        tnefTexts_.own(message_, out_.text.size() - text.size(), out_.text.size());
        return {};
    }

    Result<void> text(const Entity& e) {
        const std::size_t used = out_.text.size() + 1;
        if (used >= options_.textLimit) {
            noteBeyond();
            return attach(e);
        }
        if (isWithoutMime(e)) {
            POSTERN_LET(files, findUuencoded(source_, e.body, e.end, kMostFiles - files_ + 1));
            const bool isOver = files.size() > kMostFiles - files_;
            if (isOver) files.pop_back();
            if (isOver)
                note("more than " + std::to_string(kMostFiles) + " files: the others are left in their text");
            if (!files.empty()) return textWithFiles(e, files, isOver);
        }
        POSTERN_LET(body, readText(source_, e, options_.textLimit - used, options_.target));
        POSTERN_TRY(appendOwn(body.text));
        if (e.isMultipart()) note("a multipart without parts: its body is taken as text");
        noteText(e, body);
        return body.cut || body.unknownCharset ? attach(e) : Result<void>();
    }

    void noteBeyond() {
        note("text beyond " + formatSize(static_cast<std::int64_t>(options_.textLimit)) + " is attached");
    }

    void noteText(const Entity& e, const BodyText& body) {
        if (body.damaged) note("the encoding of a text part is damaged");
        if (body.replaced) note("a text part has bytes that are illegal in its character set");
        if (body.controls) note("control characters of a text part are left out");
        if (body.hiddenIsShown) note("all text of the HTML is hidden: it is shown all the same");
        if (body.linksLeftOut > 0)
            note(std::to_string(body.linksLeftOut) + " addresses of links in the HTML are left out");
        if (body.unknownCharset)
            note("unknown character set " + escapeLine(e.charset, 40) +
                 ": the text is a guess, its bytes are attached");
        if (body.cut)
            note("the text was cut at " + formatSize(static_cast<std::int64_t>(options_.textLimit)) +
                 ", the whole part is attached");
    }

    // Text of a message that does not claim to know MIME (KB Q175704).
    bool isWithoutMime(const Entity& e) const {
        if (e.type != "text/plain" || e.encoding != TransferEncoding::Identity) return false;
        const Entity* message = &e;
        while (message->parent >= 0 && !entity(message->parent).isMessage())
            message = &entity(message->parent);
        return !message->mimeVersion;
    }

    // What stands around uuencoded files is the text (KB Q164662).
    Result<void> textWithFiles(const Entity& e, const std::vector<UuencodedFile>& files, bool attachWhole) {
        std::string all;
        Entity piece = e;
        bool cut = attachWhole;
        const auto take = [&](std::int64_t end) -> Result<void> {
            piece.end = end;
            const std::size_t used = std::min(out_.text.size() + 1 + all.size(), options_.textLimit);
            POSTERN_LET(body, readText(source_, piece, options_.textLimit - used, options_.target));
            all += body.text;
            cut = cut || body.cut;
            noteText(e, body);
            return {};
        };
        for (const UuencodedFile& file : files) {
            POSTERN_TRY(take(file.begin));
            piece.body = file.end;
        }
        POSTERN_TRY(take(e.end));
        POSTERN_TRY(appendOwn(all));
        files_ += files.size();
        for (const UuencodedFile& file : files) POSTERN_TRY(attachUuencoded(e, file));
        return cut ? attach(e) : Result<void>();
    }

    Result<void> attachUuencoded(const Entity& e, const UuencodedFile& file) {
        Attachment added;
        added.name = cleanLine(toUtf8(file.name, e.charset));
        added.range_ = {&source_, file.dataBegin, file.dataEnd, TransferEncoding::Uuencode};
        if (file.truncated) note("a uuencoded file has no end");
        return add(std::move(added));
    }

    Result<void> attach(const Entity& e) {
        Attachment added;
        added.type = e.isMultipart() ? "application/octet-stream" : e.type;
        added.name = e.name;
        added.range_ = {&source_, e.body, e.end, e.encoding};
        return add(std::move(added));
    }

    // `added` has a type and a name as they were written, and where its bytes are.
    Result<void> add(Attachment added) {
        if (added.type.empty()) added.type = "application/octet-stream";
        added.name = safeFileName(added.name);
        POSTERN_TRY(added.measure());
        if (containerOf(added.type, added.name) != Container::None) {
            POSTERN_LET(unpacked, unpack(added));
            if (unpacked) return {};
        }
        if (added.name.empty()) added.name = madeUpName(added.type);
        if (added.damaged) note("the encoding of attachment " + escapeLine(added.name, 80) + " is damaged");
        out_.attachments.push_back(std::move(added));
        return {};
    }

    // The files inside another, in its place. False: it is no such file, or not one for us; a note says why.
    Result<bool> unpack(const Attachment& packed) {
        const Container container = containerOf(packed.type, packed.name);
        const auto asItIs = [&](const std::string& why) {
            note(std::string(containerName(container)) + " is attached as it is: " + why);
            return false;
        };
        const std::string tooMany = "the message has more than " + std::to_string(kMostFiles) + " files";
        if (files_ >= kMostFiles) return asItIs(tooMany);
        if (packed.damaged) return asItIs("its encoding is damaged");
        if (packed.size > options_.unpackLimit - unpacked_)
            return asItIs("it has " + formatSize(packed.size) + ", the limit of a message is " +
                          formatSize(options_.unpackLimit));
        POSTERN_LET(bytes, packed.read(static_cast<std::size_t>(packed.size)));
        unpacked_ += packed.size;
        const auto memory = std::make_shared<const std::string>(std::move(bytes));
        if (container == Container::Tnef) {
            TnefLimits limits;
            limits.allText = left();
            limits.target = options_.target;
            auto message = readTnef(memory, limits);
            if (!message.ok()) return asItIs(message.error().text);
            if (message->allFiles > kMostFiles - files_) return asItIs(tooMany);
            files_ += message->allFiles;
            unpacked_ += static_cast<std::int64_t>(message->allText);
            const bool isWhole = !message->textCut;
            tnefTexts_.add(message_, *message);
            POSTERN_TRY(addTnef(std::move(message).value()));
            note("winmail.dat (TNEF) was unpacked");
            return isWhole ? true : asItIs("its text is too long");
        }
        auto file = container == Container::BinHex        ? readBinHex(*memory, left())
                    : container == Container::AppleSingle ? readAppleSingle(memory)
                                                          : readMacBinary(memory);
        if (!file.ok()) return asItIs(file.error().text);
        ++files_;
        unpacked_ += file->bytes.memory == memory ? 0 : static_cast<std::int64_t>(file->bytes.memory->size());
        note(std::string(containerName(container)) + " was unpacked, a resource fork is left out");
        if (file->name.empty()) file->name = packed.name;
        POSTERN_TRY(addUnpacked(std::move(*file)));
        return true;
    }

    // What may still be held in memory.
    std::size_t left() const {
        return static_cast<std::size_t>(std::max<std::int64_t>(0, options_.unpackLimit - unpacked_));
    }

    Result<void> addUnpacked(UnpackedFile file) {
        Attachment added;
        added.type = std::move(file.type);
        added.name = std::move(file.name);
        added.range_.begin = static_cast<std::int64_t>(file.bytes.begin);
        added.range_.end = static_cast<std::int64_t>(file.bytes.end);
        added.memory_ = std::move(file.bytes.memory);
        if (added.type.empty() || added.type.find('/') == std::string::npos)
            added.type = "application/octet-stream";
        added.name = safeFileName(added.name);
        if (added.name.empty()) added.name = madeUpName(added.type);
        POSTERN_TRY(added.measure());
        out_.attachments.push_back(std::move(added));
        return {};
    }

    // Depth is bounded by TnefLimits.
    Result<void> addTnef(TnefMessage message) {
        if (message.bodyDamaged) note("the text inside of TNEF is damaged");
        for (UnpackedFile& file : message.files) POSTERN_TRY(addUnpacked(std::move(file)));
        for (TnefMessage& inner : message.messages) POSTERN_TRY(addTnef(std::move(inner)));
        return {};
    }

    Result<void> addTnefTexts() {
        for (TnefTexts::Shown& shown : tnefTexts_.take(out_.text)) {
            if (shown.instead && trim(out_.text).empty()) out_.text.clear();
            if (shown.differs)
                note("the text inside of winmail.dat (TNEF) is another one: it stands behind the message's");
            POSTERN_TRY(appendOrAttach(std::move(shown.text)));
        }
        return {};
    }

    Result<void> appendOrAttach(std::string text) {
        if (out_.text.size() + 1 + text.size() <= options_.textLimit) return append(text);
        noteBeyond();
        UnpackedFile file;
        file.name = "message.txt";
        file.type = "text/plain";
        const std::size_t size = text.size();
        file.bytes = {std::make_shared<const std::string>(std::move(text)), 0, size};
        return addUnpacked(std::move(file));
    }

    // A header with the resource fork, then the data fork as a part of its own (RFC 1740).
    Result<void> appleDouble(const Entity& e) {
        std::string name;
        for (const int child : e.children) {
            const Entity& part = entity(child);
            const bool isHeader = part.type == "application/applefile";
            POSTERN_LET(left, isHeader ? leaveOutFork(part, name) : Result<bool>(false));
            if (left) continue;
            const bool isNameless = part.name.empty() && part.children.empty() && !isHeader;
            Entity named = part;
            if (isNameless) named.name = name;
            POSTERN_TRY(isNameless ? attach(named) : attachLeaves(child));
        }
        return {};
    }

    Result<bool> leaveOutFork(const Entity& part, std::string& name) {
        Attachment fork;
        fork.range_ = {&source_, part.body, part.end, part.encoding};
        POSTERN_TRY(fork.measure());
        if (fork.damaged || fork.size > options_.unpackLimit - unpacked_) return false;
        POSTERN_LET(bytes, fork.read(static_cast<std::size_t>(fork.size)));
        const auto found = readAppleDoubleHeader(bytes);
        if (!found.ok()) {
            note("AppleDouble is attached as it is: " + found.error().text);
            return false;
        }
        name = found->empty() ? part.name : *found;
        note("AppleDouble was unpacked, the resource fork is left out");
        return true;
    }

    // Counted per message (KB Q99716).
    std::string madeUpName(std::string_view type) {
        std::string number = std::to_string(++unnamed_);
        number.insert(0, number.size() < 5 ? 5 - number.size() : 0, '0');
        return "ATT" + number + '.' + std::string(extensionFor(type));
    }

    ByteSource& source_;
    const ReadOptions& options_;
    Structure structure_;
    Readable out_;
    bool hasText_ = false;
    int unnamed_ = 0;
    int notesLeft_ = 0;
    std::size_t files_ = 0;      // out of others, kMostFiles at most
    std::int64_t unpacked_ = 0;  // bytes held in memory for them and their texts
    int message_ = 0;            // the entity that is being rendered is a part of it
    TnefTexts tnefTexts_;
};

Result<Readable> readMessage(ByteSource& source, const ReadOptions& options) {
    return MessageReader(source, options).run();
}

}  // namespace postern::mail
