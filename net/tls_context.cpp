// Poco's Context holds the library's; what goes into it is read here, because Poco's own loading ends in
// errors that do not name the file, and asks at the terminal for a passphrase.

#include "net/tls_context.h"

#include <chrono>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <Poco/Exception.h>
#include <Poco/Net/Context.h>

#include "base/file.h"
#include "base/text.h"

namespace postern::net {

namespace {

constexpr std::size_t kLargestFile = 4 << 20;
constexpr Millis kSoon = std::chrono::hours(24 * 14);
// TLS 1.2; those of TLS 1.3 are the library's. CBC stays for the old servers whose other choice is no TLS.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:!aNULL:!eNULL:!PSK";
constexpr const char* kGroups = "X25519:P-256:P-384:P-521";
constexpr unsigned char kSessionContext[] = "postern";

struct Free {
    void operator()(BIO* bio) const { BIO_free_all(bio); }
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

std::string libraryError() {
    const unsigned long code = ERR_get_error();
    const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
    ERR_clear_error();
    return reason == nullptr ? "no reason given" : reason;
}

Error wrong(const std::string& what, const std::string& path, const std::string& why) {
    return fail(Errc::Invalid, what + " " + path + ": " + why);
}

Result<std::string> readPem(const std::string& what, const std::string& path) {
    auto text = readFile(path, kLargestFile);
    if (text.ok()) return text;
    std::string advice = text.error().text;
    if (text.error().code == Errc::NotFound) advice = "there is no such file";
    if (text.error().code == Errc::Denied) advice = "may not be read by " + userName() + ", who runs this";
    return Error{text.error().code, what + " " + path + ": " + advice};
}

Owned<BIO> memory(const std::string& text) {
    return Owned<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Says that it was asked, instead of asking at a terminal.
int noPassphrase(char*, int, int, void* asked) {
    *static_cast<bool*>(asked) = true;
    return 0;
}

Owned<X509> nextCertificate(BIO* bio) {
    bool asked = false;
    return Owned<X509>(PEM_read_bio_X509(bio, nullptr, noPassphrase, &asked));
}

// The certificate itself is returned; its chain goes with it into the context.
Result<Owned<X509>> useCertificates(SSL_CTX* context, const std::string& path) {
    POSTERN_LET(text, readPem("certificate", path));
    const auto bio = memory(text);
    auto own = nextCertificate(bio.get());
    if (!own) return wrong("certificate", path, "holds no certificate in PEM form");
    if (SSL_CTX_use_certificate(context, own.get()) != 1)
        return wrong("certificate", path, "can not be used: " + libraryError());
    while (auto link = nextCertificate(bio.get())) {
        if (SSL_CTX_add1_chain_cert(context, link.get()) != 1)
            return wrong("certificate", path, "its chain can not be used: " + libraryError());
    }
    ERR_clear_error();  // the end of the file is one
    return own;
}

Result<void> useKey(SSL_CTX* context, const TlsFiles& files, X509* certificate) {
    POSTERN_LET(text, readPem("key", files.key));
    bool asked = false;
    const Owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(memory(text).get(), nullptr, noPassphrase, &asked));
    OPENSSL_cleanse(text.data(), text.size());
    if (!key && asked)
        return wrong("key", files.key,
                     "has a passphrase, which a service can not be asked for; write it without one "
                     "(openssl pkey -in OLD -out NEW) and protect the file by its mode");
    if (!key) return wrong("key", files.key, "holds no private key in PEM form: " + libraryError());
    if (X509_check_private_key(certificate, key.get()) != 1) {
        ERR_clear_error();
        return wrong("key", files.key,
                     "does not belong to the first certificate in " + files.certificate +
                         "; the server's own certificate stands before its chain");
    }
    if (SSL_CTX_use_PrivateKey(context, key.get()) != 1)
        return wrong("key", files.key, "can not be used: " + libraryError());
    return {};
}

// Whether its certificate is good is a fact for policy; none, or a bad one, does not end the handshake.
int acceptAnyClient(int, X509_STORE_CTX*) {
    return 1;
}

Result<void> useClientCa(SSL_CTX* context, const TlsFiles& files) {
    if (files.clientCa.empty() && !files.askClient) return {};
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, acceptAnyClient);
    if (files.clientCa.empty()) return {};
    POSTERN_LET(text, readPem("client_ca", files.clientCa));
    const auto bio = memory(text);
    int count = 0;
    while (auto authority = nextCertificate(bio.get())) {
        X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get());
        SSL_CTX_add_client_CA(context, authority.get());
        ++count;
    }
    ERR_clear_error();
    if (count == 0) return wrong("client_ca", files.clientCa, "holds no certificate in PEM form");
    return {};
}

WallTime timeOf(const ASN1_TIME* time) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
    using namespace std::chrono;
    const year_month_day day{year(parts.tm_year + 1900), month(static_cast<unsigned>(parts.tm_mon + 1)),
                             std::chrono::day(static_cast<unsigned>(parts.tm_mday))};
    return WallTime(sys_days(day).time_since_epoch() + hours(parts.tm_hour) + minutes(parts.tm_min) +
                    seconds(parts.tm_sec));
}

void lookAtDates(X509* certificate, const std::string& path, WallTime now,
                 std::vector<std::string>& warnings) {
    const WallTime from = timeOf(X509_get0_notBefore(certificate));
    const WallTime until = timeOf(X509_get0_notAfter(certificate));
    const std::string what = "certificate " + path + ": ";
    if (now < from) warnings.push_back(what + "is not valid before " + formatUtc(from));
    if (now >= until) {
        warnings.push_back(what + "expired at " + formatUtc(until) +
                           ": many clients refuse it; put a new one there and reload");
    } else if (until - now < kSoon) {
        warnings.push_back(what + "expires at " + formatUtc(until) + ": put a new one there and reload");
    }
}

void setRules(SSL_CTX* context) {
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_session_id_context(context, kSessionContext, sizeof kSessionContext);
    SSL_CTX_set_cipher_list(context, kCiphers);
    SSL_CTX_set1_groups_list(context, kGroups);
    SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
    // Replies are sent from a string that grows while it waits; an idle connection keeps no buffers.
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
}

}  // namespace

struct TlsContext::Impl {
    Poco::Net::Context::Ptr context;
};

TlsContext::TlsContext() : impl_(std::make_unique<Impl>()) {}
TlsContext::~TlsContext() = default;

ssl_ctx_st* TlsContext::native() const {
    return impl_->context->sslContext();
}

Result<std::shared_ptr<const TlsContext>> TlsContext::make(const TlsFiles& files, WallTime now) {
    std::shared_ptr<TlsContext> made(new TlsContext);
    try {
        Poco::Net::Context::Params params;
        params.verificationMode = Poco::Net::Context::VERIFY_NONE;
        params.dhUse2048Bits = true;
        made->impl_->context = new Poco::Net::Context(Poco::Net::Context::TLS_SERVER_USE, params);
    } catch (const Poco::Exception& exception) {
        return fail(Errc::Unavailable, "TLS: " + exception.displayText());
    }
    SSL_CTX* context = made->native();
    setRules(context);
    POSTERN_LET(certificate, useCertificates(context, files.certificate));
    POSTERN_TRY(useKey(context, files, certificate.get()));
    POSTERN_TRY(useClientCa(context, files));
    lookAtDates(certificate.get(), files.certificate, now, made->warnings_);
    return std::shared_ptr<const TlsContext>(std::move(made));
}

}  // namespace postern::net
