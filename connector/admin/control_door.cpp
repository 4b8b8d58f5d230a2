#include "connector/admin/control_door.h"

#include <filesystem>
#include <utility>

#include <Poco/Exception.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/path.h"
#include "base/random.h"
#include "base/text.h"
#include "connector/admin/wire.h"
#include "net/system_sockets.h"

namespace postern::admin {

namespace {

constexpr std::string_view kWord = "postern-control-1";
constexpr const char* kLoopback = "127.0.0.1";
constexpr std::size_t kKeyBytes = 32, kDigits = 64, kNameDigits = 16;
constexpr std::size_t kMostFile = 200, kMostLine = 4096;
constexpr Millis kPatience{5'000};  // for each step of the proof: no person is in it

std::string hex(std::string_view bytes) {
    std::string text;
    for (const char byte : bytes) appendHex(text, byte);
    return text;
}

bool isHex(std::string_view text) {
    if (text.size() != kDigits) return false;
    for (const char c : text)
        if (hexDigit(c) < 0) return false;
    return true;
}

struct Notice {
    int port = 0;
    std::string key;
};

std::string formatNotice(const Notice& notice) {
    return std::string(kWord) + " " + std::to_string(notice.port) + " " + notice.key + "\n";
}

std::optional<Notice> parseNotice(std::string_view text) {
    if (!text.ends_with('\n')) return std::nullopt;
    const auto words = split(text.substr(0, text.size() - 1), ' ');
    if (words.size() != 3 || words[0] != kWord || !isHex(words[2])) return std::nullopt;
    const auto port = parseInt(words[1]);
    if (!port || *port < 1 || *port > 65'535) return std::nullopt;
    return Notice{static_cast<int>(*port), std::string(words[2])};
}

// What both sides made this time.
struct Nonces {
    std::string client, server;

    std::string proof(const std::string& key, std::string_view role) const {
        return hex(hmacSha256(key, std::string(role) + client + server));
    }
    std::string witness(const std::string& path, const std::string& key) const {
        return path + "." + proof(key, "master").substr(0, kNameDigits);
    }
};

Error noService(const std::string& path) {
    return fail(Errc::NotFound, "no service listens on " + path);
}

Error stranger() {
    return fail(Errc::Denied, "a client that does not know the key");
}

Result<std::string> nextLine(Channel& channel) {
    POSTERN_LET(line, channel.readLine(kMostLine, kPatience));
    if (!line) return fail(Errc::Unavailable, "the connection ended before it was proved who is there");
    return std::move(*line);
}

Result<void> connectTo(const std::string& path, const Poco::Net::SocketAddress& address,
                       Poco::Net::StreamSocket& socket) {
    try {
        socket.connect(address, Poco::Timespan(kPatience.count() * 1000));
        socket.setBlocking(false);
        return {};
    } catch (const Poco::Net::ConnectionRefusedException&) {
        return noService(path);  // nobody accepts behind a file that a killed service left
    } catch (const Poco::TimeoutException&) {
        return noService(path);
    } catch (const Poco::Exception& error) {
        if (error.code() == ENOENT) return noService(path);
        if (error.code() != 0) return systemError(error.code(), path);
        return fail(Errc::Unavailable, path + ": " + error.displayText());
    }
}

// A file beside ours, made and left for the service.
bool leaveWitness(const std::string& witness) {
    const auto folder = Folder::open(parentPath(witness));
    return folder.ok() && folder->create(lastName(witness)).ok();
}

Result<void> prove(const std::string& path, const Notice& notice, Channel& channel) {
    Nonces nonces{hex(secretBytes(kKeyBytes)), ""};
    POSTERN_TRY(channel.write(std::string(kWord) + " " + nonces.client + "\n"));
    auto line = nextLine(channel);
    if (!line.ok()) return noService(path);  // whoever this is, it is not the service
    if (line->starts_with("{")) {            // it has too many of us
        POSTERN_LET(response, parseResponse(*line));
        return response.row ? noService(path) : response.end;
    }
    const auto words = split(*line, ' ');
    if (words.size() != 2 || !isHex(words[0])) return noService(path);
    nonces.server = words[0];
    if (!equalConstantTime(words[1], nonces.proof(notice.key, "server"))) return noService(path);
    const bool master = leaveWitness(nonces.witness(path, notice.key));
    return channel.write(nonces.proof(notice.key, "client") + (master ? " master\n" : " guest\n"));
}

Result<Notice> noticeAt(const std::string& path) {
    POSTERN_LET(text, readFile(path, kMostFile));
    const auto notice = parseNotice(text);
    if (!notice) return fail(Errc::Exists, path + " is there and is not the service's");
    return *notice;
}

bool isSocket(const std::string& path) {
    std::error_code ignored;
    return net::hasLocalSockets() && std::filesystem::is_socket(path, ignored);
}

}  // namespace

DoorKind usualDoor() {
    return net::hasLocalSockets() ? DoorKind::Socket : DoorKind::File;
}

net::EarPlace ControlDoor::place() const {
    net::EarPlace place;
    if (kind_ == DoorKind::Socket)
        place.socketPath = path_;
    else
        place.host = kLoopback;
    return place;
}

Result<void> ControlDoor::prepare() {
    if (kind_ == DoorKind::Socket) return {};
    key_ = hex(secretBytes(kKeyBytes));
    if (!pathExists(path_)) return {};
    POSTERN_LET(notice, noticeAt(path_));
    Poco::Net::StreamSocket socket;
    Channel channel(socket, kPatience);
    const Poco::Net::SocketAddress address(kLoopback, static_cast<Poco::UInt16>(notice.port));
    if (connectTo(path_, address, socket).ok() && prove(path_, notice, channel).ok())
        return fail(Errc::Busy, "another process listens at " + path_);
    return {};
}

Result<void> ControlDoor::open(int port) {
    if (kind_ == DoorKind::Socket) return {};
    POSTERN_TRY(replaceFile(path_, formatNotice({port, key_}), 0640));
    open_ = true;
    return {};
}

void ControlDoor::close() {
    if (std::exchange(open_, false)) (void)removeFile(path_);  // one that is left is found stale
}

Result<std::optional<ControlDoor::Guest>> ControlDoor::admit(Channel& channel) const {
    if (kind_ == DoorKind::Socket) return std::optional<Guest>();
    POSTERN_LET(hello, nextLine(channel));
    const auto greeting = split(hello, ' ');
    if (greeting.size() != 2 || greeting[0] != kWord || !isHex(greeting[1])) return stranger();
    const Nonces nonces{std::string(greeting[1]), hex(secretBytes(kKeyBytes))};
    POSTERN_TRY(channel.write(nonces.server + " " + nonces.proof(key_, "server") + "\n"));
    POSTERN_LET(answer, nextLine(channel));
    const auto words = split(answer, ' ');
    if (words.size() != 2 || !equalConstantTime(words[0], nonces.proof(key_, "client"))) return stranger();
    if (words[1] != "master") return std::optional(Guest{false});
    const std::string witness = nonces.witness(path_, key_);
    const bool there = pathExists(witness);
    return std::optional(Guest{there && removeFile(witness).ok()});
}

Result<void> enterDoor(const std::string& path, Poco::Net::StreamSocket& socket, Channel& channel) {
    if (!pathExists(path)) return noService(path);
    if (isSocket(path)) return connectTo(path, net::localAddress(path), socket);
    const auto notice = noticeAt(path);
    if (!notice.ok()) return notice.error().code == Errc::Exists ? noService(path) : notice.error();
    const Poco::Net::SocketAddress address(kLoopback, static_cast<Poco::UInt16>(notice->port));
    POSTERN_TRY(connectTo(path, address, socket));
    socket.setNoDelay(true);
    return prove(path, *notice, channel);
}

}  // namespace postern::admin
