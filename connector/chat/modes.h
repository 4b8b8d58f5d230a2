#pragma once
// "+o-k nick key": letters and what they take (RFC 2812 3.2.3, ISUPPORT CHANMODES=b,k,l,imnst). Pure.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::chat {

struct ModeChange {
    bool on = true;
    char letter = 0;
    std::optional<std::string> parameter{};

    bool operator==(const ModeChange&) const = default;
};

inline constexpr std::size_t kMostModes = 20;  // of one command; what goes beyond is not looked at

// `words`: the letters, then the parameters, and again. Each parameter goes to the next letter that takes
// one: o, v always; b and k always when there is one; l only with "+". Letters nobody knows take none.
std::vector<ModeChange> readModes(const std::vector<std::string>& words);

// "+o-v ann bob": as they are told to a channel, the sign only where it changes. `words` gets the letters
// first, then the parameters.
std::vector<std::string> writeModes(const std::vector<ModeChange>& changes);

}  // namespace postern::chat
