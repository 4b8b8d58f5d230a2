// The pickup folders of Exchange and IIS, and whatever else takes *.eml files with an envelope (FORMATS 11).
// The header is pickup_header.h's; files appear whole, by one rename, with names made from the item's number.

#include <cstdio>

#include "adapters/kinds.h"
#include "adapters/mailbox/mailbox_head.h"
#include "adapters/pickup/pickup_header.h"
#include "adapters/spool/spool.h"
#include "base/text.h"

namespace postern::adapters {

namespace {

// What Exchange reads at most (Pickup and Replay alike).
constexpr std::int64_t kMostHeaderBytes = 64 * 1024;
constexpr int kMostRecipients = 100;

// Holds the header back until it is whole; then it and the body go on, lines beginning with a dot stuffed if
// asked for.
class PickupBody {
  public:
    using Sink = std::function<Result<void>(std::string_view)>;
    using Header = std::function<Result<std::string>(std::string_view)>;
    PickupBody(Header header, Sink sink, bool stuffDots)
        : header_(std::move(header)), sink_(std::move(sink)), stuffDots_(stuffDots) {}

    Result<void> feed(std::string_view bytes) {
        if (inBody_) return body(bytes);
        held_ += bytes;
        const std::size_t end = held_.starts_with("\r\n") ? 0 : held_.find("\r\n\r\n");
        if (end == std::string::npos) {
            constexpr std::size_t kLargest = 1 << 20;
            if (held_.size() > kLargest) return fail(Errc::Invalid, "its header is longer than 1 MiB");
            return {};
        }
        const std::size_t block = end == 0 ? 0 : end + 2;
        const std::string rest = held_.substr(block + 2);
        held_.resize(block);
        POSTERN_TRY(writeHeader());
        return body(rest);
    }

    Result<void> end() {
        if (!inBody_) POSTERN_TRY(writeHeader());
        return atLineStart_ ? Result<void>() : sink_("\r\n");
    }

  private:
    Result<void> writeHeader() {
        if (!held_.empty() && !held_.ends_with("\n")) held_ += "\r\n";
        POSTERN_LET(text, header_(held_));
        held_.clear();
        inBody_ = true;
        return sink_(text);
    }

    Result<void> body(std::string_view bytes) {
        while (!bytes.empty()) {
            const std::size_t end = bytes.find('\n');
            const std::string_view line = bytes.substr(0, end == std::string_view::npos ? end : end + 1);
            if (stuffDots_ && atLineStart_ && line.front() == '.') POSTERN_TRY(sink_("."));
            POSTERN_TRY(sink_(line));
            atLineStart_ = line.back() == '\n';
            bytes.remove_prefix(line.size());
        }
        return {};
    }

    const Header header_;
    const Sink sink_;
    const bool stuffDots_;
    std::string held_;
    bool inBody_ = false, atLineStart_ = true;
};

struct PickupSettings {
    PickupRules rules;
    int mostRecipients = kMostRecipients;
    std::string folder;
    MessageFormat format;
};

int lineBytes(const Recipient& recipient) {
    return static_cast<int>(std::max(recipient.address.size(), recipient.legacy.size())) + 20;
}

class Pickup final : public SpoolAdapter {
  public:
    Pickup(const AdapterContext& adapterContext, SpoolPlan plan, PickupSettings settings)
        : SpoolAdapter(adapterContext, std::move(plan)), settings_(std::move(settings)) {}

    // Half of what the server reads is left for the mail's own fields.
    Grouping grouping() const override {
        return {settings_.mostRecipients, static_cast<int>(kMostHeaderBytes / 2), &lineBytes};
    }

    std::optional<std::string> refuses(const Recipient& recipient) const override {
        const auto address = pickupAddress(recipient);
        if (address.ok()) return std::nullopt;
        return address.error().text;
    }

    std::string describe() const override {
        std::string text = SpoolAdapter::describe();
        if (const int bad = countBad(); bad > 0)
            text += "; " + std::to_string(bad) +
                    " files there are refused by the folder's server (*.bad): look into them";
        return text;
    }

