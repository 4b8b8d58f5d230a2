// Winlink: one B2F file per item in the out box of a pat station, which sends what it finds there.

#include "adapters/addressees.h"
#include "adapters/item_code.h"
#include "adapters/kinds.h"
#include "adapters/profile.h"
#include "adapters/radio/b2f_format.h"
#include "adapters/radio/radio_names.h"
#include "adapters/spool/spool.h"
#include "base/text.h"

namespace postern::adapters {

namespace {

using b2f::Options;

class B2f final : public SpoolAdapter {
  public:
    B2f(const AdapterContext& adapterContext, SpoolPlan plan, Options options)
        : SpoolAdapter(adapterContext, std::move(plan)), options_(std::move(options)) {}

    Grouping grouping() const override { return {options_.mostRecipients, 0, nullptr}; }

    std::optional<std::string> refuses(const Recipient& recipient) const override {
        return refusalBy(&radio::winlinkAddress, recipient);
    }

  protected:
    Result<Place> place(const Delivery& delivery) const override {
        return Place{"", idOf(delivery) + ".b2f"};
    }

    Result<std::optional<Outcome>> write(Job& job, StagedFile& file, Companions&) const override {
        POSTERN_LET(readable, mail::readMessage(*job.delivery.message, mail::readingFor(options_.profile)));
        auto document = b2f::makeDocument(job.delivery, readable, idOf(job.delivery), options_);
        if (!document.ok()) {
            if (document.error().code != Errc::Invalid) return document.error();
            return std::optional<Outcome>(rejected(document.error().text));
        }
        POSTERN_TRY(b2f::writeDocument(*document, file));
        for (std::string& note : document->body.notes) job.notes.push_back(std::move(note));
        return std::optional<Outcome>();
    }

  private:
    // Winlink refuses an id that it has seen: a file that came back by a power failure goes nowhere twice.
    std::string idOf(const Delivery& delivery) const {
        return networkId(options_.idPrefix, context().storeId, delivery.key.item);
    }

    const Options options_;
};

Result<Options> optionsOf(const Settings& settings) {
    Options options;
    const auto call = radio::winlinkAddress(settings.text("call"));
    if (!call.ok() || call->find(':') != std::string::npos)
        return fail(Errc::Invalid, "call: the station's callsign, like N0CALL");
    options.call = *call;
    options.idPrefix = settings.text("id_prefix");
    if (!isIdPrefix(options.idPrefix))
        return fail(Errc::Invalid, "id_prefix: two capital letters or digits, like GW");
    options.senderIsCall = settings.text("sender") == "call";
    options.totalLimit = settings.integer("total_limit");
    options.dropFiles = settings.text("over_limit") == "drop-files";
    options.mostRecipients = static_cast<int>(settings.integer("most_recipients"));
    POSTERN_LET(profile, profileOf(settings, options.profile));
    profile.charset = lowerAscii(profile.charset);
    if (profile.charset != "iso-8859-1" && profile.charset != "us-ascii")
        return fail(Errc::Invalid, "charset: iso-8859-1 or us-ascii; Winlink has no other");
    if (profile.subjectLimit == 0 || profile.subjectLimit > 128)
        return fail(Errc::Invalid, "subject_limit: from 20 to 128");
    options.profile = std::move(profile);
    return options;
}

Result<std::unique_ptr<Adapter>> makeB2f(const AdapterContext& context, const Settings& settings) {
    POSTERN_LET(plan, spoolPlan(settings));
    POSTERN_LET(options, optionsOf(settings));
    plan.live = {""};
    return std::unique_ptr<Adapter>(std::make_unique<B2f>(context, std::move(plan), std::move(options)));
}

}  // namespace

Kind b2fKind() {
    return {"b2f", "Winlink messages for the out box of a pat station",
            spoolSettings(profileSettings(
                b2f::winlinkProfile(),
                {
                    {"call", SettingType::Text, nullptr,
                     "The callsign of the station whose out box it is, as pat is configured."},
                    {"id_prefix", SettingType::Text, "GW",
                     "Two capital letters or digits that begin every message id."},
                    {"sender",
                     SettingType::Choice,
                     "call",
                     "call: the station is the sender and the author stands in the text; smtp: the author's "
                     "Internet address is, which only some peers take.",
                     {"call", "smtp"}},
                    {"total_limit",
                     SettingType::Size,
                     "120000",
                     "Bytes of one message with its files; 0 is no limit.",
                     {},
                     0,
                     1 << 30},
                    {"over_limit",
                     SettingType::Choice,
                     "reject",
                     "What becomes of a longer message: reject it, or drop-files and send the text.",
                     {"reject", "drop-files"}},
                    {"most_recipients",
                     SettingType::Integer,
                     "1",
                     "Recipients per message. Winlink has no Bcc: more than 1 shows all of them to each.",
                     {},
                     1,
                     50},
                },
                {"attachments=mime", "attachments=uuencode", "text_limit", "long_text", "date_zone"})),
            &makeB2f};
}

}  // namespace postern::adapters
