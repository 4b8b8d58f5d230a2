#include "net/http_client.h"

#include <gtest/gtest.h>

#include "base/service_manager.h"
#include "tests/hook_receiver.h"

namespace postern::net {
namespace {

using tests::HookReceiver;

constexpr Millis kShort{300};

HttpConnection::Exchange post(const HookReceiver& host, const std::string& body, HttpPolicy policy = {}) {
    ignoreBrokenPipes();
    const HttpUrl url = parseHttpUrl(host.url("/hook?x=1")).value();
    auto connection = HttpConnection::open(url, policy, nullptr, nullptr).value();
    return connection->post(url, {{"webhook-id", "msg_1"}}, body, nullptr);
}

TEST(HttpUrl, IsTakenApart) {
    struct {
        const char* text;
        const char* origin;
        const char* host;
        int port;
        const char* target;
    } const cases[] = {
        {"https://hooks.example/a?b=c", "https://hooks.example", "hooks.example", 443, "/a?b=c"},
        {"HTTP://hooks.example:8080", "http://hooks.example:8080", "hooks.example", 8080, "/"},
        {"https://[2001:db8::1]:8443/x", "https://[2001:db8::1]:8443", "2001:db8::1", 8443, "/x"},
        {"https://h?q", "https://h", "h", 443, "/?q"},
    };
    for (const auto& each : cases) {
        const auto url = parseHttpUrl(each.text);
        ASSERT_TRUE(url.ok()) << each.text << ": " << url.error().text;
        EXPECT_EQ(url->origin(), each.origin);
        EXPECT_EQ(url->host, each.host);
        EXPECT_EQ(url->port, each.port);
        EXPECT_EQ(url->target, each.target);
    }
}

TEST(HttpUrl, WhatCanNotBeUsedIsRefusedAndNoPasswordRepeated) {
    for (const char* text :
         {"", "hooks.example", "ftp://h/", "https://", "https:///x", "https://h:0/", "https://h:x/",
          "https://h/a b", "https://h/\r\nX: y", "https://h/#part", "https://[::1/", "https://::1/",
          "https://anna:secret@h/", "https://h\xc3\xbc/"}) {
        const auto url = parseHttpUrl(text);
        ASSERT_FALSE(url.ok()) << text;
        EXPECT_EQ(url.error().text.find("secret"), std::string::npos) << url.error().text;
    }
}

TEST(HttpClient, SendsOneRequestAndReadsItsAnswer) {
    HookReceiver host([](int) { return HookReceiver::answer("201 Made", "fine"); });
    const auto exchange = post(host, "{\"a\":1}\r\n");
    ASSERT_TRUE(exchange.answer) << exchange.trouble->text;
    EXPECT_TRUE(exchange.sent);
    EXPECT_EQ(exchange.answer->status, 201);
    EXPECT_EQ(exchange.answer->line, "HTTP/1.1 201 Made");
    EXPECT_EQ(exchange.answer->body, "fine");
    EXPECT_TRUE(exchange.answer->whole);
    const auto taken = host.taken();
    ASSERT_EQ(taken.size(), 1u);
    EXPECT_EQ(taken[0].line, "POST /hook?x=1 HTTP/1.1");
    EXPECT_EQ(taken[0].fields.at("host"), host.place());
    EXPECT_EQ(taken[0].fields.at("webhook-id"), "msg_1");
    EXPECT_EQ(taken[0].body, "{\"a\":1}\r\n");
}

TEST(HttpClient, InterimAnswersChunksAndRetryAfterAreRead) {
    HookReceiver host([](int) {
        return std::string(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Busy\r\nRetry-After: 7\r\n"
            "Transfer-Encoding: chunked\r\n\r\n4\r\nwait\r\n3;x=y\r\n...\r\n0\r\n\r\n");
    });
    const auto exchange = post(host, "x\r\n");
    ASSERT_TRUE(exchange.answer) << exchange.trouble->text;
    EXPECT_EQ(exchange.answer->status, 503);
    EXPECT_EQ(exchange.answer->retryAfter, "7");
    EXPECT_EQ(exchange.answer->body, "wait...");
    EXPECT_TRUE(exchange.answer->whole);
}

TEST(HttpClient, AnEndlessAnswerIsCut) {
    const std::string much(100'000, 'x');
    for (const std::string& head :
         {std::string("HTTP/1.1 400 No\r\n\r\n"),
          std::string("HTTP/1.1 400 No\r\nContent-Length: 100000\r\n\r\n"),
          std::string("HTTP/1.1 400 No\r\nTransfer-Encoding: chunked\r\n\r\n186a0\r\n")}) {
        HookReceiver host([&](int) { return head + much; });
        const auto exchange = post(host, "x\r\n");
        ASSERT_TRUE(exchange.answer) << head << exchange.trouble->text;
        EXPECT_EQ(exchange.answer->status, 400);
        EXPECT_EQ(exchange.answer->body.size(), kShownBody) << head;
        EXPECT_FALSE(exchange.answer->whole) << head;
    }
}

TEST(HttpClient, WhatIsNoAnswerLeavesTheRequestInDoubt) {
    for (const std::string& said :
         {std::string(), std::string("SSH-2.0-OpenSSH_9.2\r\n"), std::string("HTTP/1.1 20\r\n\r\n"),
          std::string("HTTP/2 200 OK\r\n\r\n"), std::string("HTTP/1.1 200 OK\r\nX: "),
          "HTTP/1.1 200 OK\r\nX: " + std::string(10'000, 'x') + "\r\n\r\n"}) {
        HookReceiver host([&](int) { return said; });
        const auto exchange = post(host, "x\r\n");
        EXPECT_TRUE(exchange.sent) << said.substr(0, 40);
        EXPECT_FALSE(exchange.answer) << said.substr(0, 40);
        EXPECT_TRUE(exchange.trouble) << said.substr(0, 40);
    }
}

TEST(HttpClient, AHeadWithoutEndIsGivenUp) {
    HookReceiver host([](int) {
        std::string head = "HTTP/1.1 200 OK\r\n";
        for (int i = 0; i < 1000; ++i) head += "X-" + std::to_string(i) + ": y\r\n";
        return head + "\r\n";
    });
    const auto exchange = post(host, "x\r\n");
    EXPECT_FALSE(exchange.answer);
    EXPECT_NE(exchange.trouble->text.find("200 lines"), std::string::npos) << exchange.trouble->text;
}

TEST(HttpClient, ASilentHostIsWaitedForOnlySoLong) {
    tests::ScriptedHost host([](tests::HostTalk& talk, int) { (void)talk.rest(); });
    const HttpUrl url = parseHttpUrl("http://" + host.place()).value();
    HttpPolicy policy;
    policy.answer = kShort;
    auto connection = HttpConnection::open(url, policy, nullptr, nullptr).value();
    const auto exchange = connection->post(url, {}, "x", nullptr);
    EXPECT_TRUE(exchange.sent);
    ASSERT_FALSE(exchange.answer);
    EXPECT_EQ(exchange.trouble->code, Errc::Busy);
    connection.reset();  // so that the host's play ends
}

TEST(HttpClient, AnAnswerBeforeTheEndOfALargeRequestIsRead) {
    tests::ScriptedHost host([](tests::HostTalk& talk, int) {
        (void)talk.line();
        talk.say(HookReceiver::answer("413 Too Large"));
        (void)talk.rest();
    });
    const HttpUrl url = parseHttpUrl("http://" + host.place()).value();
    auto connection = HttpConnection::open(url, {}, nullptr, nullptr).value();
    const auto exchange = connection->post(url, {}, std::string(64 << 20, 'x'), nullptr);
    ASSERT_TRUE(exchange.answer) << exchange.trouble->text;
    EXPECT_FALSE(exchange.sent);
    EXPECT_EQ(exchange.answer->status, 413);
    connection.reset();
}

}  // namespace
}  // namespace postern::net
