#pragma once
// Catches what lists, logs and rules want of a mail's header while its text streams by: Message-ID, Subject,
// how many hands it went through and how often ours, and the block itself. Not a parser: the mail is stored
// as it came, mail/mime.h reads it later.

#include <cstdint>
#include <string>
#include <string_view>

namespace postern::intake {

// Thread rule: one thread at a time.
class HeaderScan {
  public:
    static constexpr std::size_t kMostKept = 64 * 1024;  // bytes of the block that block() holds

    // `trace`: the value of our own trace field, to be counted; compared whole and byte for byte, since a
    // prefix takes one host's mark for another's (KB Q128627).
    explicit HeaderScan(std::string_view trace = {}) : trace_(trace) {}

    void feed(std::string_view text);  // unstuffed text with CR LF line ends, in pieces of any size
    void end();                        // the text is over: a header without a body ends here

    bool over() const { return over_; }  // the header ended, or is too long to look at further
    bool tooLong() const;                // it is: what was not found may still stand in it
    // The first Message-ID from its "<" to its ">", or the field's text when it has none; cut at 300 bytes.
    const std::string& messageId() const { return messageId_; }
    // The first Subject, unfolded, cut at 200 bytes.
    const std::string& subject() const { return subject_; }
    int receivedCount() const { return received_; }
    int traceCount() const { return traces_; }
    bool hasDate() const { return hasDate_; }
    bool hasMessageId() const { return hasMessageId_; }
    // The header as it came, without the empty line behind it, cut at kMostKept bytes.
    std::string& block() { return block_; }

  private:
    void endLine();
    void endField();

    std::string trace_;
    std::string block_;
    std::string line_;   // the line being read, cut
    std::string field_;  // the field it may continue, unfolded, cut
    std::string messageId_, subject_;
    bool hasMessageId_ = false, hasSubject_ = false, hasDate_ = false;
    int received_ = 0, traces_ = 0;
    std::int64_t seen_ = 0;
    bool over_ = false;
};

}  // namespace postern::intake
