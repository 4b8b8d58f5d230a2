#pragma once
// The message as adapters hand it over that carry Internet mail (smtp, lmtp, mbox, maildir, mh, pickup,
// drop): as it came, made 7-bit, or plain. One set of settings and one writer for all. Thread rule: a
// MessageFormat is immutable; a FormedMessage belongs to one thread.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/adapter.h"
#include "adapters/registry.h"
#include "mail/convert.h"
#include "mail/downgrade.h"

namespace postern::adapters {

enum class MessageForm {
    Original,  // the bytes as they came, rewritten only as far as the carrier needs it
    SevenBit,  // no 8-bit byte anywhere
    Plain,     // one plain text in a charset, attachments uuencoded or left out
};

struct MessageFormat {
    MessageForm form = MessageForm::Original;
    mail::Carrier carrier;  // limits that always hold; a session may know more
    mail::Profile plain;    // Plain only
};

// The keys of a message format, followed by `own`: `format` (original, 7bit, plain), line_limit,
// header_limit, recode_text, transfer_encoding (automatic, base64), and those of profileSettings() for plain.
// `fixed` as there; "format=plain" takes that form and its settings away.
std::vector<Setting> messageSettings(std::vector<Setting> own,
                                     const std::vector<std::string_view>& fixed = {});
Result<MessageFormat> messageFormat(const Settings& settings);

// A delivery's message ready to be written, any number of times with the same bytes.
class FormedMessage {
  public:
    // `carrier` is what the receiver of this moment can take; `format.carrier` holds as well. Errc::Invalid:
    // this message can never be carried, with a reason for people. What was lost or rewritten goes to
    // `notes`. Refers to `delivery.message`.
    static Result<FormedMessage> make(const Delivery& delivery, const MessageFormat& format,
                                      const mail::Carrier& carrier, std::vector<std::string>& notes);
    FormedMessage(FormedMessage&&) noexcept;
    FormedMessage& operator=(FormedMessage&&) noexcept;
    ~FormedMessage();

    bool eightBit() const;    // some byte of the body is over 127
    bool utf8Header() const;  // some byte of a header field is
    // Lines end with CRLF.
    Result<void> writeTo(const std::function<Result<void>(std::string_view)>& sink) const;

  private:
    struct Impl;
    explicit FormedMessage(std::unique_ptr<Impl> impl);
    static Result<void> makePlain(const Delivery& delivery, const mail::Profile& profile,
                                  const mail::Carrier& carrier, Impl& impl, std::vector<std::string>& notes);
    std::unique_ptr<Impl> impl_;
};

}  // namespace postern::adapters
