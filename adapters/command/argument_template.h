#pragma once
// A command's arguments with places for values of the mail. There is no shell: what a value holds stays
// inside its argument, whatever it is. What is left to guard against is a value that the program takes for an
// option.
//
//   {sender}        the envelope sender; null_sender for the null reverse path
//   {recipient}     the recipient's legacy name, or its Internet address where the route gives none
//   {address}       its Internet address; {local_part} and {domain}, the parts of it
//   {recipients...} {addresses...}   the argument once for each recipient
//   {item} {attempt} {message_id} {size} {hostname} {envelope_id}
//   {{ }}           a brace
//
// An argument that a value makes begin with "-" is refused, unless an earlier one is "--". A value with a
// control character is refused.
//
// Thread rule: immutable once made.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/adapter.h"
#include "base/result.h"

namespace postern::adapters {

struct ArgumentValues {
    const Delivery* delivery = nullptr;
    std::string messageId;
    std::int64_t size = 0;
};

class ArgumentTemplate {
  public:
    struct Rules {
        std::string nullSender;  // for {sender}
        std::string hostname;
        bool several = false;  // a run may have several recipients: {recipient} and its like are none then
    };
    // Errc::Invalid: what is wrong, without the setting's name.
    static Result<ArgumentTemplate> parse(const std::vector<std::string>& arguments, Rules rules);

    // Errc::Invalid: this mail can not be handed over so, and why.
    Result<std::vector<std::string>> expand(const ArgumentValues& values) const;
    // Why no mail to this recipient can be.
    std::optional<std::string> refuses(const Recipient& recipient) const;
    bool uses(std::string_view name) const;  // "message_id"

  private:
    struct Piece {
        bool place = false;
        std::string text;  // literal, or the place's name
    };
    struct Argument {
        std::vector<Piece> pieces;
        std::string each;     // "recipients..." or "addresses...": stands once for each
        bool behind = false;  // behind a "--": may begin with "-"
    };
    static Result<Argument> parseOne(std::string_view text, bool several);
    Result<std::string> fill(const Argument& argument, const ArgumentValues& values,
                             const Recipient& recipient) const;
    std::string value(const std::string& name, const ArgumentValues& values,
                      const Recipient& recipient) const;
    static bool ofRecipient(const Argument& argument);

    std::vector<Argument> arguments_;
    Rules rules_;
};

}  // namespace postern::adapters
