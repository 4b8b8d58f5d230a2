// AUTH (RFC 4954): PLAIN (RFC 4616), LOGIN and CRAM-MD5 (RFC 2195), which is all that old hosts know.

#include <algorithm>

#include "adapters/smtp/smtp_session.h"
#include "base/digest.h"
#include "base/secret_file.h"
#include "base/text.h"

namespace postern::adapters {

namespace {

// In the clear, the one that does not show the password is best; under TLS, the plainest.
std::vector<std::string> wantedMechanisms(SmtpAuth auth, bool secure) {
    switch (auth) {
        case SmtpAuth::Plain: return {"PLAIN"};
        case SmtpAuth::Login: return {"LOGIN"};
        case SmtpAuth::CramMd5: return {"CRAM-MD5"};
        case SmtpAuth::Auto: break;
    }
    if (secure) return {"PLAIN", "LOGIN", "CRAM-MD5"};
    return {"CRAM-MD5", "PLAIN", "LOGIN"};
}

}  // namespace

Result<void> SmtpSession::logOn(const Beat& beat) {
    // Encryption with somebody whom nobody verified hides nothing from him.
    const bool secure = link_->secure() && plan_.tls != SmtpTls::Opportunistic;
    if (!secure && !plan_.authWithoutTls)
        return fail(
            Errc::Denied,
            peer() + ": is not encrypted, or not verified, so no password is sent; see auth_without_tls");
    POSTERN_LET(password, readSecret(plan_.passwordFile));
    for (const std::string& mechanism : wantedMechanisms(plan_.auth, secure)) {
        if (std::find(offer_.auth.begin(), offer_.auth.end(), mechanism) == offer_.auth.end()) continue;
        POSTERN_LET(reply, logOnWith(mechanism, password, beat));
        if (reply.code == 235) return {};
        return refused(("AUTH " + mechanism).c_str(), reply);
    }
    return fail(Errc::Denied, peer() + ": offers no way to log on that is wanted here");
}

// Each step but the last is answered by 334; any other answer is the end.
Result<SmtpReply> SmtpSession::logOnWith(const std::string& mechanism, const std::string& password,
                                         const Beat& beat) {
    const std::string user = plan_.username;
    if (mechanism == "PLAIN")
        return say(
            "AUTH PLAIN " + base64Encode(std::string(1, '\0') + user + std::string(1, '\0') + password),
            beat);
    POSTERN_LET(asked, say("AUTH " + mechanism, beat));
    if (asked.code != 334) return asked;
    if (mechanism == "LOGIN") {
        POSTERN_LET(next, say(base64Encode(user), beat));
        if (next.code != 334) return next;
        return say(base64Encode(password), beat);
    }
    const auto challenge = base64Decode(trim(asked.lines.back()));
    if (!challenge) return fail(Errc::Invalid, peer() + ": its challenge is not base64");
    static constexpr char kHex[] = "0123456789abcdef";
    std::string digest;
    for (const unsigned char byte : hmacMd5(password, *challenge)) {
        digest += kHex[byte >> 4];
        digest += kHex[byte & 15];
    }
    return say(base64Encode(user + " " + digest), beat);
}

}  // namespace postern::adapters
