#include "adapters/ftn/ftn_message.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <vector>

#include "adapters/ftn/ftn_text.h"
#include "base/text.h"
#include "mail/address.h"
#include "mail/charset.h"

namespace postern::adapters::ftn {

namespace {

constexpr std::size_t kMostHead = 256 * 1024;  // bytes in which our own trace is looked for

// One person that gets it.
struct Addressee {
    Person person;
    std::string name;  // in the target's charset
    std::string copy;  // as Serial
};

// How often byte 8D was written in another way, each place counted once however many messages it stands in.
struct Substituted {
    int names = 0, author = 0, subject = 0, text = 0;
    std::string note(char with) const {
        std::string places;
        for (const auto& [count, place] : {std::pair{text, "in the text"},
                                           {subject, "in the subject"},
                                           {author, "in the author's name"},
                                           {names, "in names of recipients"}})
            if (count > 0) places += (places.empty() ? "" : ", ") + std::to_string(count) + " " + place;
        if (places.empty()) return places;
        return "characters of byte 8D were written as '" + std::string(1, with) + "': " + places;
    }
};

// One mail while its messages are written.
struct Letter {
    const Options& options;
    const Delivery& delivery;
    const mail::Readable& readable;
    const mail::Converted& body;
    std::string id;       // what MSGIDs are made from
    std::string replyTo;  // Internet address; may be empty
    std::string fromName;
    std::size_t parts;
};

bool isUtf8(const mail::Profile& profile) {
    return equalsIgnoreCase(profile.charset, "utf-8");
}

// At most `limit` bytes, not cut inside a character. In other sets convertLine() counted bytes already.
std::string cutTo(const std::string& bytes, std::size_t limit, const mail::Profile& profile) {
    if (bytes.size() <= limit) return bytes;
    if (isUtf8(profile)) return std::string(cutUtf8(bytes, limit));
    const std::string text = mail::toUtf8(bytes, profile.charset);
    for (std::size_t most = limit;; --most) {
        std::string cut = mail::fromUtf8(cutUtf8(text, most), profile.charset).bytes;
        if (cut.size() <= limit) return cut;
    }
}

// The header block; at most kMostHead bytes of it.
Result<std::string> headOf(ByteSource& message) {
    std::string head;
    const Error whole{Errc::Stopped, "read enough"};
    const auto read = copyAll(message, [&](std::string_view bytes) -> Result<void> {
        head.append(bytes.substr(0, kMostHead - head.size()));
        const std::size_t end = head.find("\r\n\r\n");
        if (end != std::string::npos) head.resize(end);
        return end != std::string::npos || head.size() >= kMostHead ? Result<void>(whole) : Result<void>();
    });
    if (!read.ok() && read.error().code != Errc::Stopped) return read.error();
    return head;
}

// Takes a field off `head`, with the lines that continue it.
std::string takeField(std::string_view& head) {
    std::string field;
    do {
        const std::string_view line = head.substr(0, head.find('\n'));
        head.remove_prefix(std::min(line.size() + 1, head.size()));
        field += line;
    } while (head.starts_with(" ") || head.starts_with("\t"));
    std::replace_if(
        field.begin(), field.end(), [](char c) { return c == '\r' || c == '\t'; }, ' ');
    return field;
}

// Gateways carry our control lines into the Internet as X-FTN-PID and X-FTN-Via.
std::optional<std::string> ownTrace(std::string_view head) {
    while (!head.empty()) {
        const std::string field = takeField(head);
        const std::size_t colon = field.find(':');
        if (colon == std::string::npos) continue;
        const std::string_view name = std::string_view(field).substr(0, colon);
        const std::string_view value = trim(std::string_view(field).substr(colon + 1));
        const bool pid = equalsIgnoreCase(name, "X-FTN-PID") && value.starts_with(kProgram);
        const bool via = equalsIgnoreCase(name, "X-FTN-Via") &&
                         (" " + std::string(value) + " ").find(" Postern ") != std::string::npos;
        if (pid || via) return "a loop: it went to FidoNet by Postern before (" + escapeLine(field, 80) + ")";
    }
    return std::nullopt;
}

// Each person once, whatever the number of addresses that lead to it (KB Q181797).
Result<std::vector<Addressee>> addressees(const Delivery& delivery, const mail::Readable& readable,
                                          const Options& options, Substituted& substituted) {
    std::vector<Addressee> all;
    std::set<std::string> known;
    const std::string first = readable.to.empty() ? std::string() : readable.to.front().address;
    for (const Recipient& recipient : delivery.recipients) {
        POSTERN_LET(person, addressee(recipient, options.addresses));
        if (!known.insert(nodeText(person.node) + " " + mail::foldLegacyName(person.name)).second) continue;
        POSTERN_LET(name, nameInPacket(person, options));
        Addressee made{
            std::move(person), withoutSoftCr(std::move(name), options.softCr, substituted.names), {}};
        if (!equalsIgnoreCase(recipient.address, first)) made.copy = lowerAscii(recipient.address);
        all.push_back(std::move(made));
    }
    return all;
}

// Whom an answer goes to: an address that stands on one line and is ASCII, or nobody.
std::string replyAddress(const Delivery& delivery, const mail::Readable& readable) {
    const auto usable = [](std::string_view address) {
        return address.find('"') == std::string_view::npos && mail::parseAddress(address).ok();
    };
    if (!readable.replyTo.empty() && usable(readable.replyTo.front().address))
        return readable.replyTo.front().address;
    if (usable(readable.from.address)) return readable.from.address;
    return usable(delivery.sender) ? delivery.sender : std::string();
}

std::string senderName(const Letter& letter, const mail::Line& name, mail::Converted& losses,
                       Substituted& substituted) {
    const mail::Profile& profile = letter.options.profile;
    std::string bytes = name.bytes;
    if (bytes.empty()) {
        const std::string& shown =
            letter.body.fromAddress.empty() ? letter.options.nullSender : letter.body.fromAddress;
        bytes = mail::convertLine(shown, profile.nameLimit, "sender", profile, losses).bytes;
    }
    return withoutSoftCr(cutTo(bytes, kLongestName, profile), letter.options.softCr, substituted.author);
}

std::string offsetText(const Letter& letter) {
    const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(
                             letter.options.profile.zone.offsetAt(letter.body.date))
                             .count();
    char text[16];
    std::snprintf(text, sizeof text, "%s%02d%02d", minutes < 0 ? "-" : "",
                  static_cast<int>(std::abs(minutes) / 60 % 100), static_cast<int>(std::abs(minutes) % 60));
    return text;
}

std::string viaTime(WallTime time) {
    const CivilTime at = civilUtc(time);
    char text[64];
    std::snprintf(text, sizeof text, "@%04d%02d%02d.%02d%02d%02d.UTC", at.year, at.month, at.day, at.hour,
                  at.minute, at.second);
    return text;
}

// The MSGID of the mail that this one answers. Gateways make "<decimal@f2.n999.z2.fidonet.org>" of the MSGID
// "2:999/2 <hex>" (ifmail, FSC-0035); any other id went through here, if it is known in FidoNet at all.
std::string parentMsgid(const Letter& letter, const Addressee& to) {
    const std::string& id = letter.readable.inReplyTo;
    if (id.size() > 2) {
        const std::string inner = id.substr(1, id.size() - 2);
        const AddressRules& rules = letter.options.addresses;
        const auto parent = personOf(inner, rules.domain, rules.home.zone);
        const auto serial = parseInt(inner.substr(0, inner.find('@')));
        if (parent && serial && *serial >= 0 && *serial <= 0xffffffffLL) {
            char hex[16];
            std::snprintf(hex, sizeof hex, " %08llx", static_cast<unsigned long long>(*serial));
            return nodeText(parent->node) + hex;
        }
    }
    return nodeText(letter.options.here) + " " + msgidSerial({id, to.copy, 1});
}

// The control lines at the top of a text, in the order in which tossers look for them.
std::string controlLines(const Letter& letter, const Addressee& to, std::size_t part) {
    const Node& here = letter.options.here;
    const Node& there = to.person.node;
    const auto zoned = [](Node node) {
        node.point = 0;
        return nodeText(node);
    };
    std::string out;
    const auto line = [&](const std::string& text) { out.append("\x01").append(text).append("\r"); };
    line("INTL " + zoned(there) + " " + zoned(here));
    if (here.point != 0) line("FMPT " + std::to_string(here.point));
    if (there.point != 0) line("TOPT " + std::to_string(there.point));
    line("MSGID: " + nodeText(here) + " " + msgidSerial({letter.id, to.copy, part}));
    if (!letter.readable.inReplyTo.empty()) line("REPLY: " + parentMsgid(letter, to));
    line("CHRS: " + charsetLabel(letter.options.profile.charset));
    line("TZUTC: " + offsetText(letter));
    line("PID: " + std::string(kProgram) + " 0.1");
    if (!letter.replyTo.empty()) {
        line("REPLYADDR " + letter.replyTo);
        line("REPLYTO " + nodeText(here) + " UUCP");
    }
    return out;
}

std::string subjectOf(const Letter& letter, std::size_t part, int& substituted) {
    const std::string mark = letter.parts > 1 ? "[part " + std::to_string(part) + "] " : std::string();
    return withoutSoftCr(cutTo(mark + letter.body.subject.bytes, kLongestSubject, letter.options.profile),
                         letter.options.softCr, substituted);
}

// Leads the text, in front of what convert() counts and splits.
std::string senderLine(const mail::Readable& readable, const Delivery& delivery) {
    constexpr std::size_t kMost = 400;
    const std::string& address = readable.from.address.empty() ? delivery.sender : readable.from.address;
    if (address.empty()) return {};
    const std::string name = readable.from.name.empty() ? "" : readable.from.name + " ";
    return std::string(cutUtf8(mail::cleanLine("From: " + name + "<" + address + ">"), kMost)) + "\n\n";
}

// The messages for one person.
Result<void> writeFor(const Letter& letter, const Addressee& to, const Sink& sink, Substituted& substituted) {
    const Options& options = letter.options;
    substituted.subject = substituted.text = 0;  // counted for each person anew
    TextWriter text(sink, letter.options.softCr);
    std::size_t part = 0;
    const auto end = [&]() -> Result<void> {
        POSTERN_TRY(text.end());
        POSTERN_TRY(sink("\x01Via " + nodeText(options.here) + " " + viaTime(letter.delivery.received) + " " +
                         std::string(kProgram) + " 0.1\r"));
        return sink(std::string_view("\0", 1));
    };
    const auto begin = [&](std::int64_t) -> Result<void> {
        if (part++ > 0) POSTERN_TRY(end());
        MessageHead head{options.here, to.person.node, options.attributes, {}, to.name, letter.fromName, {}};
        head.time = civilUtc(options.profile.zone.local(letter.body.date));
        int further = 0;
        head.subject = subjectOf(letter, part, part == 1 ? substituted.subject : further);
        POSTERN_TRY(sink(messageHead(head) + controlLines(letter, to, part)));
        text.begin();
        return {};
    };
    POSTERN_TRY(letter.body.writeTexts([&](std::string_view bytes) { return text.write(bytes); }, begin));
    POSTERN_TRY(end());
    substituted.text = text.substituted();
    return {};
}

}  // namespace

mail::Profile netmailProfile() {
    mail::Profile profile;
    profile.charset = "cp437";
    profile.textLimit = 15000;
    profile.longText = mail::LongText::Split;
    profile.attachments = mail::AttachmentMode::Uuencode;
    profile.subjectLimit = static_cast<int>(kLongestSubject);
    profile.nameLimit = static_cast<int>(kLongestName);
    profile.firstYear = 1980;
    profile.lastYear = 2079;
    return profile;
}

std::string charsetLabel(std::string_view charset) {
    const std::string name = upperAscii(charset);
    if (name == "UTF-8" || name == "UTF8") return "UTF-8 4";
    if (name == "US-ASCII" || name == "ASCII") return "ASCII 1";
    static constexpr std::pair<std::string_view, std::string_view> kNames[] = {
        {"ISO-8859-15", "LATIN-9"}, {"ISO-8859-1", "LATIN-1"}, {"ISO-8859-2", "LATIN-2"},
        {"ISO-8859-9", "LATIN-5"},  {"MACINTOSH", "CP10000"},
    };
    for (const auto& [ours, theirs] : kNames)
        if (name == ours) return std::string(theirs) + " 2";
    if (name.starts_with("WINDOWS-")) return "CP" + name.substr(8) + " 2";
    return name + " 2";
}

Result<std::string> nameInPacket(const Person& person, const Options& options) {
    mail::Encoded name = mail::fromUtf8(person.name, options.profile.charset);
    const std::string shown = "'" + escapeLine(person.name, 60) + "'";
    if (name.lost > 0 || name.changed > 0)
        return fail(Errc::Invalid, shown + " can not be written in " + options.profile.charset);
    if (name.bytes.size() > kLongestName)
        return fail(Errc::Invalid, shown + " is longer than " + std::to_string(kLongestName) + " bytes");
    return std::move(name.bytes);
}

std::string msgidSerial(const Serial& serial) {
    std::string text(serial.id);
    if (!serial.copy.empty()) text.append(" copy ").append(serial.copy);
    if (serial.part > 1) text += " part " + std::to_string(serial.part);
    char hex[16];
    std::snprintf(hex, sizeof hex, "%08x", crc32(text));
    return hex;
}

Result<std::optional<Outcome>> writeNetmail(Job& job, const Options& options, const Sink& sink) {
    const Delivery& delivery = job.delivery;
    POSTERN_LET(head, headOf(*delivery.message));
    if (auto loop = ownTrace(head)) return std::optional(rejected(std::move(*loop)));
    POSTERN_LET(readable, mail::readMessage(*delivery.message));
    if (options.senderLine) readable.text = senderLine(readable, delivery) + readable.text;
    auto converted = mail::convert(readable, {delivery.sender, delivery.received}, options.profile);
    if (!converted.ok() && converted.error().code == Errc::Invalid)
        return std::optional(rejected(converted.error().text));
    if (!converted.ok()) return converted.error();
    Substituted substituted;
    const auto people = addressees(delivery, readable, options, substituted);
    if (!people.ok()) return std::optional(rejected(people.error().text));
    Letter letter{
        options, delivery, readable, *converted, readable.messageId, {}, {}, converted->textSizes().size()};
    if (letter.id.empty()) letter.id = options.storeId + "/" + std::to_string(delivery.key.item.value);
    letter.replyTo = delivery.sender.empty() ? std::string() : replyAddress(delivery, readable);
    letter.fromName = senderName(letter, converted->fromName, *converted, substituted);
    for (const Addressee& to : *people) POSTERN_TRY(writeFor(letter, to, sink, substituted));
    job.notes.insert(job.notes.end(), converted->notes.begin(), converted->notes.end());
    if (std::string note = substituted.note(options.softCr); !note.empty())
        job.notes.push_back(std::move(note));
    return std::optional<Outcome>();
}

std::string headFor(const Delivery& delivery, const Node& to, const Options& options) {
    PacketHead head{options.here, to, {}, options.password};
    head.time = civilUtc(options.profile.zone.local(delivery.received));
    return packetHead(head);
}

}  // namespace postern::adapters::ftn
