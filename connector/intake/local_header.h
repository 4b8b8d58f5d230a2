#pragma once
// The header of a mail that a program of this machine hands over, where it may hold the envelope (sendmail
// -t, pickup folders) and may lack what a mail needs (RFC 6409 section 8). Pure functions on text with CR LF
// line ends; all of it linear and bounded. Thread rule: pure; a HeaderCatcher belongs to one thread.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace postern::intake {

inline constexpr std::size_t kLongestLocalHeader = 256 * 1024;  // bytes; what adapters read as well
inline constexpr std::size_t kMostLocalRecipients = 10'000;

// Holds a mail back until its header is whole. The header ends at the first empty line, or at the first line
// that can be no part of it: a mail that begins with plain text has none.
class HeaderCatcher {
  public:
    // Invalid when the header is longer than kLongestLocalHeader.
    Result<void> feed(std::string_view text);
    void end();  // the mail is over
    bool over() const { return over_; }

    // Whole lines; and what came behind them, which begins with the empty line, if there is one.
    std::string_view block() const { return std::string_view(text_).substr(0, end_); }
    std::string_view rest() const { return std::string_view(text_).substr(end_); }

  private:
    bool takeLine(std::string_view line);
    std::string text_;
    std::size_t end_ = 0;  // of the lines known to be header
    bool over_ = false;
};

struct LocalField {
    std::string_view name;
    std::string_view value;  // raw: behind the colon, with folds
    std::string_view whole;  // name, value and line ends
};
// Views into `block`. A mailbox file's "From " line before the first field is left out.
std::vector<LocalField> localFields(std::string_view block);

// An address as people write it (RFC 5322 3.4 with its obsolete forms, comments, groups) as envelope
// addresses. One without a domain gets `domain`. Invalid, naming it, for what is no address: a recipient is
// never guessed and never dropped. Letters beyond US-ASCII are taken as over SMTPUTF8 (RFC 6531): as valid
// UTF-8 and nothing else.
Result<std::vector<std::string>> addressesIn(std::string_view value, const std::string& domain);

// To, Cc and Bcc; where there is any Resent-To, Resent-Cc or Resent-Bcc, those instead (RFC 5322 3.6.6).
Result<std::vector<std::string>> headerRecipients(const std::vector<LocalField>& fields,
                                                  const std::string& domain);
// The one author in From, or Sender where From has several. Nothing when neither names anybody.
Result<std::optional<std::string>> headerSender(const std::vector<LocalField>& fields,
                                                const std::string& domain);

struct Completion {
    std::string sender;    // envelope; empty: none
    std::string fullName;  // for From; UTF-8, may be empty
    std::string hostname;
    WallTime now;
};
// The header with its line ends: without Bcc and Resent-Bcc, everything else as it stands, and behind it
// From, Date and Message-ID where they are missing.
std::string completedHeader(const std::vector<LocalField>& fields, const Completion& with);

// "Anna <anna@x>" with the name quoted or encoded (RFC 2047) as it needs.
std::string namedAddress(std::string_view name, std::string_view address);

}  // namespace postern::intake
