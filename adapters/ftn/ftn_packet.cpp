#include "adapters/ftn/ftn_packet.h"

#include <array>
#include <cstdio>

namespace postern::adapters::ftn {

namespace {

constexpr int kPacketType = 2;
constexpr int kNetOfPoints = 0xffff;  // the net of a point stands in auxNet (FSC-0048)
constexpr char kProductLow = '\xff', kProductHigh = 0;
constexpr char kRevisionMajor = 0, kRevisionMinor = 1;
constexpr int kTypeTwoPlus = 1;  // the capability word

void put(std::string& out, int number) {
    out += static_cast<char>(number & 0xff);
    out += static_cast<char>((number >> 8) & 0xff);
}

void putSwapped(std::string& out, int number) {
    out += static_cast<char>((number >> 8) & 0xff);
    out += static_cast<char>(number & 0xff);
}

constexpr std::array<std::uint32_t, 256> crcTable() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t value = byte;
        for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0xedb88320u : 0u);
        table[byte] = value;
    }
    return table;
}

}  // namespace

std::string packetHead(const PacketHead& head) {
    std::string out;
    put(out, head.from.node);
    put(out, head.to.node);
    for (const int number : {head.time.year, head.time.month - 1, head.time.day, head.time.hour,
                             head.time.minute, head.time.second, 0, kPacketType})
        put(out, number);
    put(out, head.from.point != 0 ? kNetOfPoints : head.from.net);
    put(out, head.to.net);
    out += {kProductLow, kRevisionMajor};
    std::string password = head.password.substr(0, kLongestPassword);
    password.resize(kLongestPassword);
    out += password;
    put(out, head.from.zone);
    put(out, head.to.zone);
    put(out, head.from.point != 0 ? head.from.net : 0);
    putSwapped(out, kTypeTwoPlus);
    out += {kProductHigh, kRevisionMinor};
    for (const int number :
         {kTypeTwoPlus, head.from.zone, head.to.zone, head.from.point, head.to.point, 0, 0})
        put(out, number);
    return out;
}

std::string messageHead(const MessageHead& head) {
    std::string out;
    for (const int number : {kPacketType, head.from.node, head.to.node, head.from.net, head.to.net,
                             static_cast<int>(head.attributes), 0})
        put(out, number);
    for (const std::string& text :
         {dateText(head.time), head.toName.substr(0, kLongestName), head.fromName.substr(0, kLongestName),
          head.subject.substr(0, kLongestSubject)}) {
        out += text;
        out += '\0';
    }
    return out;
}

std::string packetEnd() {
    return std::string(2, '\0');
}

std::string dateText(const CivilTime& time) {
    static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char text[64];
    std::snprintf(text, sizeof text, "%02d %s %02d  %02d:%02d:%02d", time.day, kMonths[(time.month - 1) % 12],
                  time.year % 100, time.hour, time.minute, time.second);
    return text;
}

std::uint32_t crc32(std::string_view bytes) {
    static constexpr auto kTable = crcTable();
    std::uint32_t sum = 0xffffffffu;
    for (const char c : bytes) sum = kTable[(sum ^ static_cast<unsigned char>(c)) & 0xff] ^ (sum >> 8);
    return sum ^ 0xffffffffu;
}

}  // namespace postern::adapters::ftn
