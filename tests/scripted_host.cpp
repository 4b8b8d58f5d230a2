#include "tests/scripted_host.h"

#include <utility>

#include <Poco/Exception.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>

#include "net/system_sockets.h"

namespace postern::tests {

namespace {
constexpr int kDeadlineSeconds = 20;
constexpr int kLookMicros = 20'000;
using Poco::Net::SocketAddress;
}  // namespace

HostTalk::HostTalk(std::unique_ptr<Poco::Net::StreamSocket> socket) : socket_(std::move(socket)) {
    socket_->setReceiveTimeout(Poco::Timespan(kDeadlineSeconds, 0));
    socket_->setSendTimeout(Poco::Timespan(kDeadlineSeconds, 0));
}

HostTalk::~HostTalk() = default;

void HostTalk::say(const std::string& bytes) {
    try {
        std::size_t sent = 0;
        while (sent < bytes.size()) {
            const int now = socket_->sendBytes(bytes.data() + sent, static_cast<int>(bytes.size() - sent));
            if (now <= 0) return;
            sent += static_cast<std::size_t>(now);
        }
    } catch (const Poco::Exception&) {
        // The client is gone; what it missed shows in its own outcome.
    }
}

bool HostTalk::more() {
    char buffer[65536];
    try {
        const int got = socket_->receiveBytes(buffer, sizeof buffer);
        if (got <= 0) return false;
        input_.append(buffer, static_cast<std::size_t>(got));
        return true;
    } catch (const Poco::Exception&) {
        return false;
    }
}

std::optional<std::string> HostTalk::line() {
    std::size_t end = 0;
    while ((end = input_.find("\r\n")) == std::string::npos)
        if (!more()) return std::nullopt;
    std::string found = input_.substr(0, end);
    input_.erase(0, end + 2);
    return found;
}

bool HostTalk::until(const std::string& text) {
    std::size_t at = 0;
    while ((at = input_.find(text)) == std::string::npos)
        if (!more()) return false;
    input_.erase(0, at + text.size());
    return true;
}

std::string HostTalk::rest() {
    while (more()) {
    }
    return std::exchange(input_, {});
}

void HostTalk::close() {
    try {
        socket_->shutdownSend();
    } catch (const Poco::Exception&) {
        // Gone already.
    }
    socket_->close();
}

void HostTalk::reset() {
    socket_->setLinger(true, 0);
    socket_->close();
}

ScriptedHost::ScriptedHost(Play play, const std::string& socketPath)
    : play_(std::move(play)), path_(socketPath) {
    socket_ = std::make_unique<Poco::Net::ServerSocket>(path_.empty() ? SocketAddress("127.0.0.1", 0)
                                                                      : net::localAddress(path_));
    if (path_.empty()) port_ = socket_->address().port();
    listener_ = std::jthread([this](const std::stop_token& stop) { listen(stop); });
}

ScriptedHost::~ScriptedHost() {
    listener_.request_stop();
    listener_.join();
}

void ScriptedHost::listen(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        MutexLock lock(mutex_);
        if (!socket_) return;
        if (!socket_->poll(Poco::Timespan(0, kLookMicros), Poco::Net::Socket::SELECT_READ)) continue;
        auto socket = std::make_unique<Poco::Net::StreamSocket>(socket_->acceptConnection());
        const int number = ++count_;
        plays_.emplace_back(
            [this, number, talk = std::make_shared<HostTalk>(std::move(socket))] { play_(*talk, number); });
    }
}

std::string ScriptedHost::place() const {
    return path_.empty() ? "127.0.0.1:" + std::to_string(port_) : "unix:" + path_;
}

int ScriptedHost::connections() const {
    MutexLock lock(mutex_);
    return count_;
}

void ScriptedHost::leave() {
    MutexLock lock(mutex_);
    socket_.reset();
}

}  // namespace postern::tests
