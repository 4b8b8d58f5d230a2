#pragma once
// Writes TNEF for tests: well-formed unless told otherwise.

#include <cstdint>
#include <string>
#include <string_view>

namespace postern::tests {

inline std::string little(std::uint32_t value, std::size_t bytes) {
    std::string out;
    for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
    return out;
}

inline std::string utf16(std::string_view ascii) {
    std::string out;
    for (const char c : ascii) (out += c) += '\0';
    return out + std::string(2, '\0');
}

// A block of MAPI properties.
class PropertyWriter {
  public:
    PropertyWriter& number(std::uint32_t id, std::uint32_t value) {
        return add(little(0x03, 2) + little(id, 2) + little(value, 4));
    }
    PropertyWriter& bytes(std::uint32_t id, std::uint32_t type, std::string_view value) {
        std::string one = little(type, 2) + little(id, 2) + little(1, 4) +
                          little(static_cast<std::uint32_t>(value.size()), 4) + std::string(value);
        one.append((4 - value.size() % 4) % 4, '\0');
        return add(one);
    }
    PropertyWriter& text(std::uint32_t id, std::string_view ascii) { return bytes(id, 0x1f, utf16(ascii)); }
    // A property with a name of its own, which readers of mail skip.
    PropertyWriter& named(std::string_view name) {
        const std::string wide = utf16(name);
        std::string one = little(0x03, 2) + little(0x8001, 2) + std::string(16, '\x11') + little(1, 4) +
                          little(static_cast<std::uint32_t>(wide.size()), 4) + wide;
        one.append((4 - wide.size() % 4) % 4, '\0');
        return add(one + little(7, 4));
    }
    std::string block() const { return little(count_, 4) + properties_; }

  private:
    PropertyWriter& add(const std::string& property) {
        properties_ += property;
        ++count_;
        return *this;
    }
    std::uint32_t count_ = 0;
    std::string properties_;
};

class TnefWriter {
  public:
    TnefWriter() : out_(little(0x223e9f78, 4) + little(1, 2)) {
        attribute(1, 0x00089006, little(0x00010000, 4));
        attribute(1, 0x00069007, little(1252, 4) + little(0, 4));
    }
    TnefWriter& attribute(std::uint32_t level, std::uint32_t id, std::string_view value) {
        std::uint32_t sum = 0;
        for (const char c : value) sum += static_cast<unsigned char>(c);
        out_ += little(level, 1) + little(id, 4) + little(static_cast<std::uint32_t>(value.size()), 4) +
                std::string(value) + little(sum, 2);
        return *this;
    }
    TnefWriter& messageProperties(const PropertyWriter& properties) {
        return attribute(1, 0x00069003, properties.block());
    }
    // As Outlook writes a file: an 8.3 title, the bytes, and properties with the long name.
    TnefWriter& file(std::string_view shortName, std::string_view longName, std::string_view bytes) {
        attribute(2, 0x00069002, little(1, 2) + std::string(12, '\0'));
        attribute(2, 0x0006800f, bytes);
        attribute(2, 0x00018010, std::string(shortName) + '\0');
        PropertyWriter properties;
        properties.number(0x3705, 1).text(0x3704, shortName);
        if (!longName.empty()) properties.text(0x3707, longName);
        return attribute(2, 0x00069005, properties.block());
    }
    // Another TNEF as an attached message.
    TnefWriter& message(std::string_view name, std::string_view tnef) {
        static constexpr std::string_view kInterface(
            "\x07\x03\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46", 16);
        attribute(2, 0x00069002, little(2, 2) + std::string(12, '\0'));
        attribute(2, 0x00018010, std::string(name) + '\0');
        PropertyWriter properties;
        properties.number(0x3705, 5).bytes(0x3701, 0x0d, std::string(kInterface) + std::string(tnef));
        return attribute(2, 0x00069005, properties.block());
    }
    const std::string& bytes() const { return out_; }

  private:
    std::string out_;
};

}  // namespace postern::tests
