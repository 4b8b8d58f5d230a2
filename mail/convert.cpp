#include "mail/convert.h"

#include "base/text.h"
#include "mail/charset.h"
#include "mail/code_page.h"
#include "mail/convert_notes.h"
#include "mail/convert_text.h"
#include "mail/names.h"
#include "mail/text.h"

namespace postern::mail {
namespace {

constexpr std::size_t kMostShown = 200;  // bytes of a name or header in a note
constexpr int kNoteColumns = 76;

std::string more(int count) {
    return "and " + std::to_string(count) + " more like these";
}

class Conversion {
  public:
    Conversion(const Readable& message, const Origin& origin, const Profile& profile)
        : message_(message), origin_(origin), profile_(profile), names_(ruleOf(profile)) {}

    Result<Converted> run() {
        out_.crlf = profile_.crlf;
        out_.textLimit = profile_.textLimit;
        readersNotes();
        convertSender();
        convertDate();
        convertSubject();
        convertText();
        convertFiles();
        POSTERN_TRY(checkLosses());
        placeText();
        out_.notes = notes_.takeHistory();
        return std::move(out_);
    }

  private:
    // An escape sequence is no part of a name (KB Q157000): charsets that switch by them give way to
    // US-ASCII.
    static std::string nameCharset(const Profile& profile) {
        return canonicalCharset(profile.charset).starts_with("ISO-2022") ? "us-ascii" : profile.charset;
    }

    static NameRule ruleOf(const Profile& profile) {
        return {profile.fileNames == FileNames::Dos, static_cast<std::size_t>(profile.fileNameLimit),
                nameCharset(profile), profile.forbiddenInNames};
    }

    // What was guessed about a header is for the history; what a body lost is for its reader too.
    void readersNotes() {
        for (std::size_t i = 0; i < message_.notes.size(); ++i) {
            if (i < message_.historyNotes)
                notes_.history(message_.notes[i]);
            else
                notes_.loss(message_.notes[i]);
        }
    }

    void count(int lost, int changed, std::string_view what, const std::string& lacked,
               std::string_view utf8) {
        out_.lost += lost;
        out_.changed += changed;
        if (lost == 0) return;
        if (lacked_.empty()) lacked_ = lacked.empty() ? lackedBy(profile_.charset, utf8) : lacked;
        if (profile_.lossy == Lossy::Allow) return;
        notes_.loss(lossNote(lost, what, lacked.empty() ? lackedBy(profile_.charset, utf8) : lacked));
    }

    Line fit(std::string_view utf8, int limit, std::string_view what) {
        FittedLine fitted = fittedLine(utf8, limit, profile_);
        count(fitted.lost, fitted.changed, what, fitted.lacked, utf8);
        return std::move(fitted.line);
    }

    void convertSender() {
        out_.fromName = fit(message_.from.name, profile_.nameLimit, "sender's name");
        if (out_.fromName.cut)
            notes_.loss("the sender's name was cut: " + escapeLine(message_.from.name, kMostShown));
        out_.fromAddress = cleanLine(message_.from.address.empty() ? origin_.sender : message_.from.address);
        const Encoded written = fromUtf8(out_.fromAddress, profile_.charset);
        if (written.lost > 0 || written.changed > 0)
            notes_.loss("the sender's address can not be written in " + profile_.charset +
                        ": an answer would go astray");
    }

    bool yearFits(WallTime date) const {
        const int year = civilUtc(profile_.zone.local(date)).year;
        return (profile_.firstYear == 0 || year >= profile_.firstYear) &&
               (profile_.lastYear == 0 || year <= profile_.lastYear);
    }

    // A message without a date has the time of receipt for one, and loses nothing.
    void convertDate() {
        out_.date = origin_.received;
        if (message_.date && yearFits(*message_.date)) {
            out_.date = *message_.date;
            return;
        }
        const std::string seen =
            message_.date ? formatUtc(*message_.date) : escapeLine(message_.dateText, kMostShown);
        if (!seen.empty())
            notes_.loss("its date '" + seen + "' can not be shown; the time of receipt stands there");
    }

    void convertSubject() {
        out_.subject = fit(message_.subject, profile_.subjectLimit, "subject");
        if (!out_.subject.cut) return;
        notes_.history("the subject was cut; the whole stands in the text");
        // Its losses are counted already.
        text_ = writtenText("Subject: " + cleanLine(message_.subject) + "\n\n", profile_).bytes;
    }

    void convertText() {
        WrittenBody body = writtenBody(message_.text, profile_);
        Encoded& written = body.written;
        count(written.lost, written.changed, "text", {}, message_.text);
        if (body.breaksSignature)
            notes_.loss(
                "the signature inside the text no longer holds: signed characters are written in another "
                "way");
        text_ = text_.empty() ? std::move(written.bytes) : text_ + written.bytes;
    }

    void convertFiles() {
        // Before the attachments, so that it keeps its name.
        if (profile_.longText == LongText::Attach && profile_.textLimit > 0)
            longTextName_ = names_.add(profile_.longTextName);
        for (const Attachment& attachment : message_.attachments) addFile(attachment);
        countNames();
    }

