#pragma once
// One mail at one host: everything before the final dot, and then the dot and what was answered to it.
// Thread rule: one thread for each mail.

#include "adapters/smtp/smtp_envelope.h"
#include "adapters/smtp/smtp_flights.h"
#include "mail/downgrade.h"

namespace postern::adapters {

struct SmtpAttempt {
    enum class Kind {
        Staged,    // the whole text is there but for its dot: `flight`
        Settled,   // `outcome` is the mail's, another host would not help
        NextHost,  // `outcome`, unless another host takes it; Rejected: when all of them say so
        Stale,     // a kept connection had ended: the same host again, on a new one
    };
    Kind kind = Kind::Settled;
    Outcome outcome;
    bool hostTrouble = false;  // NextHost: no mail would fare better there now
    SmtpFlight flight;
    std::unique_ptr<SmtpSession> spare;  // may carry another mail
    std::vector<std::string> notes;      // what was changed in the message
};

// What a host that offers this can take.
mail::Carrier carrierOf(const SmtpOffer& offer);

// RFC 5321 3.3: the mail may only be taken behind the dot, so whatever fails here is safe to try again.
// `hasSuccessor`: there are other hosts, which may be able to do what this one is not.
SmtpAttempt attemptAt(const SmtpPlan& plan, std::unique_ptr<SmtpSession> session, const Delivery& delivery,
                      bool hasSuccessor, const Beat& beat);

struct SmtpEnding {
    Outcome outcome;
    bool reusable = false;  // the connection may carry another mail
    // The dot went out and was answered. Otherwise the connection is closed without another byte: what
    // follows a dot that was kept back could take it along (TLS keeps a record that the system did not take).
    bool answered = false;
};
// Sends the dot and waits for the answer; with LMTP one for each recipient (RFC 2033 4.2).
SmtpEnding sendFinalDot(const SmtpPlan& plan, SmtpFlight& flight, const Beat& beat);

}  // namespace postern::adapters
