// Mail handed on by SMTP (RFC 5321) or LMTP (RFC 2033) to a host, old or new. One core for both kinds.
//
// What "exactly once" rests on: stage() gives the host everything but the final dot, on a connection of this
// mail's own; a host keeps nothing of a text that has no end. publish() sends the dot. When the connection
// breaks between the dot and its answer nobody can know (RFC 1047): the item is in doubt, and on_doubt
// decides.
//
// Whose fault a failure is: a host that can not be reached, does not greet, or does not let us log on is not
// the mail's. When no host gets so far, the adapter is unusable: it is suspended loudly, its probe looks
// again by itself, and no attempt of any mail is counted, so that an hour without the host ends no mail and
// moves none to the fallback. (Their age still counts.) From MAIL on, a failure is an attempt of that mail:
// a text that makes a host break down must not be tried for ever.
//
// One mail at a time for each watcher: of a batch all would be in doubt when we die between its dots.
// Watchers make the parallelism, and the store commits their steps together.

#include <algorithm>
#include <atomic>

#include "adapters/kinds.h"
#include "adapters/smtp/smtp_attempt.h"
#include "adapters/smtp/smtp_hosts.h"
#include "adapters/smtp/smtp_message_id.h"
#include "adapters/spool/staged_file.h"
#include "base/text.h"

