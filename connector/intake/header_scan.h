#pragma once
// Catches what lists and logs want of a mail's header while its text streams by: Message-ID, Subject, and how
// many hands it went through. Not a parser: the mail is stored as it came, mail/mime.h reads it later.

#include <cstdint>
#include <string>
#include <string_view>

namespace postern::intake {

// Thread rule: one thread at a time.
class HeaderScan {
  public:
    void feed(std::string_view text);  // unstuffed text with CR LF line ends, in pieces of any size
    void end();                        // the text is over: a header without a body ends here

    bool over() const { return over_; }  // the header ended, or is too long to look at further
    // The first Message-ID from its "<" to its ">", or the field's text when it has none; cut at 300 bytes.
    const std::string& messageId() const { return messageId_; }
    // The first Subject, unfolded, cut at 200 bytes.
    const std::string& subject() const { return subject_; }
    int receivedCount() const { return received_; }

  private:
    void endLine();
    void endField();

    std::string line_;   // the line being read, cut
    std::string field_;  // the field it may continue, unfolded, cut
    std::string messageId_, subject_;
    bool hasMessageId_ = false, hasSubject_ = false;
    int received_ = 0;
    std::int64_t seen_ = 0;
    bool over_ = false;
};

}  // namespace postern::intake