    void addFile(const Attachment& attachment) {
        const std::string shown = escapeLine(attachment.name, kMostShown);
        const bool tooLarge = profile_.attachmentLimit > 0 && attachment.size > profile_.attachmentLimit;
        if (tooLarge || profile_.attachments == AttachmentMode::Drop) {
            notes_.loss("the file '" + shown + "' (" + formatSize(attachment.size) + ") was left out" +
                        (tooLarge ? ": the limit is " + formatSize(profile_.attachmentLimit) : ""));
            return;
        }
        const std::string name = names_.add(attachment.name);
        if (name != attachment.name) {
            notes_.history("the file '" + shown + "' is named '" + name + "'");
            // Somebody who reads of "Offer, second draft.doc" in the text should find it.
            if (!looksAlike(name, attachment.name)) notes_.text(name + " was '" + shown + "'");
        }
        auto& files = profile_.attachments == AttachmentMode::Uuencode ? out_.encoded : out_.files;
        files.push_back({fromUtf8(name, nameCharset(profile_)).bytes, attachment.name, &attachment, {}});
    }

    // To somebody who sees both as the target writes them.
    bool looksAlike(std::string_view name, std::string_view old) const {
        const std::string written = fromUtf8(name, nameCharset(profile_)).bytes;
        return equalsIgnoreCase(name, old) ||
               equalsIgnoreCase(written, fromUtf8(old, profile_.charset).bytes);
    }

    // Noted by the name that it had.
    void countNames() {
        for (const Attachment& attachment : message_.attachments) {
            if (names_.lost() == 0 || !lacked_.empty()) break;
            const bool isDos = profile_.fileNames == FileNames::Dos;
            const std::string charset = isDos ? "us-ascii" : nameCharset(profile_);
            if (fromUtf8(attachment.name, charset).lost > 0) lacked_ = lackedBy(charset, attachment.name);
        }
        out_.lost += names_.lost();
        out_.changed += names_.changed();
    }

    Result<void> checkLosses() const {
        if (profile_.lossy != Lossy::Bounce || out_.lost == 0) return {};
        return fail(Errc::Invalid, std::to_string(out_.lost) +
                                       (out_.lost == 1 ? " character" : " characters") +
                                       " of the message can not be written here" + lacked_);
    }

    void placeText() {
        if (profile_.notesInText) {
            Profile lines = profile_;
            lines.columns = profile_.columns == 0 ? kNoteColumns : std::min(profile_.columns, kNoteColumns);
            text_ += writtenText(notes_.block(text_.empty()), lines).bytes;
        }
        std::string text = withLineEnds(std::move(text_), profile_.crlf);
        const bool fits =
            profile_.textLimit == 0 || static_cast<std::int64_t>(text.size()) <= profile_.textLimit;
        const bool holdsFiles =
            profile_.attachments == AttachmentMode::Native || profile_.attachments == AttachmentMode::Mime;
        if (fits) {
            out_.texts.push_back(std::move(text));
        } else if (profile_.longText == LongText::Attach && holdsFiles) {
            attachText(std::move(text));
        } else {
            out_.texts = textPieces(text, profile_);
            notes_.history("the text is longer than " + std::to_string(profile_.textLimit) +
                           " bytes and became " + std::to_string(out_.texts.size()) + " texts");
        }
    }

    void attachText(std::string text) {
        const std::string name = fromUtf8(longTextName_, nameCharset(profile_)).bytes;
        const std::string said = "The text of this message is in the attached file " + longTextName_ + ".\n";
        out_.texts.push_back(withLineEnds(writtenText(said, profile_).bytes, profile_.crlf));
        out_.files.insert(out_.files.begin(), {name, profile_.longTextName, nullptr, std::move(text)});
        notes_.history("the text is longer than " + std::to_string(profile_.textLimit) +
                       " bytes and became the file " + longTextName_);
    }

    const Readable& message_;
    const Origin& origin_;
    const Profile& profile_;
    NameSet names_;
    Notes notes_;
    Converted out_;
    std::string text_;  // LF lines, in the target's charset
    std::string longTextName_;
    std::string lacked_;  // the first characters that were lost
};

}  // namespace

std::vector<std::string> Notes::takeHistory() {
    if (historyLeft_ > 0) history_.push_back(more(historyLeft_));
    return std::move(history_);
}

std::string Notes::block(bool alone) const {
    if (text_.empty()) return {};
    std::string out = alone ? "[Postern: " : "\n[Postern: ";
    for (const std::string& note : text_) {
        if (&note != &text_.front()) out += ";\n ";
        out += note;
    }
    if (textLeft_ > 0) out += ";\n " + more(textLeft_);
    return out + "]\n";
}

ReadOptions readingFor(const Profile& profile) {
    ReadOptions options;
    options.target = {profile.charset, profile.columns};
    return options;
}

Result<Converted> convert(const Readable& message, const Origin& origin, const Profile& profile) {
    return Conversion(message, origin, profile).run();
}

}  // namespace postern::mail
