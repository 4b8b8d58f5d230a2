// The server's side of an exchange. The grammar is RFC 5802 section 7; names in quotes are its rules'.

#include <algorithm>
#include <optional>

#include "base/digest.h"
#include "base/text.h"
#include "connector/accounts/saslprep.h"
#include "connector/accounts/scram.h"

namespace postern::accounts {

namespace {

constexpr std::size_t kLongestMessage = 4'096;
constexpr std::size_t kServerNonceBytes = 18;  // 24 characters of base64

Error malformed(const std::string& why) {
    return fail(Errc::Invalid, "SCRAM: " + why);
}

// The next field up to a comma, which goes too; nothing when the text is used up.
std::optional<std::string_view> nextField(std::string_view& rest, bool& more) {
    if (!more) return std::nullopt;
    const std::size_t comma = rest.find(',');
    const std::string_view field = rest.substr(0, comma);
    more = comma != std::string_view::npos;
    rest = more ? rest.substr(comma + 1) : std::string_view();
    return field;
}

class Fields {
  public:
    explicit Fields(std::string_view text) : rest_(text) {}
    std::optional<std::string_view> next() { return nextField(rest_, more_); }

    // The value of a field that must come now: "n=user".
    Result<std::string_view> value(char name, const char* what) {
        const auto field = next();
        if (!field || field->size() < 2 || (*field)[0] != name || (*field)[1] != '=')
            return malformed(std::string("no ") + what + " where it belongs");
        return field->substr(2);
    }

  private:
    std::string_view rest_;
    bool more_ = true;
};

// "attr-val": one letter, "=", a value that is not empty and has no NUL.
bool isExtension(std::string_view field) {
    return field.size() > 2 &&
           ((field[0] >= 'a' && field[0] <= 'z') || (field[0] >= 'A' && field[0] <= 'Z')) && field[1] == '=';
}

// Extensions that are not known are ignored, as 5.1 asks; a mandatory one ("m=") can not be.
Result<void> checkExtension(std::string_view field) {
    if (field.starts_with("m=")) return malformed("an extension is asked for that is not known here");
    if (!isExtension(field)) return malformed("a broken extension");
    return {};
}

// "saslname": "=2C" is a comma, "=3D" an equals sign, and no other "=" may stand in it.
Result<std::string> decodeName(std::string_view encoded) {
    std::string name;
    while (!encoded.empty()) {
        if (encoded[0] != '=') {
            name += encoded[0];
            encoded.remove_prefix(1);
            continue;
        }
        const std::string_view code = encoded.substr(0, 3);
        if (code != "=2C" && code != "=3D") return malformed("a name with a broken =2C or =3D");
        name += code == "=2C" ? ',' : '=';
        encoded.remove_prefix(3);
    }
    return prepareName(name);
}

// "printable": visible ASCII without comma.
bool isNonce(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x21 && c <= 0x7e && c != ','; });
}

Result<void> checkMessage(std::string_view message) {
    if (message.size() > kLongestMessage) return malformed("the message is too long");
    if (!validUtf8(message) || message.find('\0') != std::string_view::npos)
        return malformed("the message is not text");
    return {};
}

std::string exclusiveOr(std::string_view a, std::string_view b) {
    std::string result;
    for (std::size_t i = 0; i < a.size(); ++i) result += static_cast<char>(a[i] ^ b[i]);
    return result;
}

}  // namespace

std::string ScramServer::freshNonce() {
    return base64Encode(secretBytes(kServerNonceBytes));  // has no comma
}

ScramServer::ScramServer(Find find, std::string nonce) : find_(std::move(find)), nonce_(std::move(nonce)) {}

