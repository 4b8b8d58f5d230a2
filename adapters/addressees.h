#pragma once
// Who gets an artifact, as its format writes people: from the envelope alone. Thread rule: pure.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "mail/mime.h"

namespace postern::adapters {

// The recipient's legacy name, or his Internet address where the route gives none, as the format writes it.
// Errc::Invalid: it can not, with the reason.
using AddressOf = std::function<Result<std::string>(const std::string& legacy)>;

// For Adapter::refuses(): why the format can not write him, or nothing.
std::optional<std::string> refusalBy(const AddressOf& address, const Recipient& recipient);

struct Addressee {
    const Recipient* recipient;  // the first of those whose address this is
    std::string address;
};

// Each address once, in the order of the recipients. An Error is the first of `address`.
Result<std::vector<Addressee>> addresseesOf(const Delivery& delivery, const AddressOf& address);

// Whether the header names him in Cc and not in To.
bool isCopied(const Recipient& recipient, const mail::Readable& readable);

}  // namespace postern::adapters
