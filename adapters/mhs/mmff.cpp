// Microsoft Mail: one MMFF file per item in the folder from which the File Format API's import program is
// fed.

#include "adapters/addressees.h"
#include "adapters/item_code.h"
#include "adapters/kinds.h"
#include "adapters/mhs/mmff_format.h"
#include "adapters/profile.h"
#include "adapters/spool/spool.h"
#include "base/text.h"

namespace postern::adapters {

namespace {

using mmff::Options;
using mmff::Terminator;

class Mmff final : public SpoolAdapter {
  public:
    Mmff(const AdapterContext& adapterContext, SpoolPlan plan, Options options)
        : SpoolAdapter(adapterContext, std::move(plan)), options_(std::move(options)) {}

    Grouping grouping() const override { return {options_.mostRecipients, 0, nullptr}; }

    std::optional<std::string> refuses(const Recipient& recipient) const override {
        return refusalBy([&](const std::string& legacy) { return mmff::address(legacy, options_); },
                         recipient);
    }

  protected:
    Result<Place> place(const Delivery& delivery) const override {
        return Place{"", "G" + itemCode(delivery.key.item, 7) + ".MFF"};
    }

    Result<std::optional<Outcome>> write(Job& job, StagedFile& file, Companions&) const override {
        POSTERN_LET(readable, mail::readMessage(*job.delivery.message, mail::readingFor(options_.profile)));
        auto document = mmff::makeDocument(job.delivery, readable, options_);
        if (!document.ok()) {
            if (document.error().code != Errc::Invalid) return document.error();
            return std::optional<Outcome>(rejected(document.error().text));
        }
        POSTERN_TRY(mmff::writeDocument(*document, options_, file));
        for (std::string& note : document->body.notes) job.notes.push_back(std::move(note));
        return std::optional<Outcome>();
    }

  private:
    const Options options_;
};

Result<Options> optionsOf(const AdapterContext& context, const Settings& settings) {
    Options options;
    const std::string& ends = settings.text("line_ends");
    options.terminator = ends == "cr" ? Terminator::Cr : ends == "lf" ? Terminator::Lf : Terminator::Crlf;
    options.mostRecipients = static_cast<int>(settings.integer("most_recipients"));
    const std::string& author = settings.text("null_sender");
    const auto checked =
        mmff::address(author.empty() ? "SMTP:postmaster@" + context.hostname : author, options);
    if (!checked.ok()) return fail(Errc::Invalid, "null_sender: " + checked.error().text);
    options.nullSender = *checked;
    POSTERN_LET(profile, profileOf(settings, options.profile));
    if (profile.subjectLimit == 0 || profile.subjectLimit > 200)
        return fail(Errc::Invalid, "subject_limit: from 20 to 200");
    options.profile = std::move(profile);
    return options;
}

Result<std::unique_ptr<Adapter>> makeMmff(const AdapterContext& context, const Settings& settings) {
    POSTERN_LET(plan, spoolPlan(settings));
    POSTERN_LET(options, optionsOf(context, settings));
    plan.live = {""};
    return std::unique_ptr<Adapter>(std::make_unique<Mmff>(context, std::move(plan), std::move(options)));
}

}  // namespace

Kind mmffKind() {
    return {"mmff", "Microsoft Mail files for the import program of its File Format API",
            spoolSettings(profileSettings(
                mmff::postOfficeProfile(),
                {
                    {"line_ends",
                     SettingType::Choice,
                     "crlf",
                     "How lines end, as the import program is told: cr is its own choice, lf is -F1, crlf is "
                     "-F2.",
                     {"cr", "lf", "crlf"}},
                    {"null_sender", SettingType::Text, "",
                     "The sender of mail without one, CSI:NET/PO/USER or SMTP:user@host; empty: postmaster@ "
                     "our hostname."},
                    {"most_recipients",
                     SettingType::Integer,
                     "1",
                     "Recipients per file. There is no CC or BCC: more than 1 shows all of them to each.",
                     {},
                     1,
                     100},
                },
                {"attachments=mime", "text_limit", "long_text", "file_names"})),
            &makeMmff};
}

}  // namespace postern::adapters
