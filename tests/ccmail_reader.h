#pragma once
// A strict reader of cc:Mail import files (FORMATS.md section 3), written from the description and not from
// the adapter: every size must add up exactly to the end of its container, every label must be in its place.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace postern::tests {

struct CcmailItem {
    bool isFile = false;
    std::string name;  // files: the title without its date
    std::string date;  // files: what stood behind the name; may be empty
    std::string data;
};

struct CcmailMessage {
    std::string from, date, subject;
    std::vector<std::pair<std::string, std::string>> recipients;  // "To", "cc" or "Bcc", and the address
    std::vector<CcmailItem> items;
    std::size_t headerBytes = 0;

    std::string text() const;  // the text items joined
};

// One file with exactly one message. `sizeColumns` as the adapter's setting. Errors name the byte offset.
Result<CcmailMessage> readCcmail(std::string_view bytes, std::size_t sizeColumns = 12);

// Takes one trailing date off a file title, in any of the orders and with or without a time (KB Q186216); the
// title stays whole when no name would be left.
std::pair<std::string, std::string> splitFileTitle(std::string_view title);

}  // namespace postern::tests