namespace postern::adapters {

namespace {

constexpr Millis kProbeLimit{30'000};  // for each step of a probe

class Smtp final : public Adapter {
  public:
    Smtp(AdapterContext context, SmtpPlan plan)
        : context_(std::move(context)),
          plan_(std::move(plan)),
          probing_(hurried(plan_)),
          hosts_(plan_, context_.name) {}

    Grouping grouping() const override { return {plan_.mostRecipients, 0, nullptr}; }
    bool finalDelivery() const override { return plan_.lmtp; }
    int batchLimit() const override { return 1; }
    void idle() override { hosts_.dropIdle(); }
    void hasten() override { hasty_ = true; }

    std::optional<std::string> refuses(const Recipient& recipient) const override {
        const auto path = smtpPath(recipient, true);
        if (path.ok()) return std::nullopt;
        return path.error().text.substr(6);
    }

    Result<void> probe() override {
        hosts_.dropIdle();  // nobody calls idle() while the adapter is suspended
        std::string troubles;
        bool usable = false;
        POSTERN_LET(tls, authorities(true));
        for (std::size_t host = 0; host < plan_.hosts.size(); ++host) {
            auto session = SmtpSession::open(probing_, plan_.hosts[host], tls.get(), nullptr, &hasty_);
            if (session.ok()) {
                (*session)->quit();
                hosts_.praise(host);
                usable = true;
                continue;
            }
            if (hasty_) return session.error();
            hosts_.blame(host, session.error().text);
            troubles += (troubles.empty() ? "" : "; ") + session.error().text;
        }
        if (usable) return {};
        return fail(Errc::Unavailable, troubles);
    }

    void stage(std::span<Job> jobs, const Beat& beat) override {
        for (Job& job : jobs) {
            beat();
            stageOne(job, beat);
        }
    }

    void publish(std::span<Job> jobs, const Beat& beat) override {
        for (Job& job : jobs) {
            beat();
            job.outcome = publishOne(job.delivery.key, beat);
        }
    }

    void abandon(Job& job) override {
        (void)flights_.withdraw(job.delivery.key, "it was given up before the end of the text");
    }

    Result<std::optional<Outcome>> convert(Job& job, StagedFile& file) const override;

    Recovery recover(const DeliveryKey& staged, std::string_view evidence) override {
        const auto fields = split(evidence, '\t');
        if (fields.size() != 5 || fields[0] != "smtp1" || fields[1] != keyText(staged))
            return {Found::CannotTell, "its evidence is not of this adapter, or damaged", std::nullopt};
        const std::string where(fields[2]);
        const std::string why = where + ": asked about before the end of its text was sent";
        SmtpFlights::Standing found = flights_.ask(staged, why);
        using Is = SmtpFlights::Standing::Is;
        switch (found.is) {
            case Is::Withdrawn: return {Found::NotPublished, why, std::nullopt};
            case Is::Sending: return answerAwaited(where);
            case Is::Ended: return remembered(fields, std::move(found.outcome));
            case Is::Absent: break;
        }
        return doubtful(fields, "the service was interrupted while it was sent");
    }

    Result<int> sweep(const std::function<bool(const DeliveryKey&)>& isOver) override {
        hosts_.dropIdle();
        return flights_.sweep(isOver);
    }

    std::string describe() const override {
        std::string text = plan_.lmtp ? "delivers by LMTP to " : "relays by SMTP to ";
        for (const SmtpHost& host : plan_.hosts)
            text += (&host == &plan_.hosts.front() ? "" : ", then ") + host.shown();
        return text + "; once each, but for connections lost between the end of a text and its answer";
    }

  private:
    static SmtpPlan hurried(SmtpPlan plan) {
        for (Millis* limit : {&plan.patience.connect, &plan.patience.greeting, &plan.patience.command})
            *limit = std::min(*limit, kProbeLimit);
        return plan;
    }
    static std::string keyText(const DeliveryKey& key) {
        return std::to_string(key.item.value) + "." + std::to_string(key.epoch.value);
    }

    static Recovery answerAwaited(const std::string& where) {
        Recovery recovery{Found::CannotTell, where + ": its answer is still waited for", std::nullopt};
        recovery.busy = fail(Errc::Busy, recovery.text);
        return recovery;
    }

    // The answer came, and only its watcher was too late to say so.
    static Recovery remembered(const std::vector<std::string_view>& fields, Outcome ended) {
        if (ended.verdict == Verdict::Exported && ended.recipients.empty())
            return {Found::Published, ended.target, std::nullopt};
        const bool none =
            std::none_of(ended.recipients.begin(), ended.recipients.end(),
                         [](const RecipientVerdict& each) { return each.verdict == Verdict::Exported; });
        if (none && (ended.verdict == Verdict::Deferred || ended.verdict == Verdict::Rejected))
            return {Found::NotPublished, ended.reason, std::nullopt};
        Recovery recovery =
            doubtful(fields, ended.verdict == Verdict::Unknown ? ended.reason : "some have it");
        if (!ended.recipients.empty()) recovery.known = std::move(ended);
        return recovery;
    }

    // What a person needs to find it on the other side.
    static Recovery doubtful(const std::vector<std::string_view>& fields, const std::string& why) {
        std::string text = std::string(fields[2]) + " may have it: " + why + ". Look there for ";
        text += fields[4].empty() ? "a mail" : std::string(fields[4]);
        text += " of " + std::string(fields[3]);
        return {Found::CannotTell, text, std::nullopt};
    }

    Result<IdentifiedMail> identified(const Delivery& delivery) const {
        return IdentifiedMail::look(*delivery.message, "<i" + std::to_string(delivery.key.item.value) + "." +
                                                           context_.storeId + "@" + context_.hostname + ">");
    }

    void stageOne(Job& job, const Beat& beat) {
        auto mail = identified(job.delivery);
        if (!mail.ok()) {
            job.outcome = deferred(mail.error());
            return;
        }
        Delivery delivery = job.delivery;
        delivery.message = &*mail;
        Outcome troubles = unusable("");  // of hosts that no mail can use now
        std::optional<Outcome> last;      // of hosts that do not take it now
        std::optional<Outcome> refusal;   // of a host that never will
        for (const std::size_t host : hosts_.order()) {
            auto attempt = attemptAtHost(host, delivery, beat, troubles);
            // Whatever it came to, nobody has the mail.
            if (hasty_ && (!attempt || attempt->kind == SmtpAttempt::Kind::NextHost)) {
                job.outcome =
                    unusable("given up before the end of its text: the service ends or is reloaded");
                return;
            }
            if (!attempt) continue;
            if (attempt->kind == SmtpAttempt::Kind::NextHost) {
                if (attempt->hostTrouble) hosts_.blame(host, attempt->outcome.reason);
                if (attempt->outcome.verdict == Verdict::Rejected)
                    refusal = std::move(attempt->outcome);
                else
                    keepLast(last, std::move(attempt->outcome));
                continue;
            }
            job.notes = std::move(attempt->notes);
            if (attempt->kind == SmtpAttempt::Kind::Settled) {
                job.outcome = std::move(attempt->outcome);
                return;
            }
            if (mail->added()) job.notes.push_back("it had no Message-ID and was given " + mail->id());
            return takeOff(job, host, std::move(attempt->flight), mail->id());
        }
        job.outcome = last ? *last : refusal ? unlessOthers(*refusal, troubles) : troubles;
    }

    // What a host said for good of some recipients is not undone by a connection to the next one that breaks.
    static void keepLast(std::optional<Outcome>& last, Outcome now) {
        if (last && now.cause == Cause::Connection && now.recipients.empty())
            now.recipients = std::move(last->recipients);
        last = std::move(now);
    }

    // A host that could not be asked may take what another one can not.
    static Outcome unlessOthers(const Outcome& refusal, const Outcome& troubles) {
        if (troubles.reason.empty()) return refusal;
        return deferred(refusal.reason + "; " + troubles.reason, troubles.cause);
    }

    Result<std::unique_ptr<SmtpSession>> open(std::size_t host, const Beat& beat) {
        POSTERN_LET(tls, authorities(false));
        return SmtpSession::open(plan_, plan_.hosts[host], tls.get(), beat, &hasty_);
    }

    // Read with the first connection, and again with each probe: a new file needs no restart.
    Result<std::shared_ptr<const net::TlsClientContext>> authorities(bool anew) {
        MutexLock lock(tlsMutex_);
        if (plan_.tls != SmtpTls::None && (!tls_ || anew)) {
            POSTERN_LET(made, net::TlsClientContext::make({plan_.verifies(), plan_.caFile, plan_.oldTls}));
            tls_ = std::move(made);
        }
        return tls_;
    }

    // Nothing: the host can not be used by any mail, and `troubles` says why; its class is the first one's.
    std::optional<SmtpAttempt> attemptAtHost(std::size_t host, const Delivery& delivery, const Beat& beat,
                                             Outcome& troubles) {
        for (;;) {
            std::unique_ptr<SmtpSession> session = hosts_.take(host);
            if (!session) {
                auto opened = open(host, beat);
                if (!opened.ok()) {
                    if (!hasty_) noteUnusable(host, opened.error(), troubles);
                    return std::nullopt;
                }
                session = std::move(*opened);
            }
            session->endWith(&hasty_);
            SmtpAttempt attempt =
                attemptAt(plan_, std::move(session), delivery, plan_.hosts.size() > 1, beat);
            if (attempt.spare) hosts_.give(host, std::move(attempt.spare));
            if (attempt.kind != SmtpAttempt::Kind::Stale) return attempt;
        }
    }

    void noteUnusable(std::size_t host, const Error& error, Outcome& troubles) {
        hosts_.blame(host, error.text);
        // A host that is silent is as far away as one that is gone.
        if (troubles.reason.empty())
            troubles.cause = error.code == Errc::Busy ? Cause::Connection : causeOf(error.code);
        troubles.reason += (troubles.reason.empty() ? "" : "; ") + error.text;
    }

    void takeOff(Job& job, std::size_t host, SmtpFlight flight, const std::string& id) {
        flight.host = host;
        flight.session->endWith(nullptr);  // the answer to its dot is worth any wait
        job.evidence = "smtp1\t" + keyText(job.delivery.key) + "\t" + flight.session->peer() + "\t" +
                       formatUtc(Clock::system().now()) + "\t" + id;
        flights_.add(job.delivery.key, std::move(flight));
    }

    Outcome publishOne(const DeliveryKey& key, const Beat& beat) {
        auto flight = flights_.begin(key);
        if (!flight) {
            if (const auto ended = flights_.ended(key)) return *ended;
            return unknown("its connection is not here, or its answer is waited for by another watcher");
        }
        SmtpEnding ending = sendFinalDot(plan_, *flight, beat);
        flights_.end(key, ending.outcome);
        if (ending.outcome.verdict == Verdict::Exported) hosts_.praise(flight->host);
        if (ending.outcome.verdict == Verdict::Deferred && ending.outcome.cause == Cause::Connection)
            hosts_.blame(flight->host, ending.outcome.reason);
        if (ending.reusable)
            hosts_.give(flight->host, std::move(flight->session));
        else if (ending.answered)
            flight->session->quit();
        return ending.outcome;
    }

    const AdapterContext context_;
    const SmtpPlan plan_;
    const SmtpPlan probing_;
    std::atomic<bool> hasty_{false};  // before the sessions, which look at it
    SmtpHosts hosts_;
    SmtpFlights flights_;
    Mutex tlsMutex_;
    std::shared_ptr<const net::TlsClientContext> tls_ GUARDED_BY(tlsMutex_);
};

// As a host would get it that offers what `ignore` leaves of a modern one.
Result<std::optional<Outcome>> Smtp::convert(Job& job, StagedFile& file) const {
    SmtpOffer offer;
    offer.eightBit = !plan_.ignores("8BITMIME");
    offer.utf8 = !plan_.ignores("SMTPUTF8");
    POSTERN_LET(mail, identified(job.delivery));
    Delivery delivery = job.delivery;
    delivery.message = &mail;
    const auto formed = FormedMessage::make(delivery, plan_.format, carrierOf(offer), job.notes);
    if (!formed.ok() && formed.error().code != Errc::Invalid) return formed.error();
    if (!formed.ok()) return std::optional(rejected(formed.error().text));
    if (mail.added()) job.notes.push_back("it had no Message-ID and was given " + mail.id());
    POSTERN_TRY(formed->writeTo([&](std::string_view bytes) { return file.write(bytes); }));
    return std::optional<Outcome>();
}

Result<std::unique_ptr<Adapter>> makeEither(const AdapterContext& context, const Settings& settings,
                                            bool lmtp) {
    POSTERN_LET(plan, smtpPlan(context, settings, lmtp));
    return std::unique_ptr<Adapter>(std::make_unique<Smtp>(context, std::move(plan)));
}

Result<std::unique_ptr<Adapter>> makeSmtp(const AdapterContext& context, const Settings& settings) {
    return makeEither(context, settings, false);
}
Result<std::unique_ptr<Adapter>> makeLmtp(const AdapterContext& context, const Settings& settings) {
    return makeEither(context, settings, true);
}

}  // namespace

Kind smtpKind() {
    return {"smtp", "mail handed on to other hosts by SMTP", smtpSettings(false), &makeSmtp};
}
Kind lmtpKind() {
    return {"lmtp", "mail delivered into mailboxes by LMTP", smtpSettings(true), &makeLmtp};
}

}  // namespace postern::adapters
