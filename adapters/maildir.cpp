// Maildir: one file per message in `new`, its name made from the queue's row (FORMATS.md 8). Files are staged
// in a folder of ours and never in `tmp`: consumers may purge `tmp`, and a purged file would look published.

#include <cstdio>

#include "adapters/envelope_text.h"
#include "adapters/kinds.h"
#include "adapters/spool.h"
#include "base/text.h"

namespace postern::adapters {

namespace {

// "/" and ":" have a meaning in Maildir names and are written as the Maildir page asks; blanks would break
// ours.
std::string hostPart(std::string_view hostname) {
    std::string out;
    for (const char c : hostname) {
        if (c == '/') {
            out += "\\057";
        } else if (c == ':') {
            out += "\\072";
        } else if (static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7f) {
            out += c;
        }
    }
    return out.empty() ? "localhost" : out.substr(0, 128);
}

class Maildir final : public SpoolAdapter {
  public:
    Maildir(const AdapterContext& adapterContext, SpoolPlan plan, bool perRecipient, LineEnds lineEnds)
        : SpoolAdapter(adapterContext, std::move(plan)),
          perRecipient_(perRecipient),
          lineEnds_(lineEnds),
          suffix_("Q" + adapterContext.storeId.substr(0, 8) + "." + hostPart(adapterContext.hostname)) {}

    Grouping grouping() const override { return {perRecipient_ ? 1 : 0, 0, nullptr}; }
    bool finalDelivery() const override { return true; }

    std::optional<std::string> refuses(const Recipient& recipient) const override {
        if (!perRecipient_) return std::nullopt;
        const auto mailbox = mailboxOf(recipient);
        if (mailbox.ok()) return std::nullopt;
        return mailbox.error().text;
    }

  protected:
    Result<Place> place(const Delivery& delivery) const override {
        const std::string name = std::to_string(toMillis(delivery.received) / 1000) + ".P" +
                                 std::to_string(delivery.key.item.value) + suffix_;
        if (!perRecipient_) return Place{"new", name};
        if (delivery.recipients.size() != 1)
            return fail(Errc::Invalid,
                        "it was accepted for a shared Maildir and has several recipients; this one "
                        "takes one recipient per message");
        POSTERN_LET(mailbox, mailboxOf(delivery.recipients.front()));
        return Place{mailbox + "/new", name};
    }

    Result<std::optional<Outcome>> write(Job& job, StagedFile& file) const override {
        const std::string end = lineEnds_ == LineEnds::Lf ? "\n" : "\r\n";
        std::string head = "Return-Path: <" + headerValue(job.delivery.sender) + ">" + end;
        for (const Recipient& recipient : job.delivery.recipients)
            head += "Delivered-To: " + headerValue(recipient.address) + end;
        POSTERN_TRY(file.write(head));
        POSTERN_TRY(file.writeMessage(*job.delivery.message, lineEnds_));
        return std::optional<Outcome>();
    }

  private:
    // The legacy name, else the local part; local parts of one person differ in case only.
    static Result<std::string> mailboxOf(const Recipient& recipient) {
        if (!recipient.legacy.empty()) return folderName(recipient.legacy);
        return folderName(lowerAscii(recipient.address.substr(0, recipient.address.rfind('@'))));
    }

    const bool perRecipient_;
    const LineEnds lineEnds_;
    const std::string suffix_;
};

Result<std::unique_ptr<Adapter>> makeMaildir(const AdapterContext& context, const Settings& settings) {
    POSTERN_LET(plan, spoolPlan(settings));
    const bool perRecipient = settings.text("layout") == "per-recipient";
    if (!perRecipient) plan.live = {"new"};
    plan.siblings = {"cur", "tmp"};
    const LineEnds lineEnds = settings.text("line_ends") == "crlf" ? LineEnds::Crlf : LineEnds::Lf;
    return std::unique_ptr<Adapter>(
        std::make_unique<Maildir>(context, std::move(plan), perRecipient, lineEnds));
}

}  // namespace

Kind maildirKind() {
    return {"maildir", "one file per message in a Maildir",
            spoolSettings({
                {"layout",
                 SettingType::Choice,
                 "single",
                 "single: the folder is one Maildir for all; per-recipient: it holds one Maildir for each "
                 "legacy name.",
                 {"single", "per-recipient"}},
                {"line_ends", SettingType::Choice, "lf", "How lines end in the files.", {"lf", "crlf"}},
            }),
            &makeMaildir};
}

}  // namespace postern::adapters
