// The one commit point of a mail: its final dot.

#include "adapters/smtp/smtp_attempt.h"
#include "adapters/smtp/smtp_text.h"
#include "adapters/smtp/smtp_verdicts.h"

namespace postern::adapters {

namespace {

class Ending {
  public:
    Ending(const SmtpPlan& plan, SmtpFlight& flight, const Beat& beat)
        : plan_(plan), flight_(flight), session_(*flight.session), beat_(beat), known_(flight.notTaken) {}

    SmtpEnding run() {
        SmtpEnding ending;
        std::string doubt;
        bool sent = true;
        // What was said unasked, or a connection that has ended, is no answer to a dot that was not sent.
        if (!session_.quiet() || !sendDot(doubt)) {
            sent = false;
            notSent();
        } else if (doubt.empty()) {
            doubt = plan_.lmtp ? hearEach() : hearOne();
        }
        ending.outcome = combined(std::move(known_), doubt);
        ending.outcome.again = ending.outcome.verdict == Verdict::Exported && flight_.tooMany;
        ending.answered = sent && doubt.empty();
        ending.reusable = ending.answered && allGood_;
        return ending;
    }

  private:
    // False: not one byte of it left us.
    bool sendDot(std::string& doubt) {
        const std::uint64_t before = session_.handedBytes();
        const auto sent = session_.send(kSmtpFinalDot, plan_.patience.data, beat_);
        if (sent.ok()) return true;
        if (session_.handedBytes() == before) return false;
        doubt = "while the end of the text was sent: " + sent.error().text;
        return true;
    }

    void notSent() {
        allGood_ = false;
        const auto reply = session_.hear(Millis(1'000), beat_);
        const bool said = reply.ok() && !reply->good() && reply->code != 421;
        for (const int ordinal : flight_.accepted) {
            if (said)
                know(verdictOf(ordinal, *reply, session_.peer() + ": before the end of the text"), *reply);
            else
                known_.push_back({ordinal,
                                  Verdict::Deferred,
                                  session_.peer() + ": the connection was lost before the end of the text",
                                  {},
                                  Cause::Connection});
        }
    }

    // Where it was said, and of a refusal to what.
    std::string stepOf(const SmtpReply& reply) const {
        return session_.peer() + (reply.good() ? "" : ": end of text");
    }

    void know(RecipientVerdict verdict, const SmtpReply& reply) {
        if (!reply.good()) allGood_ = false;
        known_.push_back(std::move(verdict));
    }

    // Empty, or why nobody can tell.
    std::string hearOne() {
        const auto reply = session_.hear(plan_.patience.final, beat_);
        if (!reply.ok()) return "after the end of the text: " + reply.error().text;
        if (reply->code / 100 == 3)
            return "after the end of the text: " + session_.peer() + ": " + reply->text();
        for (const int ordinal : flight_.accepted) know(verdictOf(ordinal, *reply, stepOf(*reply)), *reply);
        return {};
    }

    // One answer for each RCPT that was taken, in their order; each counts as it arrives.
    std::string hearEach() {
        std::size_t heard = 0;
        for (const int ordinal : flight_.accepted) {
            const auto reply = session_.hear(plan_.patience.final, beat_);
            const bool told = reply.ok() && reply->code / 100 != 3;
            if (!told)
                return "after the end of the text, with " + std::to_string(heard) + " of " +
                       std::to_string(flight_.accepted.size()) + " answers: " +
                       (reply.ok() ? session_.peer() + ": " + reply->text() : reply.error().text);
            know(verdictOf(ordinal, *reply, stepOf(*reply)), *reply);
            ++heard;
        }
        return {};
    }

    const SmtpPlan& plan_;
    SmtpFlight& flight_;
    SmtpSession& session_;
    const Beat& beat_;
    std::vector<RecipientVerdict> known_;
    bool allGood_ = true;
};

}  // namespace

SmtpEnding sendFinalDot(const SmtpPlan& plan, SmtpFlight& flight, const Beat& beat) {
    return Ending(plan, flight, beat).run();
}

}  // namespace postern::adapters
