#include "adapters/pickup/pickup_header.h"

#include <algorithm>
#include <set>

#include "adapters/envelope_text.h"
#include "base/text.h"
#include "mail/address.h"
#include "mail/mailboxes.h"
#include "mail/raw_fields.h"

namespace postern::adapters {

namespace {

using mail::RawField;

// A server may take what has blanks before its colon for a field, or not.
bool isField(const RawField& field) {
    return field.hasColon && !field.name.empty() &&
           std::all_of(field.name.begin(), field.name.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

// Fields of the block; other lines are counted and left out.
std::vector<RawField> fieldsOf(std::string_view block, std::int64_t& strayLines) {
    std::vector<RawField> fields;
    while (!block.empty()) {
        const RawField field = mail::takeField(block);
        if (isField(field))
            fields.push_back(field);
        else
            strayLines += std::count(field.whole.begin(), field.whole.end(), '\n');
    }
    return fields;
}

bool hasEightBit(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

// What such a server would take for its own.
bool isServersOwn(std::string_view name) {
    static constexpr std::string_view kOwn[] = {"X-Sender",          "X-Receiver",
                                                "X-CreatedBy",       "X-HeloDomain",
                                                "X-Source",          "X-ExtendedMessageProps",
                                                "X-SourceIPAddress", "X-EndOfInjectedXHeaders"};
    return std::any_of(std::begin(kOwn), std::end(kOwn),
                       [&](std::string_view each) { return equalsIgnoreCase(each, name); });
}

bool isAnyOf(std::string_view name, std::initializer_list<std::string_view> names) {
    return std::any_of(names.begin(), names.end(),
                       [&](std::string_view each) { return equalsIgnoreCase(each, name); });
}

std::string original(std::string_view name, std::string_view value) {
    return "X-Original-" + std::string(name) + ":" + std::string(value) +
           (value.ends_with("\n") ? "" : "\r\n");
}

// Only what no reader of headers can take for anything but a name: others are left out.
std::string shownName(const std::string& name) {
    const bool plain =
        !name.empty() && name.size() <= 100 && std::all_of(name.begin(), name.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   std::string_view(" .'_-").find(c) != std::string_view::npos;
        });
    return plain ? "\"" + name + "\" " : std::string();
}

std::string listField(const char* name, const std::vector<std::string>& mailboxes) {
    if (mailboxes.empty()) return {};
    std::string line = std::string(name) + ": ";
    for (std::size_t i = 0; i < mailboxes.size(); ++i) line += (i == 0 ? "" : ",\r\n\t") + mailboxes[i];
    return line + "\r\n";
}

std::string folded(const std::string& address) {
    const auto parsed = mail::parseAddress(address);
    return parsed.ok() ? mail::foldAddress(*parsed) : std::string();
}

class PickupWriter {
  public:
    PickupWriter(const Delivery& delivery, const PickupRules& rules, std::vector<std::string>& notes)
        : delivery_(delivery), rules_(rules), notes_(notes) {}

    Result<std::string> write(std::string_view block) {
        std::int64_t strayLines = 0;
        const auto fields = fieldsOf(block, strayLines);
        if (strayLines > 0)
            notes_.push_back(std::to_string(strayLines) +
                             " lines of the header are no header fields and were left out");
        if (hasEightBit(delivery_.sender))
            return fail(Errc::Invalid, "the sender's address '" + escapeLine(delivery_.sender, 100) +
                                           "' is not US-ASCII: a pickup folder's server takes no other");
        for (const Recipient& recipient : delivery_.recipients) {
            POSTERN_LET(address, pickupAddress(recipient));
            targets_.push_back({folded(recipient.address), address, false});
        }
        std::string rest;
        for (const RawField& field : fields) rest += carry(field);
        const std::string top = rules_.mode == PickupMode::Pickup ? pickupTop() : envelopeLines();
        for (const bool whole : {true, false}) {
            const std::string header = top + (whole ? kept_ : std::string()) + rest + "\r\n";
            if (header.size() <= rules_.limit) return header;
            if (whole && !kept_.empty())
                notes_.push_back(
                    "the original recipient fields were left out: the header is too long with them");
        }
        return fail(Errc::Invalid, "its header is longer than the " +
                                       formatSize(static_cast<std::int64_t>(rules_.limit)) +
                                       " that the pickup folder's server reads");
    }

  private:
    struct Target {
        std::string folded, address;
        bool shown;
    };

    // What becomes of a field of the original; what is said in another way is remembered.
    std::string carry(const RawField& field) {
        if (isServersOwn(field.name)) return original(field.name, field.value);
        const std::string whole = std::string(field.whole) + (field.whole.ends_with("\n") ? "" : "\r\n");
        if (rules_.mode != PickupMode::Pickup) return whole;
        if (isAnyOf(field.name, {"Bcc"})) return {};
        if (isAnyOf(field.name, {"Resent-To", "Resent-Cc", "Resent-Bcc", "Resent-Sender", "Resent-From",
                                 "Apparently-To"}))
            return equalsIgnoreCase(field.name, "Resent-Bcc") ? std::string()
                                                              : original(field.name, field.value);
        if (isAnyOf(field.name, {"To"})) return recipients(field, to_);
        if (isAnyOf(field.name, {"Cc"})) return recipients(field, cc_);
        if (isAnyOf(field.name, {"Sender"})) return original(field.name, field.value);
        if (isAnyOf(field.name, {"From"})) return author(field, whole);
        if (isAnyOf(field.name, {"Auto-Submitted"})) automatic_ = true;
        return whole;
    }

    // The envelope's recipients among those of the field, each once; the field itself is kept for people when
    // it says more.
    std::string recipients(const RawField& field, std::vector<std::string>& into) {
        bool all = true;
        for (const mail::Mailbox& mailbox : mail::parseMailboxes(field.value)) {
            const std::string address = mailbox.guessed ? std::string() : folded(mailbox.address);
            const auto target = std::find_if(targets_.begin(), targets_.end(), [&](const Target& each) {
                return !address.empty() && each.folded == address;
            });
            if (target == targets_.end()) {
                all = false;
            } else if (!target->shown) {
                target->shown = true;
                into.push_back(shownName(mailbox.name) + "<" + target->address + ">");
            }
        }
        if (!all) kept_ += original(field.name, field.value);
        return {};
    }

    // The first From that can be read is the author; others are kept for people.
    std::string author(const RawField& field, const std::string& whole) {
        const auto mailboxes = mail::parseMailboxes(field.value);
        const bool readable =
            !mailboxes.empty() && std::all_of(mailboxes.begin(), mailboxes.end(), [](const auto& each) {
                return !each.guessed && !folded(each.address).empty();
            });
        if (hasFrom_ || !readable) return original(field.name, field.value);
        hasFrom_ = true;
        onlyAuthor_ = mailboxes.size() == 1 ? folded(mailboxes.front().address) : std::string();
        return whole;
    }

    std::string pickupTop() {
        const std::string sender =
            delivery_.sender.empty() ? rules_.nullSender : headerValue(delivery_.sender);
        std::string top;
        if (!hasFrom_) top += "From: <" + sender + ">\r\n";
        if (hasFrom_ && (onlyAuthor_.empty() || onlyAuthor_ != folded(sender)))
            top += "Sender: <" + sender + ">\r\n";
        // RFC 3834: nobody's program may answer to what was sent without a return path.
        if (delivery_.sender.empty())
            top += std::string(automatic_ ? "" : "Auto-Submitted: auto-replied\r\n") +
                   "X-Auto-Response-Suppress: All\r\n";
        std::vector<std::string> hidden;
        for (const Target& target : targets_)
            if (!target.shown) hidden.push_back("<" + target.address + ">");
        return top + listField("To", to_) + listField("Cc", cc_) + listField("Bcc", hidden);
    }

    std::string envelopeLines() const {
        const bool bare = rules_.mode == PickupMode::Iis;
        const auto line = [&](const char* name, const std::string& address) {
            return name + (bare && !address.empty() ? ": " + address : ": <" + address + ">") + "\r\n";
        };
        std::string lines = line("X-Sender", headerValue(delivery_.sender));
        for (const Target& target : targets_) lines += line("X-Receiver", target.address);
        return lines;
    }

    const Delivery& delivery_;
    const PickupRules& rules_;
    std::vector<std::string>& notes_;
    std::vector<Target> targets_;
    std::vector<std::string> to_, cc_;
    std::string kept_;        // original fields for people
    std::string onlyAuthor_;  // folded
    bool hasFrom_ = false, automatic_ = false;
};

}  // namespace

Result<std::string> pickupAddress(const Recipient& recipient) {
    const std::string& text = legacyOrAddress(recipient);
    const auto parsed = mail::parseAddress(text);
    if (!parsed.ok() || parsed->domain.empty())
        return fail(Errc::Invalid, "'" + escapeLine(text, 100) +
                                       "' is no address to which a pickup folder's server can send");
    return parsed->text();
}

Result<std::string> pickupHeader(std::string_view block, const Delivery& delivery, const PickupRules& rules,
                                 std::vector<std::string>& notes) {
    return PickupWriter(delivery, rules, notes).write(block);
}

}  // namespace postern::adapters
