#include "adapters/envelope_text.h"

#include "base/hex.h"
#include "base/text.h"
#include "mail/names.h"

namespace postern::adapters {

namespace {

constexpr std::size_t kMostNameBytes = 255;

bool staysPlain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_-+@=").find(c) != std::string_view::npos;
}

}  // namespace

std::string headerValue(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    return out;
}

const std::string& legacyOrAddress(const Recipient& recipient) {
    return recipient.legacy.empty() ? recipient.address : recipient.legacy;
}

Result<std::string> folderName(std::string_view text) {
    if (text.empty()) return fail(Errc::Invalid, "the recipient has no name on the legacy side");
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool innerDot = text[i] == '.' && i > 0 && i + 1 < text.size();
        const bool deviceStart = i == 0 && mail::isDosDevice(text);
        if ((staysPlain(text[i]) || innerDot) && !deviceStart) {
            out += text[i];
        } else {
            appendHex(out += '%', text[i]);
        }
    }
    if (out.size() > kMostNameBytes)
        return fail(Errc::Invalid,
                    "the recipient's name '" + escapeLine(text, 40) + "' is too long for a folder");
    return out;
}

}  // namespace postern::adapters
