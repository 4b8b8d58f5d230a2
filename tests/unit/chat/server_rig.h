#pragma once
// A chat on real sockets with a store of its own and a clock that moves when a test says so, and clients that
// wait for what they want to see.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/digest.h"
#include "connector/chat/server.h"
#include "net/link.h"
#include "store/messages.h"
#include "store/store.h"
#include "tests/fake_clock.h"
#include "tests/kit/wait.h"
#include "tests/temp_folder.h"
#include "tests/unit/chat/chat_rig.h"

namespace postern::chat {

inline constexpr Millis kPatience{30'000};

// A client that waits for what it wants to see, and not for ever.
class Caller {
  public:
    explicit Caller(const net::Endpoint& to) {
        auto link = net::Link::connect(to, "", kPatience, [] {});
        EXPECT_TRUE(link.ok()) << link.error().text;
        if (link.ok()) link_ = std::move(*link);
    }

    void send(const std::string& bytes) {
        EXPECT_TRUE(link_
                        ->write(
                            bytes, kPatience, [] {}, net::Link::Meanwhile::Answers)
                        .ok());
    }
    std::string line() {
        const auto line = link_->readLine(10'000, kPatience, [] {});
        return line.ok() ? *line : "(" + std::string(errcName(line.error().code)) + ")";
    }
    std::string say(const std::string& text) {
        send(text + "\r\n");
        return line();
    }
    // What comes up to a line that holds `word`, which it returns.
    std::string until(const std::string& word) {
        std::string got;
        do {
            got = line();
        } while (got.find(word) == std::string::npos && got.front() != '(');
        return got;
    }
    void logOn(const std::string& nick) {
        send("NICK " + nick + "\r\nUSER u 0 * :u\r\n");
        EXPECT_NE(std::string::npos, until(" 422 ").find(" 422 "));
    }
    void startTls(const net::TlsClientContext& context) {
        const auto started = link_->startTls(context, "localhost", kPatience, [] {});
        EXPECT_TRUE(started.ok()) << started.error().text;
    }
    void vanish() { link_.reset(); }

  private:
    std::unique_ptr<net::Link> link_;
};

class ChatServerTest : public testing::Test {
  protected:
    ChatServerTest() {
        store::StoreOptions options;
        options.folder = folder_ / "store";
        options.migrations = store::messageMigrations();
        store_ = store::Store::open(std::move(options)).value();
        addAccount("ann", "pencil", "operator");
    }
    ~ChatServerTest() override {
        if (server_) server_->stop();
    }

    void addAccount(const std::string& name, const std::string& password, const std::string& roles) {
        const accounts::Account account{name, *accounts::makeVerifier(password), *accounts::parseRoles(roles),
                                        fromMillis(1'000)};
        const auto added = store_->write(
            [&](store::WriteSession& session) { return accounts::addAccount(session, account); });
        EXPECT_TRUE(added.ok());
    }
    ChatServer& make(Settings settings = openHouse(), Queue queue = {}) {
        settings.limits.perLoopback = 1'000;
        server_ = std::make_unique<ChatServer>(std::move(settings), *accounts::Directory::open(*store_),
                                               clock_, std::move(queue));
        return *server_;
    }
    static Settings withQueue() {
        Settings settings = openHouse();
        settings.queue.channel = "#queue";
        return settings;
    }
    // Logs on with that account, and its name for a nick.
    static void prove(Caller& caller, const std::string& account) {
        caller.send("CAP REQ :sasl\r\nAUTHENTICATE PLAIN\r\n");
        caller.until("AUTHENTICATE +");
        const std::string nul(1, '\0');
        caller.send("AUTHENTICATE " + base64Encode(nul + account + nul + "pencil") + "\r\n");
        caller.until(" 903 ");
        caller.send("CAP END\r\n");
        caller.logOn(account);
    }
    static void proveAnn(Caller& caller) { prove(caller, "ann"); }
    void start(std::vector<Place> places = {{"plain", {"127.0.0.1"}}}) {
        const auto started = server_->start(std::move(places));
        ASSERT_TRUE(started.ok()) << started.error().text;
        port_ = server_->ports().front();
    }
    Caller call() const { return Caller(net::Endpoint{"127.0.0.1", port_}); }
    bool comes(const std::function<bool(const Figures&)>& what) const {
        return tests::waitFor([&] { return what(server_->figures()); }, kPatience);
    }

    tests::TempFolder folder_;
    tests::FakeClock clock_;
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<ChatServer> server_;
    int port_ = 0;
};

}  // namespace postern::chat
