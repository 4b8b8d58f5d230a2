#pragma once
// What the client's side of TLS is made from, and what a server showed of itself. TLS 1.2 and 1.3 with
// forward secrecy (RFC 9325); older ones and their ciphers only where somebody asked for them by name.
// Whom to believe is the caller's policy: a handshake with a stranger succeeds, and says so.
// Thread rule: immutable; any thread.

#include <memory>
#include <string>

#include "base/result.h"

struct ssl_ctx_st;

namespace postern::net {

struct TlsTrust {
    bool verify = true;       // false: nobody is asked who signed, and no authorities are read
    std::string caFile;       // PEM: who signs servers' certificates; empty: the system's authorities
    bool oldServers = false;  // TLS 1.0 and 1.1, small keys, ciphers without forward secrecy, SHA-1
};

// The certificate of the other side, once the handshake is done.
struct ServerPaper {
    std::string protocol, cipher;  // "TLSv1.2", as IANA names it
    std::string trouble;           // why it is not trusted for the name asked for; empty: it is
    std::string fingerprint;       // of the certificate: "sha256:" and 64 lower-case hex digits
};

class TlsClientContext {
  public:
    // An error names the file and says what is wrong with it.
    static Result<std::shared_ptr<const TlsClientContext>> make(const TlsTrust& trust);
    ~TlsClientContext();

    ssl_ctx_st* native() const;  // for TlsStream

  private:
    TlsClientContext();
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace postern::net
