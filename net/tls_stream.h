#pragma once
// One side of TLS on one connected, non-blocking socket, which stays the caller's. Inside of wire.h.
// Thread rule: one thread at a time.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "net/tls_client.h"
#include "net/tls_context.h"
#include "net/tls_facts.h"

struct ssl_st;

namespace postern::net {

enum class Handshake { Done, WantsRead, WantsWrite, Failed };

class TlsStream {
  public:
    // Null when the library has no memory.
    static std::unique_ptr<TlsStream> begin(const TlsContext& context, int socket);
    // The client's side. `name` is a host's name or an IP address: what the server's certificate must say.
    static std::unique_ptr<TlsStream> beginClient(const TlsClientContext& context, int socket,
                                                  const std::string& name);
    ~TlsStream();

    // Goes on with the handshake. Failed is final; the other side was told where TLS has a word for it.
    Handshake handshake();
    const std::string& trouble() const { return trouble_; }  // why it failed, for people
    TlsFacts facts() const;                                  // REQUIRES: Done
    ServerPaper serverPaper() const;                         // the client's side. REQUIRES: Done

    // As Wire's.
    int receive(char* into, std::size_t size);
    int send(std::string_view bytes);
    bool receiveWantsWrite() const { return receiveWantsWrite_; }
    bool sendWantsRead() const { return sendWantsRead_; }
    bool holdsInput() const;
    std::uint64_t handedBytes() const;  // to the system, TLS's own included
    void sayEnd();                      // close_notify, if it fits into the socket's buffer

  private:
    explicit TlsStream(ssl_st* stream) : stream_(stream) {}
    ssl_st* const stream_;
    bool nameless_ = false;  // no name is looked for in the server's certificate
    bool receiveWantsWrite_ = false;
    bool sendWantsRead_ = false;
    bool broken_ = false;  // the library forbids any further call but the last
    std::string trouble_;
};

}  // namespace postern::net
