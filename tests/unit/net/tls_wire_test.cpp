// Wire's TLS against a client of the library's own, both non-blocking and turned by hand: nothing waits, and
// every order of events can be made.

#include <memory>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/StreamSocket.h>
#include <gtest/gtest.h>

#include "base/service_manager.h"
#include "net/wire.h"
#include "tests/temp_folder.h"
#include "tests/tls_paper.h"

namespace postern::net {
namespace {

constexpr int kManyTurns = 1'000'000;

// The client's end of a connection, and TLS over it when asked.
class Peer {
  public:
    explicit Peer(int port)
        : socket_(Poco::Net::SocketAddress("127.0.0.1", static_cast<Poco::UInt16>(port))),
          context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free),
          stream_(nullptr, &SSL_free) {
        socket_.setBlocking(false);
    }
    ~Peer() { stream_.reset(); }

    SSL_CTX* context() { return context_.get(); }
    Poco::Net::StreamSocket& socket() { return socket_; }
    SSL* stream() { return stream_.get(); }
    void begin() {
        stream_.reset(SSL_new(context_.get()));
        SSL_set_fd(stream_.get(), static_cast<int>(socket_.impl()->sockfd()));
        SSL_set_connect_state(stream_.get());
    }
    void use(const std::string& folder, const std::string& name) {
        SSL_CTX_use_certificate_file(context(), (folder + "/" + name + ".pem").c_str(), SSL_FILETYPE_PEM);
        SSL_CTX_use_PrivateKey_file(context(), (folder + "/" + name + ".key").c_str(), SSL_FILETYPE_PEM);
    }
    // 1: done; 0: not yet; -1: it failed.
    int turn() {
        ERR_clear_error();
        return result(SSL_do_handshake(stream_.get()));
    }
    int write(std::string_view bytes) {
        ERR_clear_error();
        return result(SSL_write(stream_.get(), bytes.data(), static_cast<int>(bytes.size())));
    }
    int read(char* into, int size) {
        ERR_clear_error();
        return result(SSL_read(stream_.get(), into, size));
    }

  private:
    int result(int done) {
        if (done > 0) return done;
        const int error = SSL_get_error(stream_.get(), done);
        return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
    }
    Poco::Net::StreamSocket socket_;
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
    std::unique_ptr<SSL, decltype(&SSL_free)> stream_;
};

class TlsWireTest : public testing::Test {
  protected:
    TlsWireTest() {
        ignoreBrokenPipes();
        tests::makePaper(folder_.path(), {.name = "ca", .subject = "Test CA", .authority = true});
        tests::makePaper(folder_.path(), {.name = "server", .subject = "localhost", .signer = "ca"});
        tests::makePaper(folder_.path(), {.name = "client", .subject = "relay.example", .signer = "ca"});
        tests::makePaper(folder_.path(), {.name = "stranger", .subject = "relay.example"});
    }
    std::shared_ptr<const TlsContext> context(bool askClient = false, bool ca = false) const {
        auto made = TlsContext::make({folder_ / "server.pem", folder_ / "server.key",
                                      ca ? folder_ / "ca.pem" : std::string(), askClient},
                                     Clock::system().now());
        EXPECT_TRUE(made.ok()) << made.error().text;
        return *made;
    }
    void connect() {
        auto ear = Ear::open({"127.0.0.1", 0, {}});
        ASSERT_TRUE(ear.ok()) << ear.error().text;
        peer_ = std::make_unique<Peer>(ear->port());
        for (int i = 0; i < kManyTurns && !wire_; ++i) {
            auto accepted = ear->accept();
            ASSERT_TRUE(accepted.ok());
            if (accepted->has_value()) wire_ = std::make_unique<Wire>(std::move((*accepted)->wire));
        }
        ASSERT_TRUE(wire_);
    }
    // Both sides in turns, to the end of the handshake on the server's side and, if it went well, both.
    Handshake shake() {
        int client = 0;
        Handshake server = Handshake::WantsRead;
        for (int i = 0; i < kManyTurns; ++i) {
            if (client == 0) client = peer_->turn();
            if (server != Handshake::Done) server = wire_->handshake();
            if (server == Handshake::Failed || (server == Handshake::Done && client != 0)) break;
        }
        return server;
    }
    void startTls(const std::shared_ptr<const TlsContext>& context) {
        ASSERT_TRUE(wire_->startTls(*context));
        peer_->begin();
        ASSERT_EQ(shake(), Handshake::Done) << wire_->tlsTrouble();
    }
    std::string receiveAll(std::size_t wanted, std::size_t piece) {
        std::string got, buffer(piece, '\0');
        for (int i = 0; i < kManyTurns && got.size() < wanted; ++i) {
            const int count = wire_->receive(buffer.data(), buffer.size());
            if (count < 0) break;
            got.append(buffer, 0, static_cast<std::size_t>(count));
        }
        return got;
    }

