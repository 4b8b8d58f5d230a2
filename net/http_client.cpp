#include "net/http_client.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace postern::net {

namespace {

constexpr std::size_t kLongestLine = 8192;  // of an answer's head
constexpr int kMostLines = 200;             // likewise, of all interim answers together
constexpr std::size_t kShownLine = 1000;
constexpr Millis kBodyPatience{5'000};  // what the other side says of it is worth so much

bool plainText(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c > 0x20 && c < 0x7f; });
}

bool hostText(std::string_view text) {
    return !text.empty() && text.size() <= 255 && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
               c == '-' || c == '_' || c == ':';
    });
}

Error wrongUrl(const std::string& why) {
    return fail(Errc::Invalid, "the URL " + why);
}

// Takes "host", "host:port", "[::1]:port".
Result<void> readAuthority(std::string_view text, HttpUrl& url) {
    if (text.find('@') != std::string_view::npos)
        return wrongUrl("holds a user or a password: they belong into a file, where nobody logs them");
    std::string_view host = text, port;
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos) return wrongUrl("has an address without its closing bracket");
        host = text.substr(1, close - 1);
        port = text.substr(close + 1);
        if (!port.empty() && port.front() != ':') return wrongUrl("has more than a port behind its address");
    } else if (const auto colon = text.find(':'); colon != std::string_view::npos) {
        host = text.substr(0, colon);
        port = text.substr(colon);
        if (port.find(':', 1) != std::string_view::npos)
            return wrongUrl("has an IPv6 address without brackets");
    }
    if (!hostText(host)) return wrongUrl("names no host");
    url.host = std::string(host);
    if (port.empty()) return {};
    const auto number = parseInt(port.substr(1));
    if (!number || *number < 1 || *number > 65535) return wrongUrl("has no port from 1 to 65535");
    url.port = static_cast<int>(*number);
    return {};
}

// "HTTP/1.1 200 OK": its number, or nothing.
std::optional<int> statusOf(std::string_view line) {
    if (!line.starts_with("HTTP/1.") || line.size() < 12 || line[8] != ' ') return std::nullopt;
    int status = 0;
    const auto read = std::from_chars(line.data() + 9, line.data() + 12, status);
    const bool ends = line.size() == 12 || line[12] == ' ';
    if (read.ec != std::errc() || read.ptr != line.data() + 12 || status < 100 || !ends) return std::nullopt;
    return status;
}

}  // namespace

std::string HttpUrl::hostPort() const {
    const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
    return port == (tls ? 443 : 80) ? name : name + ":" + std::to_string(port);
}

std::string HttpUrl::origin() const {
    return (tls ? "https://" : "http://") + hostPort();
}

Result<HttpUrl> parseHttpUrl(std::string_view text) {
    HttpUrl url;
    const std::string scheme = lowerAscii(text.substr(0, text.find("://")));
    if (scheme != "http" && scheme != "https") return wrongUrl("must begin with \"https://\" or \"http://\"");
    url.tls = scheme == "https";
    url.port = url.tls ? 443 : 80;
    if (!plainText(text) || text.size() > 4000)
        return wrongUrl("has blanks or other characters that must be written as %XX, or is too long");
    const std::string_view rest = text.substr(scheme.size() + 3);
    const std::size_t end = std::min(rest.find_first_of("/?#"), rest.size());
    POSTERN_TRY(readAuthority(rest.substr(0, end), url));
    url.target = std::string(rest.substr(end));
    if (url.target.find('#') != std::string::npos)
        return wrongUrl("has a fragment (#), which no server sees");
    if (!url.target.starts_with('/')) url.target.insert(0, "/");
    return url;
}

Result<std::unique_ptr<HttpConnection>> HttpConnection::open(const HttpUrl& url, const HttpPolicy& policy,
                                                             const TlsClientContext* tls,
                                                             const Waiting& waiting,
                                                             const std::atomic<bool>* ending) {
    POSTERN_LET(places, resolve(url.host, url.port));
    if (waiting) waiting();
    std::optional<Error> last;
    for (const Endpoint& place : places) {
        auto link = Link::connect(place, "", policy.connect, waiting, ending);
        if (!link.ok()) {
            last = link.error();
            continue;
        }
        std::unique_ptr<HttpConnection> connection(new HttpConnection(policy, std::move(*link)));
        const auto safe = url.tls ? connection->encrypt(url, *tls, waiting) : Result<void>();
        if (safe.ok()) return connection;
        last = safe.error();
    }
    return *last;
}

Result<void> HttpConnection::encrypt(const HttpUrl& url, const TlsClientContext& tls,
                                     const Waiting& waiting) {
    const std::string& name = policy_.serverName.empty() ? url.host : policy_.serverName;
    POSTERN_TRY(link_->startTls(tls, name, policy_.connect, waiting));
    const ServerPaper paper = link_->serverPaper();
    const auto& known = policy_.fingerprints;
    if (!known.empty()) {
        if (std::find(known.begin(), known.end(), paper.fingerprint) != known.end()) return {};
        return fail(Errc::Denied,
                    peer() + ": its certificate " + paper.fingerprint + " is none of those in fingerprint");
    }
    if (!policy_.verify || paper.trouble.empty()) return {};
    return fail(Errc::Denied, peer() + ": its certificate is not trusted: " + paper.trouble + " (" +
                                  paper.fingerprint + ")");
}

