#include "tests/ftn_reader.h"

#include <cstdio>

namespace postern::tests {

namespace {

class Bytes {
  public:
    explicit Bytes(std::string_view all) : all_(all) {}
    std::size_t at() const { return at_; }
    bool over() const { return at_ == all_.size(); }

    Error wrong(const std::string& what) const {
        return fail(Errc::Corrupt, "at byte " + std::to_string(at_) + ": " + what);
    }
    Result<std::string_view> take(std::size_t count) {
        if (all_.size() - at_ < count) return wrong("the packet ends");
        at_ += count;
        return all_.substr(at_ - count, count);
    }
    Result<int> number() {
        POSTERN_LET(two, take(2));
        return static_cast<unsigned char>(two[0]) + 256 * static_cast<unsigned char>(two[1]);
    }
    Result<void> expect(int wanted, const char* what) {
        POSTERN_LET(found, number());
        if (found == wanted) return {};
        return wrong(std::string(what) + " is " + std::to_string(found) + ", not " + std::to_string(wanted));
    }
    // Up to a NUL, which is taken too.
    Result<std::string> text(std::size_t most, const char* what) {
        const std::size_t end = all_.find('\0', at_);
        if (end == std::string_view::npos) return wrong(std::string(what) + " does not end");
        if (end - at_ > most) return wrong(std::string(what) + " is too long");
        std::string found(all_.substr(at_, end - at_));
        at_ = end + 1;
        return found;
    }

