// A folder with one file per message, for whatever reads folders: Exchange and IIS pickup and replay folders,
// ERP and fax import (FORMATS.md 11).

#include <cstdio>

#include "adapters/envelope_text.h"
#include "adapters/kinds.h"
#include "adapters/message_format.h"
#include "adapters/spool/spool.h"

namespace postern::adapters {

namespace {

struct DropSettings {
    std::string extension;
    bool envelope = true;
    LineEnds lineEnds = LineEnds::Crlf;
    int mostRecipients = 0;
    MessageFormat format;
};

class Drop final : public SpoolAdapter {
  public:
    Drop(const AdapterContext& adapterContext, SpoolPlan plan, DropSettings settings)
        : SpoolAdapter(adapterContext, std::move(plan)), settings_(std::move(settings)) {}

    Grouping grouping() const override { return {settings_.mostRecipients, 0, nullptr}; }

  protected:
    Result<Place> place(const Delivery& delivery) const override {
        char name[24];
        std::snprintf(name, sizeof name, "%08llx", static_cast<unsigned long long>(delivery.key.item.value));
        return Place{"", std::string(name) + "." + settings_.extension};
    }

    Result<std::optional<Outcome>> write(Job& job, StagedFile& file, Companions&) const override {
        auto formed = FormedMessage::make(job.delivery, settings_.format, mail::Carrier{}, job.notes);
        if (!formed.ok() && formed.error().code == Errc::Invalid)
            return std::optional<Outcome>(rejected(formed.error().text));
        if (!formed.ok()) return formed.error();
        if (settings_.envelope) POSTERN_TRY(file.write(envelopeLines(job.delivery)));
        POSTERN_TRY(file.writeLines([&](const StagedFile::Sink& sink) { return formed->writeTo(sink); },
                                    settings_.lineEnds));
        return std::optional<Outcome>();
    }

  private:
    std::string envelopeLines(const Delivery& delivery) const {
        const std::string end = settings_.lineEnds == LineEnds::Lf ? "\n" : "\r\n";
        const std::string sender = delivery.sender.empty() ? "<>" : headerValue(delivery.sender);
        std::string lines = "X-Sender: " + sender + end;
        for (const Recipient& recipient : delivery.recipients)
            lines += "X-Receiver: " + headerValue(legacyOrAddress(recipient)) + end;
        return lines;
    }

    const DropSettings settings_;
};

bool isExtension(std::string_view text) {
    if (text.empty() || text.size() > 16) return false;
    return text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
           std::string_view::npos;
}

Result<std::unique_ptr<Adapter>> makeDrop(const AdapterContext& context, const Settings& settings) {
    POSTERN_LET(plan, spoolPlan(settings));
    plan.live = {""};
    DropSettings own;
    own.extension = settings.text("extension");
    own.envelope = settings.text("envelope") == "x-headers";
    own.lineEnds = settings.text("line_ends") == "lf" ? LineEnds::Lf : LineEnds::Crlf;
    POSTERN_LET(format, messageFormat(settings));
    own.format = std::move(format);
    own.mostRecipients = static_cast<int>(settings.integer("most_recipients"));
    if (!isExtension(own.extension))
        return fail(Errc::Invalid, "extension: 1 to 16 letters, digits, '_' or '-', without the dot");
    return std::unique_ptr<Adapter>(std::make_unique<Drop>(context, std::move(plan), std::move(own)));
}

}  // namespace

Kind dropKind() {
    return {"drop", "one file per message in a folder",
            spoolSettings(messageSettings({
                {"extension", SettingType::Text, "eml", "What the file names end with, without the dot."},
                {"envelope",
                 SettingType::Choice,
                 "x-headers",
                 "x-headers: the envelope stands in X-Sender and X-Receiver lines before the header.",
                 {"x-headers", "none"}},
                {"line_ends", SettingType::Choice, "crlf", "How lines end in the files.", {"crlf", "lf"}},
                {"most_recipients",
                 SettingType::Integer,
                 "100",
                 "Recipients per file; 0 means no limit.",
                 {},
                 0,
                 1000000},
            })),
            &makeDrop};
}

}  // namespace postern::adapters