HttpConnection::Exchange HttpConnection::post(const HttpUrl& url, const HttpFields& fields,
                                              std::string_view body, const Waiting& waiting) {
    std::string request = "POST " + url.target + " HTTP/1.1\r\nHost: " + url.hostPort() + "\r\n";
    for (const auto& [name, value] : fields) request += name + ": " + value + "\r\n";
    request += "Content-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n";
    request += body;
    Exchange exchange;
    const auto written = link_->write(request, policy_.answer, waiting);
    exchange.sent = written.ok();
    // One that is too large, or comes to a closed door, is answered before its end.
    if (!written.ok() && written.error().code != Errc::Exists) {
        exchange.trouble = written.error();
        return exchange;
    }
    auto answer = readAnswer(waiting);
    if (answer.ok())
        exchange.answer = std::move(*answer);
    else
        exchange.trouble = answer.error();
    return exchange;
}

Result<HttpAnswer> HttpConnection::readAnswer(const Waiting& waiting) {
    const SteadyTime end = link_->clock().steady() + policy_.answer;
    POSTERN_LET(answer, readHead(end, waiting));
    if (answer.status != 204 && answer.status != 304)
        readBody(answer, std::min(end, link_->clock().steady() + kBodyPatience), waiting);
    return answer;
}

// The last answer's head: those before it (1xx) only say that one comes.
Result<HttpAnswer> HttpConnection::readHead(SteadyTime end, const Waiting& waiting) {
    HttpAnswer answer;
    bool inside = false;
    for (int lines = 0; lines < kMostLines; ++lines) {
        POSTERN_LET(line, link_->readLineBy(kLongestLine, end, policy_.answer, waiting));
        if (!inside) {
            const auto status = statusOf(line);
            if (!status)
                return fail(Errc::Invalid,
                            peer() + ": answered with something that is not HTTP: " + escapeLine(line, 200));
            answer = {};
            framing_ = {};
            answer.status = *status;
            answer.line = line.substr(0, kShownLine);
            inside = true;
        } else if (line.empty()) {
            if (answer.status >= 200) return answer;
            inside = false;
        } else if (const auto colon = line.find(':'); colon != std::string::npos) {
            const std::string name = lowerAscii(line.substr(0, colon));
            const std::string value(trim(std::string_view(line).substr(colon + 1)));
            if (name == "retry-after") answer.retryAfter = value.substr(0, kShownLine);
            if (name == "content-length") framing_.length = parseInt(value);
            if (name == "transfer-encoding") framing_.chunked = lowerAscii(value).ends_with("chunked");
        }
    }
    return fail(Errc::Invalid,
                peer() + ": answered with a head of more than " + std::to_string(kMostLines) + " lines");
}

// The status decides; of the text, what comes in time and fits is for people.
void HttpConnection::readBody(HttpAnswer& answer, SteadyTime end, const Waiting& waiting) {
    if (framing_.chunked) return readChunks(answer, end, waiting);
    (void)readPart(answer, framing_.length.value_or(INT64_MAX), end, waiting);
}

// False: that was all that can be had.
bool HttpConnection::readPart(HttpAnswer& answer, std::int64_t length, SteadyTime end,
                              const Waiting& waiting) {
    while (length > 0) {
        const std::size_t room = kShownBody - answer.body.size();
        if (room == 0) break;
        const auto most = static_cast<std::size_t>(std::min<std::int64_t>(length, std::int64_t(room)));
        const auto some = link_->readSomeBy(most, end, policy_.answer, waiting);
        if (!some.ok() || some->empty()) {
            answer.whole = some.ok() && !framing_.chunked && !framing_.length;  // it ends with the connection
            return false;
        }
        answer.body += *some;
        length -= static_cast<std::int64_t>(some->size());
    }
    answer.whole = length <= 0;
    return answer.whole;
}

// RFC 9112 7.1
void HttpConnection::readChunks(HttpAnswer& answer, SteadyTime end, const Waiting& waiting) {
    for (;;) {
        const auto head = link_->readLineBy(kLongestLine, end, policy_.answer, waiting);
        std::uint32_t size = 0;
        const bool known =
            head.ok() &&
            std::from_chars(head->data(), head->data() + head->size(), size, 16).ec == std::errc();
        answer.whole = known && size == 0;
        if (!known || size == 0 || !readPart(answer, size, end, waiting)) return;
        if (const auto mark = link_->readLineBy(kLongestLine, end, policy_.answer, waiting); !mark.ok())
            return;
    }
}

}  // namespace postern::net
