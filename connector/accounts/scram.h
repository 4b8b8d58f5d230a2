#pragma once
// SCRAM-SHA-256 (RFC 5802, 7677): what is stored instead of a password, and the server's side of one
// exchange. Pure: no store, no socket, no clock.
//
// Thread rule: functions from any thread; a ScramServer belongs to one.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"

namespace postern::accounts {

// RFC 7677 section 4 asks for 4,096 at least. A client of SCRAM pays for each log-on, our server does for
// PLAIN and LOGIN: 10,000 take it about 2.5 ms, which is also what a thief of the store pays for each guess.
inline constexpr std::int64_t kLeastIterations = 4'096;
inline constexpr std::int64_t kDefaultIterations = 10'000;
inline constexpr std::int64_t kMostIterations = 10'000'000;  // what a verifier from outside may cost us

struct Verifier {
    std::int64_t iterations = 0;
    std::string salt;       // raw bytes, as the keys
    std::string storedKey;  // 32 bytes: proves a client right, does not make one
    std::string serverKey;  // 32 bytes: proves the server right
};

// Of a password as SASLprep leaves it. Invalid when it can not be prepared, or is empty.
Result<Verifier> makeVerifier(std::string_view password, std::int64_t iterations = kDefaultIterations,
                              std::string salt = secretBytes(16));
// For PLAIN and LOGIN. Costs verifier.iterations, whatever the answer is: about 2.5 ms.
bool matches(const Verifier& verifier, std::string_view password);
// For a name that nobody has: always the same for one name and secret, looks like any other, and no password
// fits it.
Verifier decoyVerifier(std::string_view secret, std::string_view name);

// What stands behind a name. For unknown names a decoy, so that nobody learns which names exist.
struct Candidate {
    bool known = false;
    Verifier verifier;
};

// One exchange, server's side. Messages are given decoded from base64 and answered to be encoded.
// Errors: Invalid: the client's message breaks the grammar or asks for what is not offered; the text says
// which. Denied: wrong password, unknown user, or another's identity asked for; the text does not say which
// of the first two. Other errors are `find`'s own and temporary. After any error the exchange is over.
class ScramServer {
  public:
    // The name is prepared (saslprep.h). Called once, by first().
    using Find = std::function<Result<Candidate>(const std::string& name)>;

    explicit ScramServer(Find find) : ScramServer(std::move(find), freshNonce()) {}
    ScramServer(Find find, std::string nonce);  // for tests: the server's part of the nonce

    Result<std::string> first(std::string_view clientFirst);  // the server-first-message
    // The server-final-message: the client is who it says. REQUIRES: first() was ok.
    Result<std::string> last(std::string_view clientFinal);

    const std::string& name() const { return name_; }  // prepared; proven only after last() was ok

    static std::string freshNonce();

  private:
    Result<std::string_view> takeGs2Header(std::string_view message);
    Result<void> readBare(std::string_view bare);

    Find find_;
    std::string nonce_;      // the server's part, then the whole
    std::string gs2Header_;  // as sent: the client repeats it, and an attacker could have changed it
    std::string authorise_;
    std::string name_;
    std::string clientFirstBare_, serverFirst_;
    Candidate candidate_;
    enum class Next { First, Last, Nothing } next_ = Next::First;
};

}  // namespace postern::accounts
