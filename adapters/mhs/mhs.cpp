// Novell MHS: one SMF-70 or SMF-71 message per item in the folder that the connectivity manager empties, and
// its files as parcels in the folder beside it.

#include "adapters/addressees.h"
#include "adapters/item_code.h"
#include "adapters/kinds.h"
#include "adapters/mhs/mhs_format.h"
#include "adapters/profile.h"
#include "adapters/spool/spool.h"
#include "base/text.h"

namespace postern::adapters {

namespace {

using mhs::Options;

class Mhs final : public SpoolAdapter {
  public:
    Mhs(const AdapterContext& adapterContext, SpoolPlan plan, Options options)
        : SpoolAdapter(adapterContext, plan),
          messages_(plan.live.at(0)),
          parcels_(plan.live.at(1)),
          options_(std::move(options)) {}

    Grouping grouping() const override { return {options_.mostRecipients, 0, nullptr}; }

    std::optional<std::string> refuses(const Recipient& recipient) const override {
        return refusalBy([&](const std::string& legacy) { return mhs::address(legacy, options_); },
                         recipient);
    }

  protected:
    Result<Place> place(const Delivery& delivery) const override {
        return Place{messages_, "G" + itemCode(delivery.key.item, 7), parcels_};
    }

    std::string companionName(ItemId item, int number) const override {
        return itemCode(item, 6) + itemCode(ItemId{number}, 2);
    }

    Result<std::optional<Outcome>> write(Job& job, StagedFile& file, Companions& beside) const override {
        POSTERN_LET(readable, mail::readMessage(*job.delivery.message, mail::readingFor(options_.profile)));
        const auto parcel = [&](int number) { return companionName(job.delivery.key.item, number); };
        auto document = mhs::makeDocument(job.delivery, readable, parcel, options_);
        if (!document.ok()) {
            if (document.error().code != Errc::Invalid) return document.error();
            return std::optional<Outcome>(rejected(document.error().text));
        }
        POSTERN_TRY(file.write(document->header));
        POSTERN_TRY(document->body.writeTexts([&](std::string_view bytes) { return file.write(bytes); }));
        for (const mail::ConvertedFile& each : document->body.files)
            POSTERN_TRY(beside.add([&](StagedFile& into) {
                return each.writeTo([&](std::string_view bytes) { return into.write(bytes); });
            }));
        for (std::string& note : document->body.notes) job.notes.push_back(std::move(note));
        return std::optional<Outcome>();
    }

  private:
    const std::string messages_, parcels_;
    const Options options_;
};

mhs::Author authorOf(std::string_view word) {
    if (word == "comment") return mhs::Author::Comment;
    return word == "address" ? mhs::Author::Address : mhs::Author::Text;
}

// A user's or workgroup's name is checked as part of an address.
bool isName(const std::string& name, const Options& options) {
    return name.find('@') == std::string::npos && mhs::address(name + "@X", options).ok();
}

Result<void> check(const Options& options) {
    if (!isName(options.gateway, options))
        return fail(Errc::Invalid, "gateway: a workgroup of plain letters, at most " +
                                       std::to_string(options.nameLimit()) + ", like INTERNET");
    if (!options.workgroup.empty() && !isName(options.workgroup, options))
        return fail(Errc::Invalid,
                    "workgroup: plain letters, at most " + std::to_string(options.nameLimit()));
    if (!isName(options.nullSender, options))
        return fail(Errc::Invalid, "null_sender: a user's name of plain letters, at most " +
                                       std::to_string(options.nameLimit()) + ", like POSTMAST");
    if (options.profile.columns < 20 || options.profile.columns > 78)
        return fail(Errc::Invalid, "wrap: from 20 to 78; readers lose what is behind");
    if (options.profile.subjectLimit == 0 || options.profile.subjectLimit > 200)
        return fail(Errc::Invalid, "subject_limit: from 20 to 200");
    return {};
}

Result<Options> optionsOf(const Settings& settings) {
    Options options;
    options.global = settings.text("format") == "smf-71";
    options.workgroup = settings.text("workgroup");
    options.gateway = settings.text("gateway");
    options.nullSender = settings.text("null_sender");
    options.extendedSender = settings.boolean("extended_sender");
    options.author = authorOf(settings.text("author"));
    options.mostRecipients = static_cast<int>(settings.integer("most_recipients"));
    POSTERN_LET(profile, profileOf(settings, options.profile));
    options.profile = std::move(profile);
    POSTERN_TRY(check(options));
    return options;
}

Result<std::unique_ptr<Adapter>> makeMhs(const AdapterContext& context, const Settings& settings) {
    POSTERN_LET(plan, spoolPlan(settings));
    POSTERN_LET(options, optionsOf(settings));
    plan.live = settings.text("folders") == "gateway" ? std::vector<std::string>{"IN", "IPARCEL"}
                                                      : std::vector<std::string>{"SND", "PARCEL"};
    return std::unique_ptr<Adapter>(std::make_unique<Mhs>(context, std::move(plan), std::move(options)));
}

std::vector<Setting> ownSettings() {
    return {
        {"format",
         SettingType::Choice,
         "smf-70",
         "The message format; readers of smf-71 take both.",
         {"smf-70", "smf-71"}},
        {"folders",
         SettingType::Choice,
         "submit",
         "Where files go inside folder: submit is SND and PARCEL, gateway is IN and IPARCEL.",
         {"submit", "gateway"}},
        {"workgroup", SettingType::Text, "",
         "The workgroup of recipients whose route gives a user alone; empty: such are refused."},
        {"gateway", SettingType::Text, "INTERNET", "The workgroup that Internet senders get."},
        {"null_sender", SettingType::Text, "POSTMAST",
         "The user that mail without a sender comes from, such as reports."},
        {"extended_sender", SettingType::Boolean, "true",
         "Write the author's Internet address in braces; false for systems that stumble over braces."},
        {"author",
         SettingType::Choice,
         "text",
         "Where the author's name stands: text leads the text with it, comment writes it behind the address, "
         "address leaves it out.",
         {"text", "comment", "address"}},
        {"most_recipients",
         SettingType::Integer,
         "1",
         "Recipients per message. There is no Bcc: more than 1 shows all of them to each.",
         {},
         1,
         20},
    };
}

}  // namespace

Kind mhsKind() {
    return {"mhs", "Novell MHS messages, SMF-70 or SMF-71, with parcels",
            spoolSettings(profileSettings(mhs::hubProfile(), ownSettings(),
                                          {"attachments=mime", "text_limit", "long_text", "file_names"})),
            &makeMhs};
}

}  // namespace postern::adapters
