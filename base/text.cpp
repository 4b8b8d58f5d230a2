#include "base/text.h"

#include <charconv>
#include <cstdio>

namespace postern {

char lowerAscii(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

std::string lowerAscii(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = lowerAscii(c);
    return out;
}

std::string upperAscii(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    return out;
}

bool equalsIgnoreCase(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (lowerAscii(a[i]) != lowerAscii(b[i])) return false;
    return true;
}

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> fields;
    for (std::size_t start = 0;;) {
        const auto end = text.find(separator, start);
        fields.push_back(text.substr(start, end == std::string_view::npos ? end : end - start));
        if (end == std::string_view::npos) return fields;
        start = end + 1;
    }
}

std::optional<std::int64_t> parseInt(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
    return value;
}

static std::optional<std::int64_t> scaled(std::int64_t number, std::int64_t unit) {
    std::int64_t product = 0;
    if (number < 0 || __builtin_mul_overflow(number, unit, &product)) return std::nullopt;
    return product;
}

std::optional<std::int64_t> parseSize(std::string_view text) {
    text = trim(text);
    const auto digits = text.find_first_not_of("0123456789");
    const auto number = parseInt(text.substr(0, digits));
    if (!number) return std::nullopt;
    const std::string unit = digits == std::string_view::npos ? "" : lowerAscii(trim(text.substr(digits)));
    if (unit.empty() || unit == "b") return number;
    if (unit == "k" || unit == "kb" || unit == "kib") return scaled(*number, 1LL << 10);
    if (unit == "m" || unit == "mb" || unit == "mib") return scaled(*number, 1LL << 20);
    if (unit == "g" || unit == "gb" || unit == "gib") return scaled(*number, 1LL << 30);
    return std::nullopt;
}

static std::int64_t unitMillis(std::string_view unit) {
    if (unit == "ms") return 1;
    if (unit == "s") return 1000;
    if (unit == "m" || unit == "min") return 60'000;
    if (unit == "h") return 3'600'000;
    if (unit == "d") return 86'400'000;
    return 0;
}

std::optional<std::int64_t> parseDurationMillis(std::string_view text) {
    text = trim(text);
    if (text.empty()) return std::nullopt;
    std::int64_t total = 0;
    while (!text.empty()) {
        const auto digits = text.find_first_not_of("0123456789");
        if (digits == 0 || digits == std::string_view::npos) return std::nullopt;
        const auto next = text.find_first_of("0123456789", digits);
        const auto number = parseInt(text.substr(0, digits));
        const auto unit =
            unitMillis(trim(text.substr(digits, next == std::string_view::npos ? next : next - digits)));
        const auto part = number && unit ? scaled(*number, unit) : std::nullopt;
        if (!part || __builtin_add_overflow(total, *part, &total)) return std::nullopt;
        text = next == std::string_view::npos ? std::string_view() : text.substr(next);
    }
    return total;
}

std::string formatSize(std::int64_t bytes) {
    static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double value = static_cast<double>(bytes);
    int unit = 0;
    while (value >= 1024 && unit < 4) {
        value /= 1024;
        ++unit;
    }
    char text[32];
    const bool whole = unit == 0 || value == static_cast<double>(static_cast<std::int64_t>(value));
    std::snprintf(text, sizeof text, whole ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
    return text;
}

std::string formatDurationMillis(std::int64_t millis) {
    if (millis < 0) return "-" + formatDurationMillis(-millis);
    if (millis < 1000) return std::to_string(millis) + "ms";
    const std::int64_t seconds = millis / 1000;
    std::string text;
    int parts = 0;
    const auto add = [&](std::int64_t count, const char* unit) {
        if (count == 0 || parts == 2) return;
        text += std::to_string(count) + unit;
        ++parts;
    };
    add(seconds / 86'400, "d");
    add(seconds / 3600 % 24, "h");
    add(seconds / 60 % 60, "m");
    add(seconds % 60, "s");
    return text;
}

// Length of the UTF-8 character at `at` (shortest form, no surrogates, up to U+10FFFF), or 0 if there is
// none.
static std::size_t utf8Length(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return 1;
    const std::size_t length = lead >= 0xC2 && lead < 0xE0   ? 2
                               : lead >= 0xE0 && lead < 0xF0 ? 3
                               : lead >= 0xF0 && lead < 0xF5 ? 4
                                                             : 0;
    if (length == 0 || at + length > text.size()) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xC0) != 0x80) return 0;
    if (lead == 0xE0 && byte(1) < 0xA0) return 0;
    if (lead == 0xED && byte(1) >= 0xA0) return 0;
    if (lead == 0xF0 && byte(1) < 0x90) return 0;
    if (lead == 0xF4 && byte(1) >= 0x90) return 0;
    return length;
}

bool validUtf8(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t length = utf8Length(text, i);
        if (length == 0) return false;
        i += length;
    }
    return true;
}

std::string_view cutUtf8(std::string_view text, std::size_t limit) {
    if (text.size() <= limit) return text;
    std::size_t end = limit;
    while (end > 0 && limit - end < 4 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    return text.substr(0, end);
}

std::string escapeLine(std::string_view text, std::size_t limit) {
    static constexpr char kHex[] = "0123456789abcdef";
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        if (out.size() >= limit) return out + "...";
        const std::size_t length = utf8Length(text, i);
        const auto byte = static_cast<unsigned char>(text[i]);
        const bool control = byte < 0x20 || byte == 0x7F ||
                             (length == 2 && byte == 0xC2 && static_cast<unsigned char>(text[i + 1]) < 0xA0);
        if (length == 0 || control) {
            const std::size_t count = length == 0 ? 1 : length;
            for (std::size_t k = 0; k < count; ++k) {
                const auto value = static_cast<unsigned char>(text[i + k]);
                out += {'\\', 'x', kHex[value >> 4], kHex[value & 15]};
            }
            i += count;
            continue;
        }
        out.append(text.substr(i, length));
        i += length;
    }
    return out;
}

}  // namespace postern
