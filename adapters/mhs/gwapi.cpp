// Novell GroupWise: one keyword file per item in API_IN of the API gateway, its text and files in ATT_IN.

#include "adapters/addressees.h"
#include "adapters/item_code.h"
#include "adapters/kinds.h"
#include "adapters/mhs/gwapi_format.h"
#include "adapters/profile.h"
#include "adapters/spool/spool.h"
#include "base/text.h"

namespace postern::adapters {

namespace {

using gwapi::Options;

class GwApi final : public SpoolAdapter {
  public:
    GwApi(const AdapterContext& adapterContext, SpoolPlan plan, Options options)
        : SpoolAdapter(adapterContext, std::move(plan)), options_(std::move(options)) {}

    Grouping grouping() const override { return {options_.mostRecipients, 0, nullptr}; }

    std::optional<std::string> refuses(const Recipient& recipient) const override {
        return refusalBy([&](const std::string& legacy) { return gwapi::address(legacy, options_); },
                         recipient);
    }

  protected:
    Result<Place> place(const Delivery& delivery) const override {
        return Place{"API_IN", "G" + itemCode(delivery.key.item, 7) + ".api", "ATT_IN"};
    }

    // Our own names only: what a stranger calls his file stands inside the keyword file (KB Q252689).
    std::string companionName(ItemId item, int number) const override {
        return itemCode(item, 6) + itemCode(ItemId{number}, 2) + (number == 1 ? ".TXT" : ".ATH");
    }

    Result<std::optional<Outcome>> write(Job& job, StagedFile& file, Companions& beside) const override {
        POSTERN_LET(readable, mail::readMessage(*job.delivery.message, mail::readingFor(options_.profile)));
        const ItemId item = job.delivery.key.item;
        const auto fileName = [&](int number) { return companionName(item, number); };
        auto document = gwapi::makeDocument(job.delivery, readable, networkId("GW", context().storeId, item),
                                            fileName, options_);
        if (!document.ok()) {
            if (document.error().code != Errc::Invalid) return document.error();
            return std::optional<Outcome>(rejected(document.error().text));
        }
        POSTERN_TRY(file.write(document->keywords));
        POSTERN_TRY(beside.add([&](StagedFile& into) {
            return document->body.writeTexts([&](std::string_view bytes) { return into.write(bytes); });
        }));
        for (const mail::ConvertedFile& each : document->body.files)
            POSTERN_TRY(beside.add([&](StagedFile& into) {
                return each.writeTo([&](std::string_view bytes) { return into.write(bytes); });
            }));
        for (std::string& note : document->body.notes) job.notes.push_back(std::move(note));
        return std::optional<Outcome>();
    }

  private:
    const Options options_;
};

// Checked as a part of an address.
bool isName(const std::string& name) {
    return name.find('.') == std::string::npos && gwapi::address("d.p." + name, {}).ok();
}

Result<void> check(const Options& options) {
    const auto optional = [](const std::string& name) { return name.empty() || isName(name); };
    if (!optional(options.domain) || !optional(options.postOffice) ||
        options.domain.empty() != options.postOffice.empty())
        return fail(Errc::Invalid, "domain, post_office: both or none, plain letters without dots");
    if (!isName(options.foreignDomain) || !isName(options.foreignPostOffice))
        return fail(
            Errc::Invalid,
            "foreign_domain, foreign_post_office: names of plain letters without dots, like INTERNET");
    if (!isName(options.nullSender))
        return fail(Errc::Invalid, "null_sender: a user's name of plain letters, like Postmaster");
    if (options.profile.subjectLimit == 0 || options.profile.subjectLimit > 400)
        return fail(Errc::Invalid, "subject_limit: from 20 to 400");
    return {};
}

Result<std::unique_ptr<Adapter>> makeGwApi(const AdapterContext& context, const Settings& settings) {
    POSTERN_LET(plan, spoolPlan(settings));
    Options options;
    options.domain = settings.text("domain");
    options.postOffice = settings.text("post_office");
    options.foreignDomain = settings.text("foreign_domain");
    options.foreignPostOffice = settings.text("foreign_post_office");
    options.nullSender = settings.text("null_sender");
    options.mostRecipients = static_cast<int>(settings.integer("most_recipients"));
    POSTERN_LET(profile, profileOf(settings, options.profile));
    options.profile = std::move(profile);
    POSTERN_TRY(check(options));
    plan.live = {"API_IN", "ATT_IN"};
    return std::unique_ptr<Adapter>(std::make_unique<GwApi>(context, std::move(plan), std::move(options)));
}

}  // namespace

Kind gwapiKind() {
    return {"gwapi", "keyword files for the Novell GroupWise API gateway",
            spoolSettings(profileSettings(
                gwapi::gatewayProfile(),
                {
                    {"domain", SettingType::Text, "",
                     "The domain of recipients whose route gives a user alone; empty: such are refused."},
                    {"post_office", SettingType::Text, "", "Their post office."},
                    {"foreign_domain", SettingType::Text, "INTERNET",
                     "The foreign domain under which Internet senders stand."},
                    {"foreign_post_office", SettingType::Text, "GATEWAY", "Their post office."},
                    {"null_sender", SettingType::Text, "Postmaster",
                     "The user that mail without a sender comes from, such as reports."},
                    {"most_recipients",
                     SettingType::Integer,
                     "1",
                     "Recipients per message. More than 1 shows all of them to each.",
                     {},
                     1,
                     100},
                },
                {"attachments=mime", "text_limit", "long_text"})),
            &makeGwApi};
}

}  // namespace postern::adapters
