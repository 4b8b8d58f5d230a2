// A transport of an extension: each promise is the extension's own; here are only the terms.

#include <system_error>
#include <thread>

#include "adapters/extension/bridges.h"
#include "adapters/extension/guarded.h"
#include "adapters/extension/mail_view.h"
#include "adapters/extension/settings_view.h"
#include "adapters/profile.h"
#include "adapters/spool/staged_file.h"
#include "base/log.h"
#include "base/sync.h"
#include "base/thread.h"

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

// Beats as long as it lives, while the library has its maker's thread: a line may be slow, and a claim that
// lapses under a mail at work makes two of its workers. A call that never ends is not kept for ever.
class KeptAlive {
  public:
    explicit KeptAlive(const std::function<void()>& beat) : beat_(beat) {
        try {
            thread_ = std::jthread([this] { run(); });
        } catch (const std::system_error& thrown) {  // then the claim has its lease, as between two jobs
            LogLine(LogEvent::WorkerFailed).with("step", "beat").with("reason", thrown.what());
        }
    }
    KeptAlive(const KeptAlive&) = delete;
    KeptAlive& operator=(const KeptAlive&) = delete;
    ~KeptAlive() {
        const MutexLock lock(mutex_);
        over_ = true;
        changed_.notifyAll();
    }

  private:
    static constexpr Millis kBeat{250};
    static constexpr Millis kLongest{15 * 60'000};

    void run() {
        nameThisThread("beat");
        const SteadyTime end = Clock::system().steady() + kLongest;
        for (SteadyTime now = Clock::system().steady(); now < end; now = Clock::system().steady()) {
            {
                const MutexLock lock(mutex_);
                if (!over_) changed_.waitUntil(mutex_, now + kBeat);
                if (over_) return;
            }
            beat_();
        }
    }

    const std::function<void()>& beat_;
    Mutex mutex_;
    Condition changed_;
    bool over_ GUARDED_BY(mutex_) = false;
    std::jthread thread_;  // last: it ends before the others do
};

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
            if (job.outcome) continue;
            const KeptAlive alive(beat);
            stageOne(job);
        }
    }
    void publish(std::span<Job> jobs, const std::function<void()>& beat) override {
        for (Job& job : jobs) {
            beat();
            if (job.outcome) continue;
            const KeptAlive alive(beat);
            const auto answer =
                guarded([&] { return transport_->publish(deliveryView(job.delivery), job.evidence); });
            // It gave up in the middle of its commit: nobody knows.
            job.outcome = answer.ok() ? outcomeOf(*answer) : unknown(answer.error().text);
        }
    }
    // What it throws has no one to hear it: a transport that can not hurry is waited for.
    void hasten() override {
        (void)guarded([&] { transport_->hasten(); });
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
        if (!found.ok()) {  // it may be this one mail that it stumbles over: the others go on (I7)
            recovery.busy = found.error();
            recovery.text = found.error().text;
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
    POSTERN_LET(transport, guarded([&] {
                    return kind.makeTransport(placeOf(context), SettingsView(settings), problem);
                }));
    POSTERN_TRY(madeOrWhy(transport != nullptr, problem));
    return std::unique_ptr<Adapter>(
        std::make_unique<TransportAdapter>(std::move(profile), std::move(transport)));
}

}  // namespace postern::adapters::extension
