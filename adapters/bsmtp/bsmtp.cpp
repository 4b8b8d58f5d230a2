// A folder with one batch SMTP file per mail (RFC 2442), for whatever reads such files: `exim -bS`, `rsmtp`
// over any carrier, old gateways. Files appear whole, by one rename; a half batch would be delivered as if it
// were whole (FORMATS 1e).

#include <cstdio>

#include "adapters/bsmtp/bsmtp_text.h"
#include "adapters/kinds.h"
#include "adapters/mailbox/mailbox_head.h"
#include "adapters/spool/spool.h"
#include "base/text.h"

namespace postern::adapters {

namespace {

struct BsmtpPlan {
    BsmtpRules rules;
    std::string extension;
    LineEnds lineEnds = LineEnds::Crlf;
    int mostRecipients = 100;
    MessageFormat format;
};

class Bsmtp final : public SpoolAdapter {
  public:
    Bsmtp(const AdapterContext& adapterContext, SpoolPlan plan, BsmtpPlan own)
        : SpoolAdapter(adapterContext, std::move(plan)), own_(std::move(own)) {}

    Grouping grouping() const override { return {own_.mostRecipients, 0, nullptr}; }
    std::optional<std::string> refuses(const Recipient& recipient) const override {
        return refusedInBsmtp(recipient);
    }

  protected:
    Result<Place> place(const Delivery& delivery) const override {
        if (const auto refused = senderRefusedInBsmtp(delivery.sender)) return fail(Errc::Invalid, *refused);
        char name[24];
        std::snprintf(name, sizeof name, "%08llx", static_cast<unsigned long long>(delivery.key.item.value));
        return Place{"", std::string(name) + "." + own_.extension};
    }

    Result<std::optional<Outcome>> write(Job& job, StagedFile& file, Companions&) const override {
        return writeFormed(job, own_.format, bsmtpCarrier(), [&](const FormedMessage& formed) {
            return file.writeLines(
                [&](const StagedFile::Sink& sink) {
                    return writeBsmtp(job.delivery, own_.rules, {}, formed, sink);
                },
                own_.lineEnds);
        });
    }

  private:
    const BsmtpPlan own_;
};

bool isExtension(std::string_view text) {
    if (text.empty() || text.size() > 16) return false;
    return text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
           std::string_view::npos;
}

Result<std::unique_ptr<Adapter>> makeBsmtp(const AdapterContext& context, const Settings& settings) {
    POSTERN_LET(plan, spoolPlan(settings));
    plan.live = {""};
    BsmtpPlan own;
    POSTERN_LET(rules, bsmtpRules(context, settings));
    own.rules = std::move(rules);
    POSTERN_LET(format, messageFormat(settings));
    own.format = std::move(format);
    own.extension = settings.text("extension");
    own.lineEnds = settings.text("line_ends") == "lf" ? LineEnds::Lf : LineEnds::Crlf;
    own.mostRecipients = static_cast<int>(settings.integer("most_recipients"));
    if (!isExtension(own.extension))
        return fail(Errc::Invalid, "extension: 1 to 16 letters, digits, '_' or '-', without the dot");
    return std::unique_ptr<Adapter>(std::make_unique<Bsmtp>(context, std::move(plan), std::move(own)));
}

std::vector<Setting> ownSettings() {
    std::vector<Setting> own = bsmtpSettings();
    const std::vector<Setting> more = {
        {"extension", SettingType::Text, "bsmtp", "What the file names end with, without the dot."},
        {"line_ends",
         SettingType::Choice,
         "crlf",
         "How lines end in the files; readers on Unix want lf.",
         {"crlf", "lf"}},
        {"most_recipients", SettingType::Integer, "100", "Recipients per file; 0: no limit.", {}, 0, 1000000},
    };
    own.insert(own.end(), more.begin(), more.end());
    return own;
}

}  // namespace

Kind bsmtpKind() {
    return {"bsmtp", "batch SMTP files in a folder, one mail each (RFC 2442)",
            spoolSettings(messageSettings(ownSettings())), &makeBsmtp};
}

}  // namespace postern::adapters
