#pragma once
// One connection to one host, from its greeting to the point where mail can be given: EHLO (HELO for hosts
// that know no other, LHLO for LMTP), TLS as the plan asks, AUTH.
//
// Errors: as net::Link's, and Errc::Denied when the host refuses (greeting, EHLO, AUTH) or is not to be
// trusted. The text names the host and what to change.
// Thread rule: one thread at a time.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/smtp/smtp_reply.h"
#include "adapters/smtp/smtp_settings.h"
#include "net/link.h"

namespace postern::adapters {

using Beat = std::function<void()>;

// What the host said it can do, less the plan's `ignore`.
struct SmtpOffer {
    bool startTls = false, pipelining = false, eightBit = false, utf8 = false, dsn = false;
    bool size = false;
    std::int64_t largest = 0;       // SIZE's number; 0: it gave none
    std::vector<std::string> auth;  // mechanisms, upper case
};
// `lines` as EHLO answered, the first one is its name.
SmtpOffer smtpOffer(const std::vector<std::string>& lines, const SmtpPlan& plan);

class SmtpSession {
  public:
    // Tries the host's addresses in turn. `tls` may be null with tls = none. With tls = opportunistic, one
    // that fails to begin TLS is called again without.
    // `ending` as for endWith().
    static Result<std::unique_ptr<SmtpSession>> open(const SmtpPlan& plan, const SmtpHost& host,
                                                     const net::TlsClientContext* tls, const Beat& beat,
                                                     const std::atomic<bool>* ending = nullptr);
    // Once `*ending` is true nothing is waited for any more (net::Link).
    void endWith(const std::atomic<bool>* ending) { link_->endWith(ending); }

    // Sends `line` and CRLF, and reads the answer. REQUIRES: no CR, LF or NUL in `line`.
    Result<SmtpReply> say(std::string_view line, const Beat& beat);
    Result<void> send(std::string_view bytes, Millis limit, const Beat& beat,
                      net::Link::Meanwhile meanwhile = net::Link::Meanwhile::Silence);
    Result<SmtpReply> hear(Millis limit, const Beat& beat);
    // Nothing unasked came in and the host is still there.
    bool quiet() { return link_->quiet(); }
    std::uint64_t handedBytes() const { return link_->handedBytes(); }
    // Tells the host, and does not wait for what it says to that.
    void quit();

    const SmtpOffer& offer() const { return offer_; }
    const std::string& peer() const { return link_->peer(); }
    bool used() const { return used_; }  // it has carried a transaction before
    void setUsed() { used_ = true; }

  private:
    SmtpSession(const SmtpPlan& plan, std::unique_ptr<net::Link> link)
        : plan_(plan), link_(std::move(link)) {}
    static Result<std::unique_ptr<SmtpSession>> openAt(const SmtpPlan& plan, const SmtpHost& host,
                                                       const net::Endpoint& where,
                                                       const net::TlsClientContext* tls, bool mayTls,
                                                       const Beat& beat, const std::atomic<bool>* ending);
    Result<void> begin(const SmtpHost& host, const net::TlsClientContext* tls, bool mayTls, const Beat& beat);
    Result<void> greet(const Beat& beat);
    Result<void> hello(const Beat& beat);
    Result<void> encrypt(const SmtpHost& host, const net::TlsClientContext* tls, const Beat& beat);
    Result<void> judge(const net::ServerPaper& paper) const;
    Result<void> logOn(const Beat& beat);  // smtp_logon.cpp
    Result<SmtpReply> logOnWith(const std::string& mechanism, const std::string& password, const Beat& beat);
    Error refused(const char* step, const SmtpReply& reply) const;

    const SmtpPlan& plan_;
    const std::unique_ptr<net::Link> link_;
    SmtpOffer offer_;
    bool used_ = false;
    bool triedTls_ = false;
};

}  // namespace postern::adapters
