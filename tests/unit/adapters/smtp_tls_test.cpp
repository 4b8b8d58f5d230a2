// TLS and logging on, against a host with our own server's side of TLS.

#include <thread>

#include <gtest/gtest.h>

#include "base/digest.h"
#include "base/service_manager.h"
#include "base/text.h"
#include "net/link.h"
#include "net/wire.h"
#include "tests/adapter_rig.h"
#include "tests/tls_paper.h"

namespace postern::adapters {
namespace {

constexpr Millis kDeadline{20'000};

// Serves one connection at a time; says what clients said.
class TlsHost {
  public:
    TlsHost(std::shared_ptr<const net::TlsContext> context, bool implicit)
        : context_(std::move(context)), implicit_(implicit), ear_(net::Ear::open({"127.0.0.1", 0}).value()) {
        thread_ = std::jthread([this](const std::stop_token& stop) {
            while (!stop.stop_requested()) {
                auto accepted = ear_.accept();
                if (accepted.ok() && accepted->has_value()) {
                    input_.clear();
                    secure_ = false;
                    serve((*accepted)->wire);
                } else {
                    std::this_thread::yield();
                }
            }
        });
    }
    std::string place(const std::string& name = "127.0.0.1") const {
        return name + ":" + std::to_string(ear_.port());
    }
    int port() const { return ear_.port(); }
    std::vector<std::string> stop() {
        thread_.request_stop();
        thread_.join();
        return said_;
    }

  private:
    void say(net::Wire& wire, std::string text) {
        while (!text.empty()) {
            const int sent = wire.send(text);
            if (sent < 0) return;
            text.erase(0, static_cast<std::size_t>(sent));
            if (sent == 0 && !wire.wait(false, true, kDeadline)) return;
        }
    }
    bool line(net::Wire& wire, std::string& out) {
        std::size_t end = 0;
        while ((end = input_.find("\r\n")) == std::string::npos) {
            char buffer[4096];
            const int got = wire.receive(buffer, sizeof buffer);
            if (got < 0) return false;
            if (got > 0) input_.append(buffer, static_cast<std::size_t>(got));
            if (got == 0 && !wire.wait(true, false, kDeadline)) return false;
        }
        out = input_.substr(0, end);
        input_.erase(0, end + 2);
        said_.push_back((secure_ ? "tls " : "") + out);
        return true;
    }
    bool encrypt(net::Wire& wire) {
        wire.startTls(*context_);
        for (;;) {
            const net::Handshake state = wire.handshake();
            if (state == net::Handshake::Failed) return false;
            if (state == net::Handshake::Done) break;
            if (!wire.wait(state == net::Handshake::WantsRead, state == net::Handshake::WantsWrite,
                           kDeadline))
                return false;
        }
        return secure_ = true;
    }
    void serve(net::Wire& wire) {
        if (implicit_ && !encrypt(wire)) return;
        say(wire, "220 box.example\r\n");
        bool text = false;
        for (std::string got; line(wire, got);) {
            if (text) {
                text = got != ".";
                if (!text) say(wire, "250 taken\r\n");
            } else if (got == "STARTTLS") {
                say(wire, "220 go\r\n");
                if (!encrypt(wire)) return;
            } else if (got == "DATA") {
                text = true;
                say(wire, "354 go on\r\n");
            } else if (got == "QUIT") {
                return;
            } else {
                say(wire, answer(wire, got));
            }
        }
    }
    std::string answer(net::Wire& wire, const std::string& got) {
        if (got.starts_with("EHLO"))
            return std::string("250-box.example\r\n") + (secure_ ? "" : "250-STARTTLS\r\n") +
                   "250 AUTH PLAIN LOGIN CRAM-MD5\r\n";
        std::string more;
        if (got == "AUTH LOGIN") {
            say(wire, "334 VXNlcm5hbWU6\r\n");
            if (!line(wire, more)) return {};
            say(wire, "334 UGFzc3dvcmQ6\r\n");
            if (!line(wire, more)) return {};
            return "235 welcome\r\n";
        }
        if (got == "AUTH CRAM-MD5") {
            // The example of RFC 2195.
            say(wire, "334 " + base64Encode("<1896.697170952@postoffice.reston.mci.net>") + "\r\n");
            if (!line(wire, more)) return {};
            return more == base64Encode("tim b913a602c7eda7a495b4e6e7334d3890") ? "235 welcome\r\n"
                                                                                : "535 5.7.8 no\r\n";
        }
        if (got.starts_with("AUTH PLAIN"))
            return got == "AUTH PLAIN " + base64Encode(std::string("\0tim\0tanstaaftanstaaf", 21))
                       ? "235 welcome\r\n"
                       : "535 5.7.8 no\r\n";
        return "250 ok\r\n";
    }

    const std::shared_ptr<const net::TlsContext> context_;
    const bool implicit_;
    net::Ear ear_;
    std::string input_;
    bool secure_ = false;
    std::vector<std::string> said_;
    std::jthread thread_;
};

class SmtpTls : public testing::Test {
  protected:
    SmtpTls() {
        ignoreBrokenPipes();
        tests::makePaper(folder_.path(), {.name = "ca", .subject = "Test CA", .authority = true});
        tests::makePaper(folder_.path(), {.name = "other", .subject = "Other CA", .authority = true});
        tests::makePaper(folder_.path(), {.name = "server", .subject = "localhost", .signer = "ca"});
        tests::spill(folder_ / "password", "tanstaaftanstaaf\n");
        context_ = net::TlsContext::make({folder_ / "server.pem", folder_ / "server.key", "", false},
                                         Clock::system().now())
                       .value();
    }

    // One mail with these settings; the outcome, and what the host heard.
    std::string deliver(tests::SettingMap settings, bool implicit = false) {
        TlsHost host(context_, implicit);
        settings.emplace("hosts", host.place());
        settings.emplace("server_name", "localhost");
        settings.emplace("keep_connection", "0s");
        if (settings["tls"] == "required" || settings["tls"] == "implicit")
            settings.emplace("ca_file", folder_ / "ca.pem");
        StringSource source("Message-ID: <1@x>\r\n\r\nsecret text\r\n");
        Job job;
        {
            const auto adapter = tests::makeKind("smtp", settings, tests::kRigContext).value();
            job.delivery.key = {ItemId{1}, Epoch{1}};
            job.delivery.recipients = {{1, "bob@old.example", "", {}, {}}};
            job.delivery.message = &source;
            adapter->stage({&job, 1}, [] {});
            if (!job.outcome) adapter->publish({&job, 1}, [] {});
        }
        said_ = host.stop();
        return tests::outcomeText(job);
    }
    bool heard(const std::string& line) const {
        return std::find(said_.begin(), said_.end(), line) != said_.end();
    }

    tests::TempFolder folder_;
    std::shared_ptr<const net::TlsContext> context_;
    std::vector<std::string> said_;
};

#define EXPECT_HAS(text, part) EXPECT_NE(std::string(text).find(part), std::string::npos) << text

TEST_F(SmtpTls, RequiredAndTrusted) {
    EXPECT_HAS(deliver({{"tls", "required"}}), "exported");
    EXPECT_TRUE(heard("tls secret text"));
    EXPECT_TRUE(heard("tls EHLO mx.example")) << "said again under TLS";
    EXPECT_HAS(deliver({{"tls", "implicit"}}, true), "exported");
    EXPECT_TRUE(heard("tls EHLO mx.example"));
}

TEST_F(SmtpTls, AStrangersCertificateGetsNoMail) {
    const std::vector<tests::SettingMap> rows = {
        {{"tls", "required"}, {"ca_file", folder_ / "other.pem"}},
        {{"tls", "required"}, {"server_name", "mail.example"}},
        {{"tls", "required"}, {"fingerprint", std::string(64, '0')}},
    };
    for (const tests::SettingMap& row : rows) {
        EXPECT_HAS(deliver(row), "deferred (unusable)");
        for (const std::string& line : said_) EXPECT_EQ(line.find("MAIL"), std::string::npos) << line;
    }
    EXPECT_HAS(deliver({{"tls", "required"}, {"server_name", "mail.example"}, {"tls_verify", "false"}}),
               "exported");
    EXPECT_HAS(deliver({{"tls", "opportunistic"}}), "exported");
    EXPECT_TRUE(heard("tls secret text"));
}

// A Unix socket has no name of its own, and nobody gave one.
TEST_F(SmtpTls, WithoutANameNoCertificateIsTrusted) {
    TlsHost host(context_, true);
    const auto trust = net::TlsClientContext::make({true, folder_ / "ca.pem", false}).value();
    for (const std::string name : {"localhost", ""}) {
        const auto place = net::resolve("127.0.0.1", host.port()).value().front();
        const auto link = net::Link::connect(place, "", kDeadline, nullptr).value();
        ASSERT_TRUE(link->startTls(*trust, name, kDeadline, nullptr).ok());
        EXPECT_EQ(link->serverPaper().trouble.empty(), !name.empty()) << link->serverPaper().trouble;
    }
}

TEST_F(SmtpTls, AFingerprintIsEnoughAlone) {
    const std::string refused = deliver({{"tls", "required"}, {"fingerprint", std::string(64, '0')}});
    const std::size_t at = refused.find("sha256:");
    ASSERT_NE(at, std::string::npos) << refused;
    EXPECT_HAS(deliver({{"tls", "required"},
                        {"ca_file", folder_ / "other.pem"},
                        {"server_name", "mail.example"},
                        {"fingerprint", upperAscii(refused.substr(at + 7, 64))}}),
               "exported");
}

TEST_F(SmtpTls, AMissingAuthoritiesFileIsNamed) {
    const std::string text = deliver({{"tls", "required"}, {"ca_file", folder_ / "none.pem"}});
    EXPECT_HAS(text, "deferred (unusable)");
    EXPECT_HAS(text, "none.pem");
}

TEST_F(SmtpTls, LogsOnWithEachMechanism) {
    const tests::SettingMap who = {{"username", "tim"}, {"password_file", folder_ / "password"}};
    for (const char* mechanism : {"auto", "plain", "login", "cram-md5"}) {
        tests::SettingMap settings = who;
        settings["tls"] = "required";
        settings["auth"] = mechanism;
        EXPECT_HAS(deliver(settings), "exported") << mechanism;
    }
    tests::SettingMap clear = who;
    clear["tls"] = "none";
    clear["auth_without_tls"] = "true";
    EXPECT_HAS(deliver(clear), "exported");
    EXPECT_TRUE(heard("AUTH CRAM-MD5")) << "in the clear, the one that does not show the password";
    clear["tls"] = "opportunistic";
    EXPECT_HAS(deliver(clear), "exported");
    EXPECT_TRUE(heard("tls AUTH CRAM-MD5")) << "under TLS with nobody knows whom, the same";
}

TEST_F(SmtpTls, ThePasswordIsNotSaidInTheClear) {
    const std::string text = deliver({{"username", "tim"},
                                      {"password_file", folder_ / "password"},
                                      {"tls", "required"},
                                      {"ignore", "STARTTLS"}});
    EXPECT_HAS(text, "deferred (unusable)");
    for (const std::string& line : said_) EXPECT_FALSE(line.starts_with("AUTH")) << line;
}

TEST_F(SmtpTls, AWrongPasswordSuspendsAndEndsNoMail) {
    tests::spill(folder_ / "wrong", "x\n");
    const std::string text =
        deliver({{"username", "tim"}, {"password_file", folder_ / "wrong"}, {"tls", "required"}});
    EXPECT_HAS(text, "deferred (unusable)");
    EXPECT_HAS(text, "AUTH PLAIN: 535 5.7.8 no");
}

}  // namespace
}  // namespace postern::adapters
