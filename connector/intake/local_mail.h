#pragma once
// A mail on its way from a pipe or a file of this machine into the store: line ends made CR LF, bounded,
// memory flat whatever its size, its header in our hands before the rest is read. For submit, sendmail and
// pickup folders. Thread rule: one thread at a time.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connector/intake/door.h"
#include "connector/intake/header_scan.h"
#include "connector/intake/line_ends.h"
#include "connector/intake/local_header.h"

namespace postern::intake {

class LocalMail {
  public:
    // Up to `size` bytes; 0 only at the end.
    using Read = std::function<Result<std::size_t>(char* into, std::size_t size)>;

    struct Limits {
        std::int64_t size;  // bytes of the mail with CR LF line ends
        int hops;           // Received lines, as over SMTP (config::Config::hops)
    };

    // `storeId`: of the store that it goes to.
    LocalMail(Read read, Limits limits, std::string storeId);

    // Reads until the header is whole. Invalid for a mail that is empty, larger than its limit, holds NUL
    // bytes or has a header longer than kLongestLocalHeader; errors of `read` are passed on.
    Result<void> readHeader();
    std::string_view header() const { return catcher_.block(); }

    // Writes `received` and our own trace field, then `header`, then what stood behind the header into
    // mail.body, and fills in what the door and the lists want to know of it. An envelope beyond US-ASCII
    // makes it a mail of SMTPUTF8. Errors as in readHeader(), and a mail that went through too many hands.
    // REQUIRES: readHeader() was ok; mail.body is a new one; its sender and recipients are there.
    Result<void> copyInto(IncomingMail& mail, std::string_view received, std::string_view header);

  private:
    Result<bool> nextPiece();  // false at the end
    Result<void> add(IncomingMail& mail, std::string_view text);

    const Read read_;
    const Limits limits_;
    const std::string storeId_;
    std::int64_t size_ = 0;
    std::unique_ptr<char[]> raw_;
    std::string piece_;
    LineEnds lineEnds_;
    HeaderCatcher catcher_;
    HeaderScan scan_;
};

// All of them or none; every refusal is told, and the gravest kind decides: what may work later comes before
// what never will.
Result<std::vector<routing::Router::Routed>> routeAll(const Door& door,
                                                      const std::vector<std::string>& addresses,
                                                      const Envelope& envelope);

// What a refusal of the door is as an Error: its text for a person, and whether another try may help.
Error errorOf(const Answer& answer);

}  // namespace postern::intake
