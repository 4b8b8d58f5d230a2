// Poco's SecureStreamSocket is not used: on a non-blocking socket it checks a client's certificate against
// the client's host name, leaves an older error of another connection in the thread's queue and takes it for
// this one's, and closes both directions at once, so that a last reply can be lost. Its Context is.

#include "net/tls_stream.h"

#include <algorithm>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <Poco/Crypto/X509Certificate.h>
#include <Poco/DigestEngine.h>
#include <Poco/Exception.h>

namespace postern::net {

namespace {

constexpr std::size_t kMostAtOnce = 1 << 30;  // the library counts in int

std::string firstError() {
    const unsigned long code = ERR_peek_error();
    const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
    return reason == nullptr ? "the connection ended" : reason;
}

// A name with a NUL in it is a trick on those who read it as a C string: it counts as none.
std::string commonName(X509* certificate) {
    X509_NAME* subject = X509_get_subject_name(certificate);
    const int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (index < 0) return {};
    unsigned char* text = nullptr;
    const int size =
        ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
    if (size < 0) return {};
    std::string name(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
    OPENSSL_free(text);
    return name.find('\0') == std::string::npos ? name : std::string();
}

std::string fingerprint(X509* certificate) {
    try {
        const Poco::Crypto::X509Certificate shared(certificate, true);
        return "sha256:" + Poco::DigestEngine::digestToHex(shared.fingerprint("SHA256"));
    } catch (const Poco::Exception&) {
        return {};
    }
}

}  // namespace

std::unique_ptr<TlsStream> TlsStream::begin(const TlsContext& context, int socket) {
    SSL* stream = SSL_new(context.native());  // holds the context from now on
    if (stream == nullptr) return nullptr;
    std::unique_ptr<TlsStream> made(new TlsStream(stream));
    if (SSL_set_fd(stream, socket) != 1) return nullptr;
    SSL_set_accept_state(stream);
    return made;
}

std::unique_ptr<TlsStream> TlsStream::beginClient(const TlsClientContext& context, int socket,
                                                  const std::string& name) {
    SSL* stream = SSL_new(context.native());
    if (stream == nullptr) return nullptr;
    std::unique_ptr<TlsStream> made(new TlsStream(stream));
    if (SSL_set_fd(stream, socket) != 1) return nullptr;
    // An address is looked for among addresses, and is never sent as a name (RFC 6066 3).
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(stream), name.c_str()) != 1) {
        ERR_clear_error();
        // Without a name the library would check none.
        made->nameless_ = name.empty() || SSL_set1_host(stream, name.c_str()) != 1;
        if (!name.empty()) SSL_set_tlsext_host_name(stream, name.c_str());
        ERR_clear_error();
    }
    SSL_set_connect_state(stream);
    return made;
}

TlsStream::~TlsStream() {
    SSL_free(stream_);
}

Handshake TlsStream::handshake() {
    ERR_clear_error();  // the queue is the thread's, not the connection's
    const int done = SSL_do_handshake(stream_);
    if (done == 1) return Handshake::Done;
    switch (SSL_get_error(stream_, done)) {
        case SSL_ERROR_WANT_READ: return Handshake::WantsRead;
        case SSL_ERROR_WANT_WRITE: return Handshake::WantsWrite;
        default: break;
    }
    trouble_ = firstError();
    broken_ = true;
    ERR_clear_error();
    return Handshake::Failed;
}

TlsFacts TlsStream::facts() const {
    TlsFacts facts;
    facts.protocol = SSL_get_version(stream_);
    if (const SSL_CIPHER* cipher = SSL_get_current_cipher(stream_)) {
        facts.cipher = SSL_CIPHER_standard_name(cipher);
        facts.bits = SSL_CIPHER_get_bits(cipher, nullptr);
    }
    if (X509* client = SSL_get0_peer_certificate(stream_)) {
        facts.clientVerified = SSL_get_verify_result(stream_) == X509_V_OK;
        facts.clientName = commonName(client);
        facts.clientFingerprint = fingerprint(client);
    }
    return facts;
}

ServerPaper TlsStream::serverPaper() const {
    ServerPaper paper;
    paper.protocol = SSL_get_version(stream_);
    if (const SSL_CIPHER* cipher = SSL_get_current_cipher(stream_))
        paper.cipher = SSL_CIPHER_standard_name(cipher);
    X509* server = SSL_get0_peer_certificate(stream_);
    if (server == nullptr) {
        paper.trouble = "it showed no certificate";
        return paper;
    }
    paper.fingerprint = fingerprint(server);
    if (nameless_) paper.trouble = "there is no name to look for in it";
    if (const long result = SSL_get_verify_result(stream_); result != X509_V_OK)
        paper.trouble = X509_verify_cert_error_string(result);
    return paper;
}

std::uint64_t TlsStream::handedBytes() const {
    return BIO_number_written(SSL_get_wbio(stream_));
}

int TlsStream::receive(char* into, std::size_t size) {
    if (broken_) return -1;
    ERR_clear_error();
    const int got = SSL_read(stream_, into, static_cast<int>(std::min(size, kMostAtOnce)));
    receiveWantsWrite_ = false;
    if (got > 0) return got;
    switch (SSL_get_error(stream_, got)) {
        case SSL_ERROR_WANT_WRITE: receiveWantsWrite_ = true; return 0;
        case SSL_ERROR_WANT_READ: return 0;
        case SSL_ERROR_ZERO_RETURN: return -1;
        default: broken_ = true; return -1;
    }
}

int TlsStream::send(std::string_view bytes) {
    if (broken_) return -1;
    if (bytes.empty()) return 0;
    ERR_clear_error();
    const int sent = SSL_write(stream_, bytes.data(), static_cast<int>(std::min(bytes.size(), kMostAtOnce)));
    sendWantsRead_ = false;
    if (sent > 0) return sent;
    switch (SSL_get_error(stream_, sent)) {
        case SSL_ERROR_WANT_READ: sendWantsRead_ = true; return 0;
        case SSL_ERROR_WANT_WRITE: return 0;
        default: broken_ = true; return -1;
    }
}

// Not SSL_has_pending(), which counts a piece of a record too: nothing can be read of that.
bool TlsStream::holdsInput() const {
    return !broken_ && SSL_pending(stream_) > 0;
}

void TlsStream::sayEnd() {
    if (broken_ || SSL_is_init_finished(stream_) == 0) return;
    ERR_clear_error();
    if (SSL_shutdown(stream_) < 0) broken_ = true;
}

}  // namespace postern::net
