#include "adapters/addressees.h"

#include <algorithm>
#include <unordered_set>

#include "adapters/envelope_text.h"
#include "base/text.h"

namespace postern::adapters {

namespace {

bool names(const std::vector<mail::Mailbox>& list, std::string_view address) {
    return std::any_of(list.begin(), list.end(), [&](const mail::Mailbox& mailbox) {
        return equalsIgnoreCase(mailbox.address, address);
    });
}

}  // namespace

std::optional<std::string> refusalBy(const AddressOf& address, const Recipient& recipient) {
    const auto written = address(legacyOrAddress(recipient));
    return written.ok() ? std::nullopt : std::optional(written.error().text);
}

Result<std::vector<Addressee>> addresseesOf(const Delivery& delivery, const AddressOf& address) {
    std::vector<Addressee> all;
    std::unordered_set<std::string> known;
    for (const Recipient& recipient : delivery.recipients) {
        POSTERN_LET(written, address(legacyOrAddress(recipient)));
        if (known.insert(written).second) all.push_back({&recipient, std::move(written)});
    }
    return all;
}

bool isCopied(const Recipient& recipient, const mail::Readable& readable) {
    return !names(readable.to, recipient.address) && names(readable.cc, recipient.address);
}

}  // namespace postern::adapters