  protected:
    Result<Place> place(const Delivery& delivery) const override {
        char name[24];
        std::snprintf(name, sizeof name, "%08llx.eml",
                      static_cast<unsigned long long>(delivery.key.item.value));
        return Place{"", name};
    }

    Result<std::optional<Outcome>> write(Job& job, StagedFile& file, Companions&) const override {
        std::int64_t envelope = 1024;
        for (const Recipient& recipient : job.delivery.recipients) envelope += lineBytes(recipient);
        mail::Carrier carrier;
        carrier.utf8Header = false;
        carrier.headerLimit = std::max<std::int64_t>(kMostHeaderBytes - envelope, 1024);
        PickupBody body(
            [&](std::string_view block) {
                return pickupHeader(block, job.delivery, settings_.rules, job.notes);
            },
            [&](std::string_view bytes) { return file.write(bytes); },
            settings_.rules.mode == PickupMode::Iis);
        auto written =
            writeFormed(job, settings_.format, carrier, [&](const FormedMessage& formed) -> Result<void> {
                POSTERN_TRY(formed.writeTo([&](std::string_view bytes) { return body.feed(bytes); }));
                return body.end();
            });
        if (!written.ok() && written.error().code == Errc::Invalid)
            return std::optional<Outcome>(rejected(written.error().text));
        return written;
    }

  private:
    // What the server could not use it renames; those are for a person, and are left alone.
    int countBad() const {
        const auto folder = Folder::open(settings_.folder);
        int bad = 0;
        if (!folder.ok()) return 0;
        const auto listed = folder->list([&](std::string_view name) {
            if (lowerAscii(name).ends_with(".bad")) ++bad;
            return true;
        });
        return listed.ok() ? bad : 0;
    }

    const PickupSettings settings_;
};

Result<std::unique_ptr<Adapter>> makePickup(const AdapterContext& context, const Settings& settings) {
    POSTERN_LET(plan, spoolPlan(settings));
    plan.live = {""};
    PickupSettings own;
    const std::string& mode = settings.text("mode");
    own.rules.mode = mode == "pickup" ? PickupMode::Pickup
                     : mode == "iis"  ? PickupMode::Iis
                                      : PickupMode::Replay;
    own.rules.limit = static_cast<std::size_t>(kMostHeaderBytes);
    own.rules.nullSender = settings.text("null_sender");
    if (own.rules.nullSender.empty()) own.rules.nullSender = "postmaster@" + context.hostname;
    if (!pickupAddress({1, own.rules.nullSender, ""}).ok())
        return fail(Errc::Invalid,
                    "null_sender: '" + escapeLine(own.rules.nullSender, 100) + "' is no address");
    own.mostRecipients = static_cast<int>(settings.integer("most_recipients"));
    own.folder = plan.folder;
    POSTERN_LET(format, messageFormat(settings));
    own.format = std::move(format);
    return std::unique_ptr<Adapter>(std::make_unique<Pickup>(context, std::move(plan), std::move(own)));
}

}  // namespace

Kind pickupKind() {
    return {"pickup", "*.eml files for the pickup folders of Exchange and IIS",
            spoolSettings(messageSettings({
                {"mode",
                 SettingType::Choice,
                 "replay",
                 "replay: Exchange's Replay folder; iis: IIS SMTP's Pickup; both with X-Sender and "
                 "X-Receiver lines. "
                 "pickup: Exchange's Pickup folder, the envelope in To, Cc, Bcc and Sender.",
                 {"replay", "pickup", "iis"}},
                {"null_sender", SettingType::Text, "",
                 "The sender of mail without one, in the mode pickup; empty: postmaster@ our hostname."},
                {"most_recipients",
                 SettingType::Integer,
                 "100",
                 "Recipients per file; Exchange takes 100.",
                 {},
                 1,
                 kMostRecipients},
            })),
            &makePickup};
}

}  // namespace postern::adapters
