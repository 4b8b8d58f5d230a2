#pragma once
// One HTTP/1.1 request on a connection of its own (RFC 9112): POST, with a body that is there whole. No
// redirect is followed, no cookie kept, no proxy asked. On Link and not on Poco's session: a deadline for the
// whole answer, a lease kept alive meanwhile, and the word of who is not trusted, are wanted here.
//
// Errors: as Link's; Errc::Denied when the other side is not to be trusted. Their texts name host and port,
// never the rest of the URL: tokens stand there.
// Thread rule: one thread at a time for each connection.

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "net/link.h"

namespace postern::net {

struct HttpUrl {
    bool tls = true;
    std::string host;  // without brackets
    int port = 443;
    std::string target;            // path and query, never empty
    std::string origin() const;    // "https://hooks.example:8443": may be shown
    std::string hostPort() const;  // as in the Host field: the port only when it is not the scheme's
};
// "http://" and "https://" only; a user, a password or a fragment in it is Invalid, and the text does not
// repeat them.
Result<HttpUrl> parseHttpUrl(std::string_view text);

// Whom to believe, and for how long to wait.
struct HttpPolicy {
    bool verify = true;                     // the certificate must be trusted for the host's name
    std::string serverName = {};            // in the certificate; empty: the URL's host
    std::vector<std::string> fingerprints;  // "sha256:HEX"; not empty: one of them is enough, and needed
    Millis connect{30'000};                 // connection and TLS, each
    Millis answer{30'000};                  // from the request's end to the answer's
};

using HttpFields = std::vector<std::pair<std::string, std::string>>;

struct HttpAnswer {
    int status = 0;
    std::string line;        // "HTTP/1.1 429 Too Many Requests"; as sent, at most 1000 bytes
    std::string retryAfter;  // as sent
    std::string body;        // its first kShownBody bytes, transfer coding taken off
    bool whole = true;       // `body` is all of it
};
inline constexpr std::size_t kShownBody = 2048;

class HttpConnection {
  public:
    // Tries the host's addresses in turn. `tls` is null for http://. `ending` as Link::endWith().
    static Result<std::unique_ptr<HttpConnection>> open(const HttpUrl& url, const HttpPolicy& policy,
                                                        const TlsClientContext* tls, const Waiting& waiting,
                                                        const std::atomic<bool>* ending = nullptr);

    // What became of a request. `sent` false: the other side can not have it whole (RFC 9112 8), so it was
    // not carried out; true without an answer: nobody knows.
    struct Exchange {
        bool sent = false;
        std::optional<HttpAnswer> answer;
        std::optional<Error> trouble;  // without an answer: why
    };
    // Once. REQUIRES: no CR, LF or NUL in the fields.
    Exchange post(const HttpUrl& url, const HttpFields& fields, std::string_view body,
                  const Waiting& waiting);

    const std::string& peer() const { return link_->peer(); }
    // Nothing came in and the other side is still there.
    bool quiet() { return link_->quiet(); }
    void endWith(const std::atomic<bool>* ending) { link_->endWith(ending); }

  private:
    HttpConnection(const HttpPolicy& policy, std::unique_ptr<Link> link)
        : policy_(policy), link_(std::move(link)) {}
    Result<void> encrypt(const HttpUrl& url, const TlsClientContext& tls, const Waiting& waiting);
    Result<HttpAnswer> readAnswer(const Waiting& waiting);
    Result<HttpAnswer> readHead(SteadyTime end, const Waiting& waiting);

    struct Framing {
        bool chunked = false;
        std::optional<std::int64_t> length;  // neither: to the end of the connection
    };
    void readBody(HttpAnswer& answer, SteadyTime end, const Waiting& waiting);
    bool readPart(HttpAnswer& answer, std::int64_t length, SteadyTime end, const Waiting& waiting);
    void readChunks(HttpAnswer& answer, SteadyTime end, const Waiting& waiting);

    const HttpPolicy policy_;
    const std::unique_ptr<Link> link_;
    Framing framing_;  // of the answer in hand
};

}  // namespace postern::net
