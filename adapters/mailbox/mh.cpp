// MH: a file per message, its name the next number in the folder. The number is chosen when the file is
// published; what tells whether it was is the staged file alone, as with every spool
// (adapters/spool/spool.h).

#include "adapters/kinds.h"
#include "adapters/mailbox/mailbox_head.h"
#include "adapters/mailbox/mh_sequences.h"
#include "adapters/spool/running_numbers.h"
#include "adapters/spool/spool.h"
#include "base/log.h"
#include "base/text.h"

namespace postern::adapters {

namespace {

class Mh final : public SpoolAdapter {
  public:
    Mh(const AdapterContext& adapterContext, SpoolPlan plan, bool each, std::string sequence,
       MessageFormat format)
        : SpoolAdapter(adapterContext, std::move(plan)),
          each_(each),
          sequence_(std::move(sequence)),
          format_(std::move(format)) {}

    Grouping grouping() const override { return {each_ ? 1 : 0, 0, nullptr}; }
    bool finalDelivery() const override { return true; }
    std::optional<std::string> refuses(const Recipient& recipient) const override {
        return each_ ? refusedMailbox(recipient) : std::nullopt;
    }

  protected:
    Result<Place> place(const Delivery& delivery) const override {
        if (!each_) return Place{};
        POSTERN_LET(mailbox, mailboxOf(delivery));
        // A folder named like a number would be a message of the folder above, to some with zeros in front as
        // well. Its first digit is escaped as folderName() escapes, so that no other recipient has that name.
        if (mailbox.find_first_not_of("0123456789") == std::string::npos)
            mailbox.replace(0, 1, std::string("%3") + mailbox.front());
        return Place{std::move(mailbox), ""};
    }

    Result<std::optional<Outcome>> write(Job& job, StagedFile& file, Companions&) const override {
        return writeMailboxFile(job, format_, LineEnds::Lf, file);
    }

    Result<std::string> nextName(const Folder& live, const std::string& last) const override {
        auto next = nextRunningNumber(live, last);
        if (next.ok() || next.error().code != Errc::NoSpace) return next;
        return fail(Errc::NoSpace, next.error().text + ": renumber it with 'folder -pack'");
    }

    // The mail is delivered whatever becomes of this: a reader that keeps the index locked, or an index that
    // is none, costs the mark only.
    void afterPublishing(const Folder& live, const std::vector<std::string>& names) const override {
        const auto marked = addToSequence(live, sequence_, names);
        if (!marked.ok())
            LogLine(LogEvent::AdapterIndex)
                .with("adapter", context().name)
                .with("reason", marked.error().text);
    }

  private:
    const bool each_;
    const std::string sequence_;
    const MessageFormat format_;
};

Result<std::unique_ptr<Adapter>> makeMh(const AdapterContext& context, const Settings& settings) {
    POSTERN_LET(plan, spoolPlan(settings));
    const bool each = perRecipient(settings);
    if (!each) plan.live = {""};
    const std::string& sequence = settings.text("sequence");
    if (!sequence.empty() && !isSequenceName(sequence))
        return fail(Errc::Invalid, "sequence: a letter, then letters and digits, like unseen");
    POSTERN_LET(format, messageFormat(settings));
    return std::unique_ptr<Adapter>(
        std::make_unique<Mh>(context, std::move(plan), each, sequence, std::move(format)));
}

}  // namespace

Kind mhKind() {
    return {
        "mh", "one numbered file per message in an MH folder",
        spoolSettings(messageSettings({
            layoutSetting("single: the folder is one MH folder for all; per-recipient: it holds one for each "
                          "legacy name."),
            {"sequence", SettingType::Text, "",
             "New messages are added to this sequence, unseen for nmh's Unseen-Sequence; empty: to none."},
        })),
        &makeMh};
}

}  // namespace postern::adapters
