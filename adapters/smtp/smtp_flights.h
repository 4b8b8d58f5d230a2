#pragma once
// The mails that stand before their final dot, each on its open connection.

#include <memory>
#include <vector>

#include "adapters/flights.h"
#include "adapters/smtp/smtp_session.h"

namespace postern::adapters {

struct SmtpFlight {
    std::unique_ptr<SmtpSession> session;
    std::size_t host = 0;
    std::vector<int> accepted;               // ordinals, in the order of RCPT
    std::vector<RecipientVerdict> notTaken;  // known before the dot
    bool tooMany = false;
};

using SmtpFlights = Flights<SmtpFlight>;

}  // namespace postern::adapters
