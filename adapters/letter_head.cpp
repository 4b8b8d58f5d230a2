#include "adapters/letter_head.h"

#include "mail/charset.h"
#include "mail/convert.h"

namespace postern::adapters {

namespace {

constexpr std::size_t kMostHeadLine = 200;

std::string shown(const std::vector<mail::Mailbox>& people) {
    return mail::cleanLine(mail::shownRecipients(people, kMostHeadLine));
}

}  // namespace

std::string letterHead(const mail::Readable& readable, const Delivery& delivery) {
    const std::string& address = readable.from.address.empty() ? delivery.sender : readable.from.address;
    const bool nobody = address.empty() && readable.from.name.empty();
    std::string head = "From: " + (nobody ? "(nobody: an automatic message)"
                                          : shown({{readable.from.name, address, false}}));
    if (readable.to.size() + readable.cc.size() > 1) {
        if (!readable.to.empty()) head += "\nTo: " + shown(readable.to);
        if (!readable.cc.empty()) head += "\nCc: " + shown(readable.cc);
    }
    return head + "\n\n";
}

}  // namespace postern::adapters