// "gs2-header": channel binding flag, identity to act as; what is left is "client-first-message-bare".
Result<std::string_view> ScramServer::takeGs2Header(std::string_view message) {
    const std::size_t flagEnd = message.find(',');
    const std::size_t end = flagEnd == std::string_view::npos ? flagEnd : message.find(',', flagEnd + 1);
    if (end == std::string_view::npos) return malformed("no GS2 header");
    const std::string_view flag = message.substr(0, flagEnd);
    const std::string_view identity = message.substr(flagEnd + 1, end - flagEnd - 1);
    if (flag.starts_with("p="))
        return malformed("channel binding is not offered: use SCRAM-SHA-256 without -PLUS");
    if (flag != "n" && flag != "y") return malformed("a GS2 flag that is none of n, y and p");
    if (!identity.empty()) {
        if (!identity.starts_with("a=")) return malformed("a GS2 header with something else than a=");
        POSTERN_LET(name, decodeName(identity.substr(2)));
        authorise_ = std::move(name);
    }
    gs2Header_ = message.substr(0, end + 1);
    return message.substr(end + 1);
}

Result<void> ScramServer::readBare(std::string_view bare) {
    if (bare.starts_with("m=")) return malformed("an extension is asked for that is not known here");
    Fields fields(bare);
    POSTERN_LET(encoded, fields.value('n', "name"));
    POSTERN_LET(name, decodeName(encoded));
    POSTERN_LET(nonce, fields.value('r', "nonce"));
    if (!isNonce(nonce)) return malformed("a nonce with characters that are not allowed");
    while (const auto field = fields.next()) POSTERN_TRY(checkExtension(*field));
    name_ = std::move(name);
    nonce_ = std::string(nonce) + nonce_;
    clientFirstBare_ = bare;
    return {};
}

Result<std::string> ScramServer::first(std::string_view clientFirst) {
    if (next_ != Next::First) return fail(Errc::Internal, "SCRAM: first message out of turn");
    next_ = Next::Nothing;
    POSTERN_TRY(checkMessage(clientFirst));
    POSTERN_LET(bare, takeGs2Header(clientFirst));
    POSTERN_TRY(readBare(bare));
    if (!authorise_.empty() && authorise_ != name_)
        return fail(Errc::Denied, "an account may act as itself only");
    POSTERN_LET(candidate, find_(name_));
    candidate_ = std::move(candidate);
    serverFirst_ = "r=" + nonce_ + ",s=" + base64Encode(candidate_.verifier.salt) +
                   ",i=" + std::to_string(candidate_.verifier.iterations);
    next_ = Next::Last;
    return serverFirst_;
}

Result<std::string> ScramServer::last(std::string_view clientFinal) {
    if (next_ != Next::Last) return fail(Errc::Internal, "SCRAM: final message out of turn");
    next_ = Next::Nothing;
    POSTERN_TRY(checkMessage(clientFinal));
    const std::size_t proofAt = clientFinal.rfind(",p=");
    if (proofAt == std::string_view::npos) return malformed("no proof at the end");
    const std::string_view withoutProof = clientFinal.substr(0, proofAt);
    const auto proof = base64Decode(clientFinal.substr(proofAt + 3));
    if (!proof || proof->size() != kSha256Bytes) return malformed("a proof that is none");
    Fields fields(withoutProof);
    POSTERN_LET(binding, fields.value('c', "channel binding"));
    POSTERN_LET(nonce, fields.value('r', "nonce"));
    while (const auto field = fields.next()) POSTERN_TRY(checkExtension(*field));
    if (binding != base64Encode(gs2Header_)) return malformed("the GS2 header is not the one of before");
    if (!equalConstantTime(nonce, nonce_)) return malformed("the nonce is not the one of before");

    const std::string authMessage = clientFirstBare_ + "," + serverFirst_ + "," + std::string(withoutProof);
    const Verifier& verifier = candidate_.verifier;
    const std::string clientKey = exclusiveOr(*proof, hmacSha256(verifier.storedKey, authMessage));
    const bool proven = equalConstantTime(sha256(clientKey), verifier.storedKey);
    const std::string signature = hmacSha256(verifier.serverKey, authMessage);
    if (!proven || !candidate_.known) return fail(Errc::Denied, "name or password is wrong");
    return "v=" + base64Encode(signature);
}

}  // namespace postern::accounts
