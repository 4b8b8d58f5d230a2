// Maildir: one file per message in `new`, its name made from the queue's row (FORMATS.md 8). Files are staged
// in a folder of ours and never in `tmp`: consumers may purge `tmp`, and a purged file would look published.

#include <algorithm>

#include "adapters/kinds.h"
#include "adapters/mailbox/mailbox_head.h"
#include "adapters/spool/spool.h"
#include "base/path.h"
#include "base/text.h"

namespace postern::adapters {

namespace {

// "/" and ":" have a meaning in Maildir names and are written as the Maildir page asks; blanks would break
// ours. What no file name may have here is left out: the name is unique without our host.
std::string hostPart(std::string_view hostname) {
    std::string out;
    for (const char c : hostname) {
        const std::string written = c == '/' ? "\\057" : c == ':' ? "\\072" : std::string(1, c);
        if (c > 0x20 && c < 0x7f && usableFileName("a" + written + "a").ok()) out += written;
    }
    out.resize(std::min<std::size_t>(out.size(), 128));
    while (!out.empty() && !usableFileName("a" + out).ok()) out.pop_back();  // a dot at the end
    return out.empty() ? "localhost" : out;
}

struct MaildirSettings {
    bool each = false;   // a Maildir for each recipient
    std::string inside;  // "", or the Maildir++ folder in it with its slash: ".Spam/"
    bool sizeInName = false;
    LineEnds lineEnds = LineEnds::Lf;
    MessageFormat format;
};

class Maildir final : public SpoolAdapter {
  public:
    Maildir(const AdapterContext& adapterContext, SpoolPlan plan, MaildirSettings settings)
        : SpoolAdapter(adapterContext, std::move(plan)),
          settings_(std::move(settings)),
          suffix_("Q" + adapterContext.storeId.substr(0, 8) + "." + hostPart(adapterContext.hostname)) {}

    Grouping grouping() const override { return {settings_.each ? 1 : 0, 0, nullptr}; }
    bool finalDelivery() const override { return true; }
    std::optional<std::string> refuses(const Recipient& recipient) const override {
        return settings_.each ? refusedMailbox(recipient) : std::nullopt;
    }

  protected:
    Result<Place> place(const Delivery& delivery) const override {
        std::string name = std::to_string(toMillis(delivery.received) / 1000) + ".P" +
                           std::to_string(delivery.key.item.value) + suffix_;
        const std::string folder = settings_.inside + "new";
        if (!settings_.each) return Place{folder, std::move(name)};
        POSTERN_LET(mailbox, mailboxOf(delivery));
        return Place{mailbox + "/" + folder, std::move(name)};
    }

    // ",S=" saves a reader like dovecot a look into each file for its size.
    std::string nameFor(const Place& place, std::int64_t bytes) const override {
        return settings_.sizeInName ? place.name + ",S=" + std::to_string(bytes) : place.name;
    }

    Result<std::optional<Outcome>> write(Job& job, StagedFile& file, Companions&) const override {
        return writeMailboxFile(job, settings_.format, settings_.lineEnds, file);
    }

  private:
    const MaildirSettings settings_;
    const std::string suffix_;
};

// A Maildir++ folder: ".Spam", ".Lists.Work". Its parts may not be empty, and "/" has no place in it.
Result<std::string> insideOf(const std::string& name) {
    if (name.empty()) return std::string();
    const std::string parts = name.front() == '.' ? name.substr(1) : name;
    for (const std::string_view part : split(parts, '.'))
        if (part.empty() || part.size() > 64 || part.find_first_of("/~") != std::string_view::npos ||
            escapeLine(part) != part)
            return fail(Errc::Invalid, "maildir_folder: names divided by dots, like Spam or Lists.Work");
    const auto usable = usableFileName("." + parts);
    if (!usable.ok()) return usable.error().within("maildir_folder");
    return "." + parts + "/";
}

Result<std::unique_ptr<Adapter>> makeMaildir(const AdapterContext& context, const Settings& settings) {
    POSTERN_LET(plan, spoolPlan(settings));
    MaildirSettings own;
    own.each = perRecipient(settings);
    POSTERN_LET(inside, insideOf(settings.text("maildir_folder")));
    own.inside = inside;
    own.sizeInName = settings.boolean("size_in_name");
    own.lineEnds = settings.text("line_ends") == "crlf" ? LineEnds::Crlf : LineEnds::Lf;
    POSTERN_LET(format, messageFormat(settings));
    own.format = std::move(format);
    if (!own.each) plan.live = {own.inside + "new"};
    plan.siblings = {"cur", "tmp"};
    return std::unique_ptr<Adapter>(std::make_unique<Maildir>(context, std::move(plan), std::move(own)));
}

}  // namespace

Kind maildirKind() {
    return {
        "maildir", "one file per message in a Maildir",
        spoolSettings(messageSettings({
            layoutSetting("single: the folder is one Maildir for all; per-recipient: it holds one Maildir "
                          "for each legacy name."),
            {"maildir_folder", SettingType::Text, "",
             "A folder inside the Maildir (Maildir++), like Spam or Lists.Work; empty: the inbox."},
            {"size_in_name", SettingType::Boolean, "false",
             "Say the size in the file's name (S=), which dovecot reads."},
            {"line_ends", SettingType::Choice, "lf", "How lines end in the files.", {"lf", "crlf"}},
        })),
        &makeMaildir};
}

}  // namespace postern::adapters
