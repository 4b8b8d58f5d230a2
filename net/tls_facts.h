#pragma once
// What a finished TLS handshake came to, for Received lines, policy and logs.

#include <string>

namespace postern::net {

struct TlsFacts {
    std::string protocol;           // "TLSv1.3"
    std::string cipher;             // as IANA names it: "TLS_AES_256_GCM_SHA384"
    int bits = 0;                   // of the cipher's key
    bool clientVerified = false;    // the client showed a certificate that an authority of client_ca signed
    std::string clientName;         // its subject's common name; empty: no certificate, or none in it
    std::string clientFingerprint;  // of a certificate shown: "sha256:" and 64 lower-case hex digits
};

}  // namespace postern::net
