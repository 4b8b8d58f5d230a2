#include "mail/tnef_properties.h"

#include "mail/charset.h"

namespace postern::mail {
namespace {

constexpr std::uint32_t kMany = 0x1000, kNamed = 0x8000;
constexpr std::uint32_t kString8 = 0x1e, kUnicode = 0x1f, kObject = 0x0d, kBinary = 0x102;

Error damaged() {
    return fail(Errc::Invalid, "its properties are damaged");
}

// Bytes of a value of fixed size, padded to four; 0 for those with a length.
std::size_t fixedSize(std::uint32_t type) {
    switch (type) {
        case 0x01: return 4;  // null: some write four bytes
        case 0x02:
        case 0x03:
        case 0x04:
        case 0x0a:
        case 0x0b: return 4;
        case 0x05:
        case 0x06:
        case 0x07:
        case 0x14:
        case 0x40: return 8;
        case 0x48: return 16;
        default: return 0;
    }
}

bool hasLength(std::uint32_t type) {
    return type == kString8 || type == kUnicode || type == kObject || type == kBinary;
}

Result<std::string_view> paddedValue(LittleEndian& in) {
    POSTERN_LET(size, in.number(4));
    POSTERN_LET(value, in.take(size));
    POSTERN_TRY(in.take((4 - size % 4) % 4));
    return value;
}

Result<void> skipName(LittleEndian& in) {
    POSTERN_TRY(in.take(16));
    POSTERN_LET(kind, in.number(4));
    if (kind > 1) return damaged();
    if (kind == 1) return paddedValue(in).ok() ? Result<void>() : Result<void>(damaged());
    return in.take(4).ok() ? Result<void>() : Result<void>(damaged());
}

// The value or values behind type and id; the first is kept.
Result<void> readValue(LittleEndian& in, MapiProperty& property, int& left) {
    const std::uint32_t type = property.type & ~kMany;
    const bool many = (property.type & kMany) != 0;
    const std::size_t fixed = fixedSize(type);
    if (fixed == 0 && !hasLength(type)) return damaged();
    std::uint32_t count = 1;
    if (many || fixed == 0) {
        POSTERN_LET(written, in.number(4));
        count = written;
    }
    for (std::uint32_t i = 0; i < count; ++i) {
        if (--left < 0) return fail(Errc::Invalid, "it has too many properties");
        POSTERN_LET(value, fixed > 0 ? in.take(fixed) : paddedValue(in));
        if (i == 0) property.value = value;
    }
    return {};
}

}  // namespace

Result<std::uint32_t> LittleEndian::number(std::size_t size) {
    POSTERN_LET(bytes, take(size));
    std::uint32_t value = 0;
    for (std::size_t i = size; i-- > 0;) value = value << 8U | static_cast<unsigned char>(bytes[i]);
    return value;
}

Result<std::string_view> LittleEndian::take(std::size_t size) {
    if (size > bytes_.size() - at_) return fail(Errc::Invalid, "it is cut");
    const std::string_view taken = bytes_.substr(at_, size);
    at_ += size;
    return taken;
}

Result<void> readProperties(std::string_view block, int& left,
                            const std::function<Result<void>(const MapiProperty&)>& each) {
    LittleEndian in(block);
    POSTERN_LET(count, in.number(4));
    for (std::uint32_t i = 0; i < count; ++i) {
        MapiProperty property;
        POSTERN_LET(type, in.number(2));
        POSTERN_LET(id, in.number(2));
        property.type = type;
        property.id = id;
        const bool isNamed = (id & kNamed) != 0;
        if (isNamed) POSTERN_TRY(skipName(in));
        POSTERN_TRY(readValue(in, property, left));
        if (!isNamed) POSTERN_TRY(each(property));
    }
    return {};
}

std::string propertyText(const MapiProperty& property, std::string_view charset) {
    const bool isUnicode = (property.type & ~kMany) == kUnicode;
    std::string text = toUtf8(property.value, isUnicode ? "utf-16le" : charset);
    text.resize(std::min(text.find('\0'), text.size()));
    return text;
}

std::string charsetOfCodePage(std::uint32_t number) {
    switch (number) {
        case 0: return "windows-1252";
        case 1200: return "utf-16le";
        case 10000: return "macintosh";
        case 20127: return "us-ascii";
        case 20866: return "koi8-r";
        case 21866: return "koi8-u";
        case 50220:
        case 50221:
        case 50222: return "iso-2022-jp";
        case 50225: return "iso-2022-kr";
        case 51932: return "euc-jp";
        case 51949: return "euc-kr";
        case 54936: return "gb18030";
        case 65001: return "utf-8";
        default: break;
    }
    if (number > 28590 && number < 28606) return "iso-8859-" + std::to_string(number - 28590);
    return "cp" + std::to_string(number);
}

}  // namespace postern::mail
