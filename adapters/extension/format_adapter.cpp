// A file format of an extension on our spool: the extension says name and bytes, the spool does the rest.

#include "adapters/extension/bridges.h"
#include "adapters/extension/guarded.h"
#include "adapters/extension/mail_view.h"
#include "adapters/extension/settings_view.h"
#include "adapters/profile.h"
#include "adapters/spool/spool.h"
#include "base/path.h"

namespace postern::adapters::extension {

namespace {

class FormatAdapter final : public SpoolAdapter {
  public:
    FormatAdapter(const AdapterContext& adapterContext, SpoolPlan plan, mail::Profile profile,
                  std::unique_ptr<sdk::FileFormat> format)
        : SpoolAdapter(adapterContext, std::move(plan)),
          profile_(std::move(profile)),
          format_(std::move(format)) {}

    Grouping grouping() const override {
        const auto most = guarded([&] { return format_->mostRecipients(); });
        return {most.valueOr(1), 0, nullptr};
    }
    std::optional<std::string> refuses(const Recipient& recipient) const override {
        const auto why = guarded([&] { return format_->refuses(recipientView(recipient)); });
        if (!why.ok() || why->empty()) return std::nullopt;  // a bad moment is no reason to refuse for ever
        return escapeLine(*why, 500);
    }

  protected:
    Result<Place> place(const Delivery& delivery) const override {
        POSTERN_LET(name, guarded([&] { return format_->fileName(deliveryView(delivery)); }));
        if (name.empty() || name.front() == '.' || name.find_first_of("/\\") != std::string::npos ||
            name != escapeLine(name, 255))
            return fail(Errc::Invalid, "the adapter's library names the file \"" + escapeLine(name, 100) +
                                           "\": a plain name of up to 255 bytes was asked for");
        if (const auto usable = usableFileName(name); !usable.ok())
            return usable.error().within("the adapter's library names a file");
        return Place{"", std::move(name)};
    }

    Result<std::optional<Outcome>> write(Job& job, StagedFile& file, Companions&) const override {
        auto mail = MailView::make(job, profile_);
        if (!mail.ok() && mail.error().code == Errc::Invalid)
            return std::optional<Outcome>(rejected(mail.error().text));
        if (!mail.ok()) return mail.error();
        OutputView out([&](std::string_view bytes) { return file.write(bytes); });
        POSTERN_LET(refusal,
                    guarded([&] { return format_->write(deliveryView(job.delivery), **mail, out); }));
        POSTERN_TRY(out.result());
        POSTERN_TRY((*mail)->trouble());
        if (refusal.empty()) return std::optional<Outcome>();
        return std::optional<Outcome>(rejected(escapeLine(refusal, 500)));
    }

  private:
    const mail::Profile profile_;
    const std::unique_ptr<sdk::FileFormat> format_;
};

}  // namespace

Result<std::unique_ptr<Adapter>> makeFormatAdapter(const sdk::Kind& kind, const AdapterContext& context,
                                                   const Settings& settings) {
    POSTERN_LET(plan, spoolPlan(settings));
    plan.live = {""};
    POSTERN_LET(fallback, guarded([&] { return profileFor(kind); }));
    POSTERN_LET(profile, profileOf(settings, fallback));
    std::string problem;
    POSTERN_LET(format,
                guarded([&] { return kind.makeFormat(placeOf(context), SettingsView(settings), problem); }));
    POSTERN_TRY(madeOrWhy(format != nullptr, problem));
    return std::unique_ptr<Adapter>(
        std::make_unique<FormatAdapter>(context, std::move(plan), std::move(profile), std::move(format)));
}

}  // namespace postern::adapters::extension
