#include "connector/chat/model.h"

#include <algorithm>

#include "connector/chat/names.h"

namespace postern::chat {

const std::string& Client::nickOrStar() const {
    static const std::string star = "*";
    return nick.empty() ? star : nick;
}

std::string Client::mask() const {
    return nickOrStar() + "!" + (user.empty() ? "*" : user) + "@" + peer.host;
}

const Member* Channel::member(ConnectionId id) const {
    const auto found = members.find(id);
    return found == members.end() ? nullptr : &found->second;
}

bool Channel::bars(const std::string& who) const {
    return std::any_of(bans.begin(), bans.end(), [&](const Ban& ban) { return fitsMask(ban.mask, who); });
}

}  // namespace postern::chat
