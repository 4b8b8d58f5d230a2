#include "connector/admin/control_client.h"

#include <Poco/Net/StreamSocket.h>

#include "connector/admin/channel.h"
#include "connector/admin/control_door.h"
#include "connector/admin/wire.h"

namespace postern::admin {

namespace {

constexpr std::size_t kResponseLimit = 1 << 20;  // bytes of one row
constexpr std::size_t kChunk = 65536;

Error unknownEnd(const Error& why) {
    return fail(Errc::Unavailable, why.text + "; it is not known whether the request was carried out");
}

}  // namespace

struct ControlClient::Impl {
    explicit Impl(Millis silence) : channel(socket, silence) {}
    Poco::Net::StreamSocket socket;
    Channel channel;
    bool usable = true;  // false after an exchange that did not end well

    Result<void> sendBody(ByteStream& body);
    Result<void> sendPiece(ByteStream& body);
    Result<void> receive(const RowSink& row, ByteStream* body);
};

ControlClient::ControlClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ControlClient::ControlClient(ControlClient&&) noexcept = default;
ControlClient& ControlClient::operator=(ControlClient&&) noexcept = default;
ControlClient::~ControlClient() = default;

Result<ControlClient> ControlClient::connect(const std::string& socketPath, Millis silence) {
    auto impl = std::make_unique<Impl>(silence);
    POSTERN_TRY(enterDoor(socketPath, impl->socket, impl->channel));
    return ControlClient(std::move(impl));
}

Result<void> ControlClient::Impl::sendBody(ByteStream& body) {
    const auto chunk = std::make_unique<char[]>(kChunk);
    for (;;) {
        POSTERN_LET(got, body.read(chunk.get(), kChunk));
        // The service may refuse before it has taken everything: its answer says why, not the broken pipe.
        if (!writeChunk(channel, {chunk.get(), got}).ok() || got == 0) return {};
    }
}

Result<void> ControlClient::Impl::sendPiece(ByteStream& body) {
    const auto chunk = std::make_unique<char[]>(kChunk);
    POSTERN_LET(got, body.read(chunk.get(), kChunk));
    (void)writeChunk(channel, {chunk.get(), got});  // as in sendBody(): the answer says why
    return {};
}

// With a body it is sent in turns with the rows.
Result<void> ControlClient::Impl::receive(const RowSink& row, ByteStream* body) {
    for (;;) {
        auto line = channel.readLine(kResponseLimit);
        if (!line.ok()) return unknownEnd(line.error());
        if (!line->has_value())
            return unknownEnd(fail(Errc::Unavailable, "the service closed the connection"));
        POSTERN_LET(response, parseResponse(**line));
        if (!response.row) {
            usable = true;
            return response.end;
        }
        POSTERN_TRY(row(*response.row));
        if (body != nullptr) POSTERN_TRY(sendPiece(*body));
    }
}

Result<void> ControlClient::call(const Request& request, ByteStream& body, const RowSink& row) {
    if (!impl_->usable) return fail(Errc::Unavailable, "the connection to the service is broken");
    impl_->usable = false;
    const std::string line = requestLine(request) + "\n";
    if (line.size() > kRequestLimit)
        return fail(Errc::Invalid, "the request is too long for the control socket");
    const Result<void> sent = impl_->channel.write(line);
    if (request.turns) return impl_->receive(row, &body);
    if (sent.ok() && request.body) POSTERN_TRY(impl_->sendBody(body));
    return impl_->receive(row, nullptr);
}

Result<std::vector<Record>> ControlClient::call(const Request& request) {
    std::vector<Record> rows;
    NoBytes none;
    POSTERN_TRY(call(request, none, [&](const Record& row) -> Result<void> {
        rows.push_back(row);
        return {};
    }));
    return rows;
}

}  // namespace postern::admin
