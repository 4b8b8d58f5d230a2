#include "connector/accounts/saslprep.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <stringprep.h>

#include "base/text.h"

namespace postern::accounts {

namespace {

bool isControl(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

const char* complaint(int problem) {
    switch (problem) {
        case STRINGPREP_CONTAINS_UNASSIGNED:
            return "has a character that programs do not agree on, such as an emoji (RFC 4013: none newer "
                   "than Unicode 3.2)";
        case STRINGPREP_CONTAINS_PROHIBITED:
            return "has a character that is not allowed (RFC 4013), such as a control character";
        case STRINGPREP_BIDI_BOTH_L_AND_RAL:
        case STRINGPREP_BIDI_LEADTRAIL_NOT_RAL:
        case STRINGPREP_BIDI_CONTAINS_PROHIBITED:
            return "mixes writing directions in a way that is not allowed (RFC 4013)";
        default: break;
    }
    return "can not be brought into its normal form (RFC 4013)";
}

}  // namespace

Result<std::string> saslPrep(std::string_view what, std::string_view text, std::size_t longest) {
    const auto refuse = [&](const std::string& why) {
        return fail(Errc::Invalid, std::string(what) + " " + why);
    };
    if (text.empty()) return refuse("is empty");
    if (text.size() > longest) return refuse("is longer than " + std::to_string(longest) + " bytes");
    if (!validUtf8(text)) return refuse("is not valid UTF-8");
    if (std::any_of(text.begin(), text.end(), isControl)) return refuse("has a control character");
    char* made = nullptr;
    const int problem =
        stringprep_profile(std::string(text).c_str(), &made, "SASLprep", STRINGPREP_NO_UNASSIGNED);
    const std::unique_ptr<char, decltype(&std::free)> owner(made, &std::free);
    if (problem != STRINGPREP_OK) return refuse(complaint(problem));
    std::string prepared(made);
    if (prepared.empty()) return refuse("has nothing but characters that do not count (RFC 4013)");
    if (prepared.size() > longest) return refuse("is longer than " + std::to_string(longest) + " bytes");
    return prepared;
}

}  // namespace postern::accounts