    tests::TempFolder folder_;
    std::unique_ptr<Peer> peer_;
    std::unique_ptr<Wire> wire_;
};

TEST_F(TlsWireTest, TellsWhatWasAgreedOn) {
    connect();
    startTls(context());
    const TlsFacts facts = wire_->tlsFacts();
    EXPECT_EQ(facts.protocol, "TLSv1.3");
    EXPECT_EQ(facts.cipher.substr(0, 4), "TLS_") << facts.cipher;
    EXPECT_GE(facts.bits, 128);
    EXPECT_FALSE(facts.clientVerified);
    EXPECT_EQ(facts.clientName + facts.clientFingerprint, "");
}

TEST_F(TlsWireTest, OldProtocolsAreRefusedAndTls12IsTaken) {
    const struct {
        int version;
        Handshake wanted;
    } cases[] = {{TLS1_1_VERSION, Handshake::Failed}, {TLS1_2_VERSION, Handshake::Done}};
    for (const auto& each : cases) {
        wire_.reset();
        connect();
        SSL_CTX_set_security_level(peer_->context(), 0);
        SSL_CTX_set_min_proto_version(peer_->context(), TLS1_VERSION);
        SSL_CTX_set_max_proto_version(peer_->context(), each.version);
        ASSERT_TRUE(wire_->startTls(*context()));
        peer_->begin();
        EXPECT_EQ(shake(), each.wanted) << each.version;
        if (each.wanted == Handshake::Done) {
            EXPECT_EQ(wire_->tlsFacts().protocol, "TLSv1.2");
            EXPECT_NE(wire_->tlsFacts().cipher.find("_ECDHE_"), std::string::npos);
            EXPECT_FALSE(SSL_SESSION_has_ticket(SSL_get_session(peer_->stream())));
            EXPECT_NE(SSL_renegotiate(peer_->stream()) == 1 && peer_->turn() == 1, true);
        }
    }
}

TEST_F(TlsWireTest, ClientCertificates) {
    const struct {
        const char* paper;  // empty: none
        bool ca, verified;
    } cases[] = {
        {"client", true, true}, {"stranger", true, false}, {"client", false, false}, {"", true, false}};
    for (const auto& each : cases) {
        wire_.reset();
        connect();
        if (each.paper[0] != '\0') peer_->use(folder_.path(), each.paper);
        startTls(context(true, each.ca));
        const TlsFacts facts = wire_->tlsFacts();
        EXPECT_EQ(facts.clientVerified, each.verified) << each.paper;
        EXPECT_EQ(facts.clientName, each.paper[0] == '\0' ? "" : "relay.example");
        EXPECT_EQ(facts.clientFingerprint.size(), each.paper[0] == '\0' ? 0u : 7u + 64u)
            << facts.clientFingerprint;
    }
}

// What TLS has unpacked and a small buffer left there does not make the socket readable.
TEST_F(TlsWireTest, NothingStaysInsideUnnoticed) {
    connect();
    startTls(context());
    ASSERT_EQ(peer_->write("0123456789"), 10);
    char buffer[4];
    int got = 0;
    for (int i = 0; i < kManyTurns && got == 0; ++i) got = wire_->receive(buffer, sizeof buffer);
    EXPECT_EQ(std::string(buffer, static_cast<std::size_t>(got)), "0123");
    EXPECT_TRUE(wire_->holdsInput());
    EXPECT_FALSE(peer_ == nullptr);
    EXPECT_EQ(wire_->receive(buffer, sizeof buffer), 4);
    EXPECT_TRUE(wire_->holdsInput());
    EXPECT_EQ(wire_->receive(buffer, sizeof buffer), 2);
    EXPECT_FALSE(wire_->holdsInput());
    EXPECT_EQ(wire_->receive(buffer, sizeof buffer), 0) << "none now, and not the end";
}

// A loop that reads on as long as something is held would turn for ever on what a client never ends.
TEST_F(TlsWireTest, APieceOfARecordIsNoInputYet) {
    const struct {
        const char* what;
        std::string_view bytes;
    } cases[] = {
        {"a piece of its head", {"\x17\x03\x03", 3}},
        {"its head and a piece of it",
         {"\x17\x03\x03\x00\x40"
          "0123456789",
          15}},
    };
    for (const auto& each : cases) {
        wire_.reset();
        connect();
        startTls(context());
        peer_->socket().setNoDelay(true);
        const int size = static_cast<int>(each.bytes.size());
        ASSERT_EQ(peer_->socket().sendBytes(each.bytes.data(), size), size);
        char buffer[100];
        for (int i = 0; i < 1000; ++i) ASSERT_EQ(wire_->receive(buffer, sizeof buffer), 0) << each.what;
        EXPECT_FALSE(wire_->holdsInput()) << each.what;
    }
}

TEST_F(TlsWireTest, LargeTransfersToASlowReaderArriveWhole) {
    connect();
    startTls(context());
    std::string sent, got;
    for (int i = 0; i < 3'000'000; ++i) sent += std::to_string(i) + ' ';
    std::string_view waiting = sent;
    bool wasFull = false;
    char buffer[5000];
    for (int i = 0; i < kManyTurns && got.size() < sent.size(); ++i) {
        const std::string piece(waiting.substr(0, 50'000));  // moves between two tries, as replies do
        const int count = wire_->send(piece);
        ASSERT_GE(count, 0);
        waiting.remove_prefix(static_cast<std::size_t>(count));
        wasFull |= count == 0 && !waiting.empty();
        if (!wasFull) continue;  // the reader begins when nothing fits any more
        const int read = peer_->read(buffer, sizeof buffer);
        ASSERT_GE(read, 0);
        got.append(buffer, static_cast<std::size_t>(read));
    }
    EXPECT_TRUE(wasFull);
    EXPECT_EQ(got.size(), sent.size());
    EXPECT_TRUE(got == sent);
}

TEST_F(TlsWireTest, LargeTransfersFromTheClientArriveWhole) {
    connect();
    startTls(context());
    std::string sent;
    for (int i = 0; i < 400'000; ++i) sent += std::to_string(i) + ' ';
    std::string_view waiting = sent;
    std::string got, buffer(64 * 1024, '\0');
    for (int i = 0; i < kManyTurns && got.size() < sent.size(); ++i) {
        if (!waiting.empty()) {
            const int count = peer_->write(waiting.substr(0, 16'384));
            ASSERT_GE(count, 0);
            waiting.remove_prefix(static_cast<std::size_t>(count));
        }
        const int read = wire_->receive(buffer.data(), buffer.size());
        ASSERT_GE(read, 0);
        got.append(buffer, 0, static_cast<std::size_t>(read));
    }
    EXPECT_TRUE(got == sent);
}

// Our end of sending reaches the client as an orderly one, behind the last words; it may still send.
TEST_F(TlsWireTest, HalfClose) {
    connect();
    startTls(context());
    EXPECT_EQ(wire_->send("221 Bye\r\n"), 9);
    wire_->endSending();
    char buffer[100];
    int got = 0;
    for (int i = 0; i < kManyTurns && got == 0; ++i) got = peer_->read(buffer, sizeof buffer);
    ASSERT_EQ(got, 9);
    for (int i = 0; i < kManyTurns && (SSL_get_shutdown(peer_->stream()) & SSL_RECEIVED_SHUTDOWN) == 0; ++i)
        (void)peer_->read(buffer, sizeof buffer);
    EXPECT_NE(SSL_get_shutdown(peer_->stream()) & SSL_RECEIVED_SHUTDOWN, 0) << "close_notify";
    EXPECT_EQ(peer_->write("late"), 4);
    EXPECT_EQ(receiveAll(4, 100), "late");
}

TEST_F(TlsWireTest, TheClientsEndIsTheEnd) {
    for (const bool orderly : {true, false}) {
        wire_.reset();
        connect();
        startTls(context());
        if (orderly) SSL_shutdown(peer_->stream());
        peer_->socket().close();
        char buffer[100];
        int got = 0;
        for (int i = 0; i < kManyTurns && got == 0; ++i) got = wire_->receive(buffer, sizeof buffer);
        EXPECT_EQ(got, -1) << orderly;
        EXPECT_FALSE(wire_->holdsInput());
    }
}

TEST_F(TlsWireTest, GarbageFailsAndNothingIsSaidInTheClear) {
    connect();
    ASSERT_TRUE(wire_->startTls(*context()));
    peer_->socket().sendBytes("MAIL FROM:<a@example.com>\r\n", 27);
    Handshake state = Handshake::WantsRead;
    for (int i = 0; i < kManyTurns && state == Handshake::WantsRead; ++i) state = wire_->handshake();
    EXPECT_EQ(state, Handshake::Failed);
    EXPECT_FALSE(wire_->tlsTrouble().empty());
    EXPECT_EQ(wire_->send("421 words"), -1);
    wire_->endSending();
}

TEST_F(TlsWireTest, AHandshakeCutOffFails) {
    connect();
    ASSERT_TRUE(wire_->startTls(*context()));
    EXPECT_EQ(wire_->handshake(), Handshake::WantsRead) << "nothing came yet";
    peer_->socket().sendBytes("\x16\x03\x01", 3);
    peer_->socket().close();
    Handshake state = Handshake::WantsRead;
    for (int i = 0; i < kManyTurns && state == Handshake::WantsRead; ++i) state = wire_->handshake();
    EXPECT_EQ(state, Handshake::Failed);
}

// One connection's failure leaves nothing behind that another one trips over.
TEST_F(TlsWireTest, FailuresStayTheirOwn) {
    connect();
    startTls(context());
    const auto goodPeer = std::move(peer_);
    const auto good = std::move(wire_);
    connect();
    ASSERT_TRUE(wire_->startTls(*context()));
    peer_->socket().sendBytes("garbage garbage", 15);
    for (int i = 0; i < kManyTurns && wire_->handshake() == Handshake::WantsRead; ++i) {
    }
    char buffer[10];
    EXPECT_EQ(good->receive(buffer, sizeof buffer), 0);
    EXPECT_EQ(good->send("x"), 1);
}

// A running connection outlives the context it was made from: a reload swaps that under it.
TEST_F(TlsWireTest, OutlivesItsContext) {
    connect();
    auto first = context();
    startTls(first);
    first.reset();
    ASSERT_EQ(peer_->write("still here"), 10);
    EXPECT_EQ(receiveAll(10, 100), "still here");
}

}  // namespace
}  // namespace postern::net
