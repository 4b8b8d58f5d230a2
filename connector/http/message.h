#pragma once
// A request and its answer, as the site sees them: no socket and no library behind them.

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::http {

struct HttpRequest {
    std::string method;                          // "GET"
    std::string path;                            // decoded, without the query: "/api/run/status"
    std::map<std::string, std::string> query;    // decoded; the last one of a name wins
    std::map<std::string, std::string> headers;  // names in lower case; the last one wins
    std::string body;                            // at most kBodyLimit
    std::string peer;                            // for the log: "127.0.0.1" or "local"
    const std::atomic<bool>* ending = nullptr;   // not null and true: we stop, a long answer is to break off
    std::string_view header(const std::string& name) const {
        const auto found = headers.find(name);
        return found == headers.end() ? std::string_view() : std::string_view(found->second);
    }
};

inline constexpr std::size_t kBodyLimit = 65536;

// Gives bytes to the client; false: it has gone, or we stop.
using Send = std::function<bool(std::string_view bytes)>;

struct HttpAnswer {
    int status = 200;
    std::string type = "application/json";
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    std::function<void(const Send&)> stream;  // set: it sends the body itself, for as long as it likes
};

// Answers requests. Called by several threads at once; must not throw.
class Site {
  public:
    virtual ~Site() = default;
    virtual HttpAnswer answer(const HttpRequest& request) = 0;
};

}  // namespace postern::http
