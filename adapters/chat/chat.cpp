// Mail for the people in the chat (docs/CHAT.md): one entry for each item in the log of its channel or of its
// person, which the chat tells live and again to who comes later. A person who is not there is waited for:
// his mail is deferred, and returned like any other that waits too long.

#include <algorithm>

#include "adapters/chat/chat_entry.h"
#include "adapters/chat/chat_text.h"
#include "adapters/kinds.h"
#include "adapters/spool/running_numbers.h"
#include "adapters/spool/spool.h"
#include "base/log.h"
#include "base/text.h"
#include "mail/mime.h"

namespace postern::adapters {

namespace {

// Files beyond `keep`, so that the number of somebody slow is not gone, and free again, before he takes it.
constexpr std::size_t kMargin = 256;

// Local parts of one person differ in case only.
std::string targetOf(const Recipient& recipient) {
    if (!recipient.legacy.empty()) return recipient.legacy;
    return lowerAscii(recipient.address.substr(0, recipient.address.rfind('@')));
}

std::string authorOf(const mail::Readable& readable, const Delivery& delivery) {
    const std::string& name = readable.from.name;
    const std::string& address = readable.from.address.empty() ? delivery.sender : readable.from.address;
    if (name.empty()) return address;
    return address.empty() ? name : name + " <" + address + ">";
}

class Chat final : public SpoolAdapter {
  public:
    Chat(const AdapterContext& adapterContext, SpoolPlan plan, std::vector<std::string> channels,
         std::size_t keep)
        : SpoolAdapter(adapterContext, std::move(plan)), channels_(std::move(channels)), keep_(keep) {}

    Grouping grouping() const override { return {1, 0, nullptr}; }
    bool finalDelivery() const override { return true; }

    std::optional<std::string> refuses(const Recipient& recipient) const override {
        const std::string target = targetOf(recipient);
        if (const auto folder = chat::logFolder(target); !folder.ok()) return folder.error().text;
        const bool known = std::any_of(channels_.begin(), channels_.end(), [&](const std::string& channel) {
            return equalsIgnoreCase(channel, target);
        });
        if (chat::isChannel(target) && !known) return "no mail is taken for the channel " + target;
        return std::nullopt;
    }

  protected:
    Result<Place> place(const Delivery& delivery) const override {
        if (delivery.recipients.size() != 1)
            return fail(Errc::Invalid, "it has several recipients; each has a log of its own");
        POSTERN_LET(folder, chat::logFolder(targetOf(delivery.recipients.front())));
        return Place{std::move(folder), ""};
    }

    // A sender can invent any name: who is not there gets no folder.
    std::optional<Outcome> notNow(const Delivery& delivery) const override {
        const std::string target = targetOf(delivery.recipients.front());
        if (chat::isChannel(target) || !context().inChat || context().inChat(target)) return std::nullopt;
        return deferred(chat::awayReason(target), Cause::Connection);
    }

    Result<std::optional<Outcome>> write(Job& job, StagedFile& file, Companions&) const override {
        const std::string target = targetOf(job.delivery.recipients.front());
        POSTERN_LET(readable, mail::readMessage(*job.delivery.message, {}));
        chat::Letter letter;
        letter.author = authorOf(readable, job.delivery);
        letter.subject = readable.subject;
        letter.text = std::move(readable.text);
        letter.files = readable.attachments.size();
        chat::Entry entry{job.delivery.key.item, target, {}};
        entry.lines = chat::linesOf(entry.item, letter, chat::roomFor(context().hostname, target));
        POSTERN_TRY(file.write(chat::entryText(entry)));
        for (std::string& note : readable.notes) job.notes.push_back(std::move(note));
        if (letter.untold > 0)
            job.notes.push_back("not told: " + std::to_string(letter.untold) + " more lines");
        for (const mail::Attachment& each : readable.attachments)
            job.notes.push_back("a chat takes no files: " + escapeLine(each.name, 100));
        return std::optional<Outcome>();
    }

    // Looked up for each: others may have added many since our last one, and what is behind the newest
    // would be told to nobody.
    Result<std::string> nextName(const Folder& live, const std::string&) const override {
        return nextRunningNumber(live, {});
    }

    // The oldest go: a log holds what somebody may want to hear who comes in. The newest stays whatever
    // happens, and with it the count.
    void afterPublishing(const Folder& live, const std::vector<std::string>&) const override {
        if (const auto done = shorten(live); !done.ok())
            LogLine(LogEvent::AdapterIndex)
                .with("adapter", context().name)
                .with("reason", "old mail of " + live.path() + " stays: " + done.error().text);
    }

  private:
    Result<void> shorten(const Folder& live) const {
        POSTERN_LET(numbers, runningNumbers(live));
        for (std::size_t i = 0; i + keep_ + kMargin < numbers.size(); ++i) {
            const auto removed = live.remove(std::to_string(numbers[i]));
            if (!removed.ok() && removed.error().code != Errc::NotFound) return removed;
        }
        return {};
    }

    const std::vector<std::string> channels_;
    const std::size_t keep_;
};

Result<std::unique_ptr<Adapter>> makeChat(const AdapterContext& context, const Settings& settings) {
    POSTERN_LET(plan, spoolPlan(settings));
    const std::vector<std::string> channels = settings.list("channels");
    for (const std::string& channel : channels) {
        const std::string problem =
            chat::isChannel(channel) ? chat::targetProblem(channel) : "a channel begins with \"#\"";
        if (!problem.empty())
            return fail(Errc::Invalid, "channels: \"" + escapeLine(channel, 100) + "\": " + problem);
    }
    return std::unique_ptr<Adapter>(std::make_unique<Chat>(
        context, std::move(plan), channels, static_cast<std::size_t>(settings.integer("keep"))));
}

}  // namespace

Kind chatKind() {
    return {"chat", "mail told to a channel or a person in Postern's own chat",
            spoolSettings({
                {"channels", SettingType::List, "",
                 "The channels that mail may be told in, with their #; other recipients are accounts."},
                {"keep",
                 SettingType::Integer,
                 "50",
                 "Mails of a channel or a person that are told again to who comes in.",
                 {},
                 1,
                 1000},
                {"at_once",
                 SettingType::Integer,
                 "5",
                 "Mails that are told in a channel within five seconds; further ones are counted there in "
                 "one line.",
                 {},
                 1,
                 1000},
            }),
            &makeChat};
}

}  // namespace postern::adapters
