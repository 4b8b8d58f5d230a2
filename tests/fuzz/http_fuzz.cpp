// What a client sends to the HTTP interface, over a real socket: every answer is one, in time, and no bytes
// make an error of ours.
//
// Input: the client's bytes.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include <Poco/Exception.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>

#include "base/log.h"
#include "connector/http/server.h"
#include "tests/unit/http/site_rig.h"

namespace {

using namespace postern;

void mustHold(bool holds, const char* what, std::string_view text) {
    if (holds) return;
    std::fprintf(stderr, "%s: %.*s\n", what, static_cast<int>(text.size()), text.data());
    std::abort();
}

struct House {
    House() {
        setLogSink([](Severity, std::string_view) {});
        rig = std::make_unique<http::SiteRig>(http::SiteOptions{.anonymousLooks = true, .hosts = {}});
        rig->addAccount("ann", "pencil", "operator");
        http::ServerOptions options;
        options.socketPath = folder / "http.sock";
        server = std::make_unique<http::HttpServer>(options, rig->site());
        mustHold(server->start().ok(), "the server does not start", options.socketPath);
        path = options.socketPath;
    }
    tests::TempFolder folder;
    std::string path;
    std::unique_ptr<http::SiteRig> rig;
    std::unique_ptr<http::HttpServer> server;
};

// The whole answer, or the beginning of one that has no end.
std::string answerTo(const House& house, std::string_view bytes) {
    Poco::Net::StreamSocket socket;
    socket.connect(Poco::Net::SocketAddress(Poco::Net::SocketAddress::UNIX_LOCAL, house.path));
    socket.setReceiveTimeout(Poco::Timespan(20, 0));
    std::string all;
    try {
        socket.sendBytes(bytes.data(), static_cast<int>(bytes.size()));
        socket.shutdownSend();
        char buffer[8192];
        while (all.size() < 200'000 && all.find("text/event-stream") == std::string::npos) {
            const int got = socket.receiveBytes(buffer, sizeof buffer);
            if (got <= 0) break;
            all.append(buffer, static_cast<std::size_t>(got));
        }
    } catch (const Poco::TimeoutException&) {
        mustHold(false, "no answer and no end", bytes);
    } catch (const Poco::Exception&) {
        // It was closed with bytes unread: what was answered until then counts.
    }
    return all;
}

}  // namespace

// A stream of events is served until its client is seen to be gone, so threads are at work behind an input.
// LeakSanitizer does not find each of them in its registry ("Thread N not found"), and takes what they hold
// for leaked. http_tests look for leaks, where the server has stopped.
extern "C" const char* __asan_default_options() {
    return "detect_leaks=0";
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static House house;
    if (size == 0) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const std::string answer = answerTo(house, bytes);
    if (answer.empty()) return 0;
    mustHold(answer.starts_with("HTTP/1."), "no answer of HTTP", answer);
    mustHold(answer.size() < 12 || answer.compare(8, 4, " 500") != 0, "an error of ours", answer);
    return 0;
}
