// Events handed to a program of somebody else's by HTTP POST, signed as the "Standard Webhooks" convention
// has it. What is sent is the body of a mail that connector/webhooks makes, one JSON document; other mail is
// refused.
//
// What "exactly once" rests on: stage() only opens the connection; publish() sends the request. Its
// webhook-id derives from item and store, so it is the same in each attempt and after a crash, and the
// receiver drops what it has seen. When the answer is lost nobody can know whether the request took effect:
// the item is in doubt, and on_doubt, which is receiver_dedupes here unless somebody writes another word,
// sends it again.
//
// Whose fault a failure is: a receiver that can not be reached is not the event's: the adapter is unusable
// and its probe looks again. So it is with an answer that every event would get (kNotTheEvents): a wrong URL
// or secret. Any other answer is to that event, and an attempt of it. A Retry-After (RFC 9110 10.2.3) stops
// all of them for so long.

#include <algorithm>
#include <atomic>
#include <iterator>

#include "adapters/flights.h"
#include "adapters/kinds.h"
#include "adapters/spool/staged_file.h"
#include "adapters/webhook/webhook_settings.h"
#include "base/digest.h"
#include "base/secret_file.h"
#include "base/source.h"
#include "base/text.h"

namespace postern::adapters {

namespace {

using Beat = std::function<void()>;

constexpr std::size_t kLargest = 1 << 20;   // of a stored mail
constexpr Millis kLongestPause{3'600'000};  // that a receiver can ask for
constexpr std::size_t kShownAnswer = 1500;  // bytes of an answer's body in the history

struct Request {
    std::unique_ptr<net::HttpConnection> connection;
    std::string body;
};

// The document inside the mail. An Error: not a mail that tells of an event.
Result<std::string> documentOf(ByteSource& message) {
    POSTERN_LET(bytes, readAll(message, kLargest));
    const auto end = bytes.find("\r\n\r\n");
    const bool ours =
        lowerAscii(std::string_view(bytes).substr(0, end)).find("\r\ncontent-type: application/json") !=
        std::string::npos;
    if (end == std::string::npos || !ours) return fail(Errc::Invalid, "a webhook takes events and no mail");
    return bytes.substr(end + 4);
}

// "whsec_" and base64, as programs make them, or the text itself.
Result<std::string> readKey(const std::string& path) {
    POSTERN_LET(secret, readSecret(path));
    if (!secret.starts_with("whsec_")) return secret;
    auto key = base64Decode(trim(std::string_view(secret).substr(6)));
    if (!key || key->empty())
        return fail(Errc::Invalid, path + ": what stands behind \"whsec_\" is not base64, or nothing");
    return std::move(*key);
}

// A redirect, and who, where and how one asks (RFC 9110 15.5): no event would fare better.
bool isTheConfigurations(int status) {
    constexpr int kNotTheEvents[] = {401, 403, 404, 405, 407, 410};
    return (status >= 300 && status < 400) ||
           std::find(std::begin(kNotTheEvents), std::end(kNotTheEvents), status) != std::end(kNotTheEvents);
}

// Seconds, not longer than kLongestPause; the other form, a date, is not looked at.
Millis pauseOf(const net::HttpAnswer& answer) {
    if (answer.status != 429 && answer.status != 503) return Millis{0};
    const auto seconds = parseInt(answer.retryAfter);
    if (!seconds || *seconds <= 0) return Millis{0};
    return std::min(kLongestPause, Millis{std::min<std::int64_t>(*seconds, 86'400) * 1000});
}

class Webhook final : public Adapter {
  public:
    Webhook(AdapterContext context, WebhookPlan plan)
        : context_(std::move(context)), plan_(std::move(plan)) {}

    std::optional<std::string> refuses(const Recipient&) const override {
        return "a webhook takes events and no mail";
    }
    int batchLimit() const override { return 1; }
    void hasten() override { hasty_ = true; }

    Result<void> probe() override {
        POSTERN_TRY(pauseOver());
        POSTERN_TRY(readKey(plan_.secretFile));
        if (!plan_.authorizationFile.empty()) POSTERN_TRY(readSecret(plan_.authorizationFile));
        POSTERN_LET(tls, authorities(true));
        POSTERN_TRY(net::HttpConnection::open(plan_.url, plan_.policy, tls.get(), nullptr, &hasty_));
        return {};
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
        (void)flights_.withdraw(job.delivery.key, "it was given up before it was sent");
    }

    Result<std::optional<Outcome>> convert(Job& job, StagedFile& file) const override {
        auto document = documentOf(*job.delivery.message);
        if (!document.ok() && document.error().code != Errc::Invalid) return document.error();
        if (!document.ok()) return std::optional(rejected(document.error().text));
        POSTERN_TRY(file.write(*document));
        return std::optional<Outcome>();
    }

    Recovery recover(const DeliveryKey& staged, std::string_view evidence) override {
        const auto fields = split(evidence, '\t');
        if (fields.size() != 4 || fields[0] != "webhook1" || fields[3] != idOf(staged.item))
            return {Found::CannotTell, "its evidence is not of this adapter, or damaged", std::nullopt};
        const std::string where(fields[1]);
        const std::string why = where + ": asked about before it was sent";
        auto found = flights_.ask(staged, why);
        using Is = Flights<Request>::Standing::Is;
        switch (found.is) {
            case Is::Withdrawn: return {Found::NotPublished, why, std::nullopt};
            case Is::Sending: return answerAwaited(where);
            case Is::Ended: return remembered(fields, found.outcome);
            case Is::Absent: break;
        }
        return doubtful(fields, "the service was interrupted while it was sent");
    }

    Result<int> sweep(const std::function<bool(const DeliveryKey&)>& isOver) override {
        return flights_.sweep(isOver);
    }

    std::string describe() const override {
        return "tells " + plan_.url.origin() + " of " + std::to_string(plan_.events.size()) +
               " kinds of events; once each, where the receiver knows a webhook-id again";
    }

  private:
    // A4. The attempt is not in it: the receiver knows the second one again.
    std::string idOf(ItemId item) const {
        return "msg_" + context_.storeId + "_" + std::to_string(item.value);
    }

    static Recovery answerAwaited(const std::string& where) {
        Recovery recovery{Found::CannotTell, where + ": its answer is still waited for", std::nullopt};
        recovery.busy = fail(Errc::Busy, recovery.text);
        return recovery;
    }

    // The answer came, and only its watcher was too late to say so.
    static Recovery remembered(const std::vector<std::string_view>& fields, const Outcome& ended) {
        if (ended.verdict == Verdict::Exported) return {Found::Published, ended.target, std::nullopt};
        if (ended.verdict == Verdict::Unknown) return doubtful(fields, ended.reason);
        Recovery recovery{Found::NotPublished, ended.reason, std::nullopt};
        if (ended.verdict == Verdict::Rejected) {
            recovery.found = Found::CannotTell;
            recovery.known = ended;
        }
        return recovery;
    }

    static Recovery doubtful(const std::vector<std::string_view>& fields, const std::string& why) {
        return {Found::CannotTell,
                std::string(fields[1]) + " may have it: " + why + ". Look there for the webhook-id " +
                    std::string(fields[3]) + " of " + std::string(fields[2]),
                std::nullopt};
    }

    // Read with the first connection, and again with each probe: a new file needs no restart.
    Result<std::shared_ptr<const net::TlsClientContext>> authorities(bool anew) {
        MutexLock lock(mutex_);
        const bool verify = plan_.policy.verify && plan_.policy.fingerprints.empty();
        if (plan_.url.tls && (!tls_ || anew)) {
            POSTERN_LET(made, net::TlsClientContext::make({verify, plan_.caFile, false}));
            tls_ = std::move(made);
        }
        return tls_;
    }

    Result<void> pauseOver() {
        MutexLock lock(mutex_);
        const auto left = std::chrono::ceil<Millis>(pauseUntil_ - Clock::system().steady());
        if (left <= Millis{0}) return {};
        return fail(Errc::Busy, plan_.url.origin() + ": asked for no more requests until " +
                                    formatUtc(Clock::system().now() + left));
    }

    void pauseFor(Millis time) {
        if (time == Millis{0}) return;
        MutexLock lock(mutex_);
        pauseUntil_ = std::max(pauseUntil_, Clock::system().steady() + time);
    }

    void stageOne(Job& job, const Beat& beat) {
        auto document = documentOf(*job.delivery.message);
        if (!document.ok()) {
            const bool never =
                document.error().code == Errc::Invalid || document.error().code == Errc::NoSpace;
            job.outcome = never ? rejected(document.error().text) : deferred(document.error());
            return;
        }
        auto connection = connect(beat);
        if (!connection.ok()) {
            job.outcome = unusable(hasty_ ? "given up before it was sent: the service ends or is reloaded"
                                          : connection.error().text);
            job.outcome->cause = causeOf(connection.error().code);
            return;
        }
        (*connection)->endWith(nullptr);  // the answer is worth its wait
        job.evidence = "webhook1\t" + (*connection)->peer() + "\t" + formatUtc(Clock::system().now()) + "\t" +
                       idOf(job.delivery.key.item);
        flights_.add(job.delivery.key, {std::move(*connection), std::move(*document)});
    }

    Result<std::unique_ptr<net::HttpConnection>> connect(const Beat& beat) {
        POSTERN_TRY(pauseOver());
        POSTERN_LET(tls, authorities(false));
        return net::HttpConnection::open(plan_.url, plan_.policy, tls.get(), beat, &hasty_);
    }

    Outcome publishOne(const DeliveryKey& key, const Beat& beat) {
        auto request = flights_.begin(key);
        if (!request) {
            if (const auto ended = flights_.ended(key)) return *ended;
            return unknown("its connection is not here, or its answer is waited for by another watcher");
        }
        Outcome outcome = send(*request, idOf(key.item), beat);
        flights_.end(key, outcome);
        return outcome;
    }

    // Of the moment: a secret may have been changed since the service began.
    Result<net::HttpFields> fieldsFor(const std::string& id, const std::string& body) const {
        POSTERN_LET(key, readKey(plan_.secretFile));
        const std::string time = std::to_string(toMillis(Clock::system().now()) / 1000);
        net::HttpFields fields = {
            {"User-Agent", "Postern"},
            {"Content-Type", "application/json"},
            {"webhook-id", id},
            {"webhook-timestamp", time},
            {"webhook-signature", "v1," + base64Encode(hmacSha256(key, id + "." + time + "." + body))}};
        if (plan_.authorizationFile.empty()) return fields;
        POSTERN_LET(authorization, readSecret(plan_.authorizationFile));
        if (authorization.find('\r') != std::string::npos || authorization.find('\0') != std::string::npos)
            return fail(Errc::Invalid,
                        plan_.authorizationFile + ": has a control character in its first line");
        fields.emplace_back("Authorization", authorization);
        return fields;
    }

    Outcome send(Request& request, const std::string& id, const Beat& beat) {
        const std::string what = "POST to " + request.connection->peer() + ", webhook-id " + id + ": ";
        const auto fields = fieldsFor(id, request.body);
        if (!fields.ok()) return unusable(fields.error().text);
        if (!request.connection->quiet())
            return deferred(what + "not sent: the connection was lost", Cause::Connection);
        const auto exchange = request.connection->post(plan_.url, *fields, request.body, beat);
        if (exchange.answer) {
            pauseFor(pauseOf(*exchange.answer));
            return judged(*exchange.answer, what);
        }
        const std::string& why = exchange.trouble->text;
        if (!exchange.sent) return deferred(what + "not sent whole: " + why, Cause::Connection);
        return unknown(what + "sent, and no answer came: " + why);
    }

    static const char* remedyFor(int status) {
        if (status >= 300 && status < 400) return "a redirect is not followed: correct url";
        if (status == 401 || status == 403 || status == 407)
            return "look at secret_file and authorization_file, and what the receiver allows";
        return "correct url, or have the receiver take events there";
    }

    static Outcome judged(const net::HttpAnswer& answer, const std::string& what) {
        std::string said = what + escapeLine(answer.line, 300);
        if (answer.status >= 200 && answer.status < 300) return exported(said);
        if (!answer.body.empty())
            said += ": " + escapeLine(trim(answer.body), kShownAnswer) + (answer.whole ? "" : " (and more)");
        const int status = answer.status;
        if (isTheConfigurations(status)) return unusable(said + "; " + remedyFor(status));
        const bool later = status == 408 || status == 425 || status == 429 || status >= 500;
        if (!later) return rejected(said);
        return deferred(said, status == 429 || status == 503 ? Cause::Busy : Cause::Refused);
    }

    const AdapterContext context_;
    const WebhookPlan plan_;
    std::atomic<bool> hasty_{false};
    Flights<Request> flights_;
    Mutex mutex_;
    std::shared_ptr<const net::TlsClientContext> tls_ GUARDED_BY(mutex_);
    SteadyTime pauseUntil_ GUARDED_BY(mutex_);
};

Result<std::unique_ptr<Adapter>> makeWebhook(const AdapterContext& context, const Settings& settings) {
    POSTERN_LET(plan, webhookPlan(settings));
    return std::unique_ptr<Adapter>(std::make_unique<Webhook>(context, std::move(plan)));
}

}  // namespace

Kind webhookKind() {
    return {"webhook", "events told to a program by HTTP POST; takes no mail", webhookSettings(),
            &makeWebhook};
}

}  // namespace postern::adapters