  private:
    std::string_view all_;
    std::size_t at_ = 0;
};

bool isDate(const std::string& text) {
    int day = 0, year = 0, hour = 0, minute = 0, second = 0, length = 0;
    char month[4] = "";
    const int fields = std::sscanf(text.c_str(), "%2d %3[A-Z a-z] %2d  %2d:%2d:%2d%n", &day, month, &year,
                                   &hour, &minute, &second, &length);
    return text.size() == 19 && fields == 6 && length == 19 && text[9] == ' ' && text[10] == ' ' &&
           std::string_view("JanFebMarAprMayJunJulAugSepOctNovDec").find(month) % 3 == 0;
}

bool parsePlace(const std::string& text, FtnPlace& place) {
    int length = 0;
    const int fields = std::sscanf(text.c_str(), "%d:%d/%d%n", &place.zone, &place.net, &place.node, &length);
    return fields == 3 && static_cast<std::size_t>(length) == text.size();
}

// The zones and points, which the message's own head lacks.
Result<void> applyControls(FtnMessage& message, const Bytes& bytes) {
    const std::string intl = message.control("INTL");
    const std::size_t blank = intl.find(' ');
    FtnPlace to, from;
    if (blank == std::string::npos || !parsePlace(intl.substr(0, blank), to) ||
        !parsePlace(intl.substr(blank + 1), from))
        return bytes.wrong("INTL is missing or wrong: " + intl);
    if (to.net != message.to.net || to.node != message.to.node || from.net != message.from.net ||
        from.node != message.from.node)
        return bytes.wrong("INTL differs from the message's head: " + intl);
    message.to.zone = to.zone;
    message.from.zone = from.zone;
    for (const auto& [name, place] : {std::pair{"TOPT", &message.to}, {"FMPT", &message.from}}) {
        const std::string point = message.control(name);
        if (!point.empty() && std::sscanf(point.c_str(), "%d", &place->point) != 1)
            return bytes.wrong(std::string(name) + " is no number: " + point);
    }
    return {};
}

// Control lines lead; behind the text only Via may stand.
Result<void> readText(const std::string& text, FtnMessage& message, const Bytes& bytes) {
    bool inText = false, behind = false;
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t end = text.find('\r', at);
        if (end == std::string::npos) return bytes.wrong("the last line does not end with CR");
        const std::string line = text.substr(at, end - at);
        at = end + 1;
        if (line.find('\n') != std::string::npos) return bytes.wrong("a line feed in the text");
        if (line.starts_with('\x01')) {
            if (inText && !line.starts_with("\x01Via "))
                return bytes.wrong("a control line in the text: " + line);
            behind = behind || line.starts_with("\x01Via ");
            message.controls.push_back(line.substr(1));
            continue;
        }
        if (line.find('\x01') != std::string::npos) return bytes.wrong("a control character in the text");
        if (behind) return bytes.wrong("text behind a Via line: " + line);
        if (line == "---" || line.starts_with("--- ") || line.starts_with("SEEN-BY:") ||
            line.starts_with(" * Origin:") || (!inText && line.starts_with("AREA:")))
            return bytes.wrong("a line of a tosser's own in the text: " + line);
        inText = true;
        message.text += line + "\n";
    }
    return applyControls(message, bytes);
}

Result<FtnMessage> readOne(Bytes& bytes, std::size_t begin) {
    FtnMessage message;
    message.begin = begin;
    for (int* number :
         {&message.from.node, &message.to.node, &message.from.net, &message.to.net, &message.attributes}) {
        POSTERN_LET(value, bytes.number());
        *number = value;
    }
    POSTERN_TRY(bytes.expect(0, "the cost"));
    POSTERN_LET(date, bytes.text(19, "the date"));
    POSTERN_LET(toName, bytes.text(35, "the receiver's name"));
    POSTERN_LET(fromName, bytes.text(35, "the sender's name"));
    POSTERN_LET(subject, bytes.text(71, "the subject"));
    if (!isDate(date)) return bytes.wrong("no date: " + date);
    if (toName.empty() || fromName.empty()) return bytes.wrong("a name is empty");
    if ((toName + fromName + subject).find_first_of("\r\n\x01") != std::string::npos)
        return bytes.wrong("a control character in the head");
    message.date = date;
    message.toName = toName;
    message.fromName = fromName;
    message.subject = subject;
    POSTERN_LET(text, bytes.text(std::string::npos, "the text"));
    POSTERN_TRY(readText(text, message, bytes));
    message.end = bytes.at();
    return message;
}

Result<void> readHead(Bytes& bytes, FtnPacket& packet) {
    for (int* number : {&packet.from.node, &packet.to.node, &packet.year, &packet.month, &packet.day,
                        &packet.hour, &packet.minute, &packet.second}) {
        POSTERN_LET(value, bytes.number());
        *number = value;
    }
    ++packet.month;
    POSTERN_TRY(bytes.expect(0, "the baud rate"));
    POSTERN_TRY(bytes.expect(2, "the packet type"));
    POSTERN_LET(fromNet, bytes.number());
    POSTERN_LET(toNet, bytes.number());
    POSTERN_TRY(bytes.take(2));
    POSTERN_LET(password, bytes.take(8));
    packet.password = std::string(password.substr(0, password.find('\0')));
    POSTERN_LET(fromZone, bytes.number());
    POSTERN_LET(toZone, bytes.number());
    POSTERN_LET(auxNet, bytes.number());
    POSTERN_TRY(bytes.expect(0x0100, "the swapped capability word"));
    POSTERN_TRY(bytes.take(2));
    POSTERN_TRY(bytes.expect(1, "the capability word"));
    POSTERN_TRY(bytes.expect(fromZone, "the second origin zone"));
    POSTERN_TRY(bytes.expect(toZone, "the second destination zone"));
    POSTERN_LET(fromPoint, bytes.number());
    POSTERN_LET(toPoint, bytes.number());
    POSTERN_TRY(bytes.expect(0, "the spare word"));
    POSTERN_TRY(bytes.expect(0, "the spare word"));
    if ((fromPoint != 0) != (fromNet == 0xffff)) return bytes.wrong("a point's net stands in auxNet alone");
    packet.from = {fromZone, fromPoint != 0 ? auxNet : fromNet, packet.from.node, fromPoint};
    packet.to = {toZone, toNet, packet.to.node, toPoint};
    return {};
}

}  // namespace

std::string FtnMessage::control(std::string_view name) const {
    for (const std::string& line : controls) {
        if (!line.starts_with(name)) continue;
        const std::string rest = line.substr(name.size());
        if (rest.starts_with(": ")) return rest.substr(2);
        if (rest.starts_with(" ")) return rest.substr(1);
    }
    return {};
}

bool FtnMessage::isLaterPart() const {
    return subject.starts_with("[part ") && !subject.starts_with("[part 1]");
}

Result<FtnPacket> readFtnPacket(std::string_view all) {
    Bytes bytes(all);
    FtnPacket packet;
    POSTERN_TRY(readHead(bytes, packet));
    for (;;) {
        const std::size_t begin = bytes.at();
        POSTERN_LET(type, bytes.number());
        if (type == 0) break;
        if (type != 2) return bytes.wrong("a message of type " + std::to_string(type));
        POSTERN_LET(message, readOne(bytes, begin));
        packet.messages.push_back(std::move(message));
    }
    if (!bytes.over()) return bytes.wrong("bytes behind the packet's end");
    return packet;
}

}  // namespace postern::tests
