#include "net/tls_client.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <Poco/Exception.h>
#include <Poco/Net/Context.h>

#include "base/file.h"

namespace postern::net {

namespace {

constexpr std::size_t kLargestFile = 4 << 20;
// As the server's side asks for; CBC stays for servers whose other choice is no TLS.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:!aNULL:!eNULL:!PSK";
// What a server of the year 2000 knows. The library's own level would refuse its keys and signatures.
constexpr const char* kOldCiphers = "ALL:!aNULL:!eNULL:!PSK:!SRP:@SECLEVEL=0";

void setRules(SSL_CTX* context, bool oldServers) {
    SSL_CTX_set_min_proto_version(context, oldServers ? TLS1_VERSION : TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(context, oldServers ? kOldCiphers : kCiphers);
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    if (oldServers) SSL_CTX_set_options(context, SSL_OP_LEGACY_SERVER_CONNECT);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    // The result is kept and asked for: who is trusted is decided by the caller.
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
}

Result<void> useAuthorities(SSL_CTX* context, const std::string& path) {
    ERR_clear_error();
    if (path.empty()) {
        SSL_CTX_set_default_verify_paths(context);
        return {};
    }
    // Read first: the library's own words for a missing file do not name it.
    const auto readable = readFile(path, kLargestFile);
    if (!readable.ok()) return readable.error().within("authorities " + path);
    if (SSL_CTX_load_verify_locations(context, path.c_str(), nullptr) == 1) return {};
    ERR_clear_error();
    return fail(Errc::Invalid, "authorities " + path + ": holds no certificate in PEM form");
}

}  // namespace

struct TlsClientContext::Impl {
    Poco::Net::Context::Ptr context;
};

TlsClientContext::TlsClientContext() : impl_(std::make_unique<Impl>()) {}
TlsClientContext::~TlsClientContext() = default;

ssl_ctx_st* TlsClientContext::native() const {
    return impl_->context->sslContext();
}

Result<std::shared_ptr<const TlsClientContext>> TlsClientContext::make(const TlsTrust& trust) {
    std::shared_ptr<TlsClientContext> made(new TlsClientContext);
    try {
        Poco::Net::Context::Params params;
        params.verificationMode = Poco::Net::Context::VERIFY_NONE;
        made->impl_->context = new Poco::Net::Context(Poco::Net::Context::TLS_CLIENT_USE, params);
    } catch (const Poco::Exception& exception) {
        return fail(Errc::Unavailable, "TLS: " + exception.displayText());
    }
    setRules(made->native(), trust.oldServers);
    if (trust.verify) POSTERN_TRY(useAuthorities(made->native(), trust.caFile));
    return std::shared_ptr<const TlsClientContext>(std::move(made));
}

}  // namespace postern::net
