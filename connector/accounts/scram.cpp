#include "connector/accounts/scram.h"

#include "base/digest.h"
#include "connector/accounts/saslprep.h"

namespace postern::accounts {

namespace {

struct Keys {
    std::string stored, server;
};

Keys keysOf(std::string_view prepared, std::string_view salt, std::int64_t iterations) {
    const std::string salted = pbkdf2Sha256(prepared, salt, iterations);
    return {sha256(hmacSha256(salted, "Client Key")), hmacSha256(salted, "Server Key")};
}

}  // namespace

Result<Verifier> makeVerifier(std::string_view password, std::int64_t iterations, std::string salt) {
    if (iterations < kLeastIterations || iterations > kMostIterations || salt.size() < 16) {
        return fail(Errc::Invalid, "a verifier takes " + std::to_string(kLeastIterations) +
                                       " iterations or more and a salt of 16 bytes or more");
    }
    POSTERN_LET(prepared, preparePassword(password));
    Keys keys = keysOf(prepared, salt, iterations);
    return Verifier{iterations, std::move(salt), std::move(keys.stored), std::move(keys.server)};
}

bool matches(const Verifier& verifier, std::string_view password) {
    const auto prepared = preparePassword(password);
    const Keys keys = keysOf(prepared.ok() ? *prepared : "x", verifier.salt, verifier.iterations);
    return equalConstantTime(keys.stored, verifier.storedKey) && prepared.ok();
}

Verifier decoyVerifier(std::string_view secret, std::string_view name) {
    const auto part = [&](const char* use) { return hmacSha256(secret, use + std::string(name)); };
    return {kDefaultIterations, part("salt ").substr(0, 16), part("stored "), part("server ")};
}

}  // namespace postern::accounts
