#pragma once
// What the server's side of TLS is made from: TLS 1.2 and 1.3, forward secrecy only (RFC 9325), no
// compression, no renegotiation, no session tickets: a session never outlives the certificate it was begun
// with, and no key that could open old ones is kept.
// Thread rule: immutable; any thread.

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

struct ssl_ctx_st;

namespace postern::net {

struct TlsFiles {
    std::string certificate;  // PEM: the server's own first, then its chain
    std::string key;          // PEM, without a passphrase
    std::string clientCa;     // PEM: who signs clients' certificates; empty: nobody
    bool askClient = false;   // asks for a certificate although nobody signs them: fingerprints are enough
};

// A reload makes a new one; connections keep the one they began with, which lives as long as they do.
class TlsContext {
  public:
    // Reads the files. An error names the file and says what to do: missing, unreadable, not in PEM form, a
    // key with a passphrase, a key of another certificate. A certificate that has expired or soon will is no
    // error: see warnings().
    static Result<std::shared_ptr<const TlsContext>> make(const TlsFiles& files, WallTime now);
    ~TlsContext();

    const std::vector<std::string>& warnings() const { return warnings_; }
    ssl_ctx_st* native() const;  // for TlsStream

  private:
    TlsContext();
    struct Impl;
    std::unique_ptr<Impl> impl_;
    std::vector<std::string> warnings_;
};

}  // namespace postern::net
