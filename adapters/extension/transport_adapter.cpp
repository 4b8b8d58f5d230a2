// A transport of an extension: each promise is the extension's own; here are only the terms.

#include "adapters/extension/bridges.h"
#include "adapters/extension/guarded.h"
#include "adapters/extension/mail_view.h"
#include "adapters/extension/settings_view.h"
#include "adapters/profile.h"
#include "adapters/spool/staged_file.h"

namespace postern::adapters::extension {

namespace {

constexpr std::size_t kMostEvidence = 1000;

Verdict verdictOf(sdk::Verdict verdict) {
    switch (verdict) {
        case sdk::Verdict::Exported: return Verdict::Exported;
        case sdk::Verdict::Deferred: return Verdict::Deferred;
        case sdk::Verdict::Rejected: return Verdict::Rejected;
        case sdk::Verdict::Unknown: break;
    }
    return Verdict::Unknown;
}

Outcome outcomeOf(const sdk::Answer& answer) {
    const std::string text = escapeLine(answer.text, 500);
    Outcome outcome;
    outcome.verdict = verdictOf(answer.verdict);
    (outcome.verdict == Verdict::Exported ? outcome.target : outcome.reason) = text;
    outcome.adapterUnusable = outcome.verdict == Verdict::Deferred && answer.unusable;
    for (const sdk::RecipientAnswer& other : answer.others)
        outcome.recipients.push_back(
            {other.ordinal, verdictOf(other.verdict), escapeLine(other.reason, 500)});
    return outcome;
}

class TransportAdapter final : public Adapter {
  public:
    TransportAdapter(mail::Profile profile, std::unique_ptr<sdk::Transport> transport)
        : profile_(std::move(profile)), transport_(std::move(transport)) {}

    Grouping grouping() const override {
        return {guarded([&] { return transport_->mostRecipients(); }).valueOr(1), 0, nullptr};
    }
    std::optional<std::string> refuses(const Recipient& recipient) const override {
        const auto why = guarded([&] { return transport_->refuses(recipientView(recipient)); });
        if (!why.ok() || why->empty()) return std::nullopt;
        return escapeLine(*why, 500);
    }
    Result<void> probe() override {
        POSTERN_LET(trouble, guarded([&] { return transport_->probe(); }));
        if (trouble.empty()) return {};
        return fail(Errc::Unavailable, escapeLine(trouble, 500));
    }
    void stage(std::span<Job> jobs, const std::function<void()>& beat) override {
        for (Job& job : jobs) {
            beat();
            if (!job.outcome) stageOne(job);
        }
    }
    void publish(std::span<Job> jobs, const std::function<void()>& beat) override {
        for (Job& job : jobs) {
            beat();
            if (job.outcome) continue;
            const auto answer =
                guarded([&] { return transport_->publish(deliveryView(job.delivery), job.evidence); });
            // It gave up in the middle of its commit: nobody knows.
            job.outcome = answer.ok() ? outcomeOf(*answer) : unknown(answer.error().text);
        }
    }
    void abandon(Job& job) override {
        const auto done = guarded([&] { transport_->abandon(deliveryView(job.delivery), job.evidence); });
        if (!done.ok()) job.notes.push_back(done.error().text);
    }
    Result<std::optional<Outcome>> convert(Job& job, StagedFile& file) const override {
        auto mail = MailView::make(job, profile_);
        if (!mail.ok() && mail.error().code == Errc::Invalid)
            return std::optional<Outcome>(rejected(mail.error().text));
        if (!mail.ok()) return mail.error();
        OutputView out([&](std::string_view bytes) { return file.write(bytes); });
        (*mail)->writeText(out);
        POSTERN_TRY(out.result());
        POSTERN_TRY((*mail)->trouble());
        return std::optional<Outcome>();
    }
    Recovery recover(const DeliveryKey& staged, std::string_view evidence) override {
        std::string text;
        const auto found = guarded([&] {
            return transport_->recover(staged.item.value, staged.epoch.value, std::string(evidence), text);
        });
        Recovery recovery;
        if (!found.ok()) {
            recovery.unusable = found.error();
            return recovery;
        }
        recovery.text = escapeLine(text, 500);
        if (*found == sdk::Found::Published) recovery.found = Found::Published;
        if (*found == sdk::Found::NotPublished) recovery.found = Found::NotPublished;
        return recovery;
    }
    Result<int> sweep(const std::function<bool(const DeliveryKey&)>&) override { return 0; }
    std::string describe() const override {
        return escapeLine(guarded([&] { return transport_->describe(); }).valueOr("?"), 300);
    }

  private:
    void stageOne(Job& job) {
        auto mail = MailView::make(job, profile_);
        if (!mail.ok()) {
            const Error& error = mail.error();
            job.outcome = error.code == Errc::Invalid ? rejected(error.text) : deferred(error);
            return;
        }
        std::string evidence;
        const auto answer =
            guarded([&] { return transport_->stage(deliveryView(job.delivery), **mail, evidence); });
        if (!answer.ok()) {
            job.outcome = deferred(answer.error());
        } else if (answer->has_value()) {
            job.outcome = outcomeOf(**answer);
        } else if (!(*mail)->trouble().ok()) {
            job.evidence = std::move(evidence);
            abandon(job);
            job.evidence.clear();
            job.outcome = deferred((*mail)->trouble().error());
        } else if (evidence.empty() || evidence.size() > kMostEvidence) {
            job.outcome = deferred("the adapter's library gave no evidence of 1 to 1000 bytes");
        } else {
            job.evidence = std::move(evidence);
        }
    }

    const mail::Profile profile_;
    const std::unique_ptr<sdk::Transport> transport_;
};

}  // namespace

Result<std::unique_ptr<Adapter>> makeTransportAdapter(const sdk::Kind& kind, const AdapterContext& context,
                                                      const Settings& settings) {
    POSTERN_LET(fallback, guarded([&] { return profileFor(kind); }));
    POSTERN_LET(profile, profileOf(settings, fallback));
    std::string problem;
    POSTERN_LET(
        transport, guarded([&] {
            return kind.makeTransport({context.name, context.hostname}, SettingsView(settings), problem);
        }));
    POSTERN_TRY(madeOrWhy(transport != nullptr, problem));
    return std::unique_ptr<Adapter>(
        std::make_unique<TransportAdapter>(std::move(profile), std::move(transport)));
}

}  // namespace postern::adapters::extension
