#include "adapters/smtp/smtp_session.h"

#include <algorithm>

#include "base/text.h"

namespace postern::adapters {

namespace {

constexpr Millis kFarewell{1'000};

std::vector<std::string_view> words(std::string_view line) {
    std::vector<std::string_view> found;
    for (const std::string_view word : split(line, ' '))
        if (!word.empty()) found.push_back(word);
    return found;
}

void readAuth(const std::vector<std::string_view>& mechanisms, SmtpOffer& offer) {
    for (const std::string_view each : mechanisms) offer.auth.push_back(upperAscii(each));
}

}  // namespace

SmtpOffer smtpOffer(const std::vector<std::string>& lines, const SmtpPlan& plan) {
    SmtpOffer offer;
    for (std::size_t i = 1; i < lines.size(); ++i) {
        std::vector<std::string_view> said = words(lines[i]);
        if (said.empty()) continue;
        std::string keyword = upperAscii(said.front());
        said.erase(said.begin());
        // "AUTH=LOGIN", as Exchange 5.5 has it beside the standard form.
        if (keyword.starts_with("AUTH=")) {
            offer.auth.push_back(keyword.substr(5));
            keyword = "AUTH";
        }
        if (plan.ignores(keyword)) continue;
        if (keyword == "STARTTLS") offer.startTls = true;
        if (keyword == "PIPELINING") offer.pipelining = true;
        if (keyword == "8BITMIME") offer.eightBit = true;
        if (keyword == "SMTPUTF8") offer.utf8 = true;
        if (keyword == "DSN") offer.dsn = true;
        if (keyword == "AUTH") readAuth(said, offer);
        if (keyword == "SIZE") {
            offer.size = true;
            offer.largest = said.empty() ? 0 : std::max<std::int64_t>(0, parseInt(said[0]).value_or(0));
        }
    }
    if (plan.ignores("AUTH")) offer.auth.clear();
    return offer;
}

Result<std::unique_ptr<SmtpSession>> SmtpSession::open(const SmtpPlan& plan, const SmtpHost& host,
                                                       const net::TlsClientContext* tls, const Beat& beat,
                                                       const std::atomic<bool>* ending) {
    std::vector<net::Endpoint> places;
    if (host.socketPath.empty()) {
        POSTERN_LET(found, net::resolve(host.name, host.port));
        if (beat) beat();
        places = std::move(found);
    } else {
        places.push_back(net::unixEndpoint(host.socketPath));
    }
    std::optional<Error> last;
    for (const net::Endpoint& place : places) {
        auto session = openAt(plan, host, place, tls, true, beat, ending);
        if (session.ok()) return session;
        last = session.error();
    }
    return *last;
}

Result<std::unique_ptr<SmtpSession>> SmtpSession::openAt(const SmtpPlan& plan, const SmtpHost& host,
                                                         const net::Endpoint& where,
                                                         const net::TlsClientContext* tls, bool mayTls,
                                                         const Beat& beat, const std::atomic<bool>* ending) {
    POSTERN_LET(link, net::Link::connect(where, plan.source, plan.patience.connect, beat, ending));
    std::unique_ptr<SmtpSession> session(new SmtpSession(plan, std::move(link)));
    const auto begun = session->begin(host, tls, mayTls, beat);
    if (begun.ok()) return session;
    // Encryption that nobody verifies is better than none, and none is better than no mail: so it was chosen.
    const bool again = plan.tls == SmtpTls::Opportunistic && session->triedTls_ && !session->link_->secure();
    if (again && mayTls) return openAt(plan, host, where, tls, false, beat, ending);
    return begun.error();
}

Result<void> SmtpSession::begin(const SmtpHost& host, const net::TlsClientContext* tls, bool mayTls,
                                const Beat& beat) {
    if (plan_.tls == SmtpTls::Implicit) POSTERN_TRY(encrypt(host, tls, beat));
    POSTERN_TRY(greet(beat));
    POSTERN_TRY(hello(beat));
    const bool wanted = plan_.tls == SmtpTls::Required || (plan_.tls == SmtpTls::Opportunistic && mayTls);
    if (wanted && offer_.startTls) {
        triedTls_ = true;
        POSTERN_LET(reply, say("STARTTLS", beat));
        if (reply.code != 220) return refused("STARTTLS", reply);
        POSTERN_TRY(encrypt(host, tls, beat));
        POSTERN_TRY(hello(beat));  // what was said in the clear counts for nothing (RFC 3207 4.2)
    } else if (plan_.tls == SmtpTls::Required) {
        return fail(Errc::Denied, peer() + ": offers no STARTTLS, and tls = \"required\"");
    }
    return plan_.username.empty() ? Result<void>() : logOn(beat);
}

Result<void> SmtpSession::greet(const Beat& beat) {
    POSTERN_LET(reply, hear(plan_.patience.greeting, beat));
    if (reply.code != 220) return refused("greeting", reply);
    // Mail that leads back to us would go round until its hops are used up (KB Q182406).
    const auto said = words(reply.lines.front());
    const bool ours =
        said.size() >= 3 && equalsIgnoreCase(said[0], plan_.ownHostname) && said[2] == "Postern";
    if (ours) return fail(Errc::Denied, peer() + ": is this gateway itself; correct hosts");
    return {};
}

Result<void> SmtpSession::hello(const Beat& beat) {
    offer_ = {};
    POSTERN_LET(reply, say((plan_.lmtp ? "LHLO " : "EHLO ") + plan_.helo, beat));
    if (reply.good()) {
        offer_ = smtpOffer(reply.lines, plan_);
        return {};
    }
    // 500 and 502 say that the word is not known; 501, 504 and 550 are what some say instead.
    if (plan_.lmtp || !reply.permanent()) return refused(plan_.lmtp ? "LHLO" : "EHLO", reply);
    POSTERN_LET(plain, say("HELO " + plan_.helo, beat));
    if (!plain.good()) return refused("HELO", plain);
    return {};
}

Result<void> SmtpSession::encrypt(const SmtpHost& host, const net::TlsClientContext* tls, const Beat& beat) {
    const std::string& name = plan_.serverName.empty() ? host.name : plan_.serverName;
    POSTERN_TRY(link_->startTls(*tls, name, plan_.patience.command, beat));
    return judge(link_->serverPaper());
}

// With a list of fingerprints the list decides alone; opportunistic TLS trusts everybody.
Result<void> SmtpSession::judge(const net::ServerPaper& paper) const {
    if (plan_.tls == SmtpTls::Opportunistic) return {};
    const auto& known = plan_.fingerprints;
    if (!known.empty()) {
        if (std::find(known.begin(), known.end(), paper.fingerprint) != known.end()) return {};
        return fail(Errc::Denied,
                    peer() + ": its certificate " + paper.fingerprint + " is none of those in fingerprint");
    }
    if (!plan_.verifies() || paper.trouble.empty()) return {};
    return fail(Errc::Denied, peer() + ": its certificate is not trusted: " + paper.trouble + " (" +
                                  paper.fingerprint + ")");
}

Error SmtpSession::refused(const char* step, const SmtpReply& reply) const {
    return fail(Errc::Denied, peer() + ": " + step + ": " + reply.text());
}

Result<SmtpReply> SmtpSession::say(std::string_view line, const Beat& beat) {
    POSTERN_TRY(send(std::string(line) + "\r\n", plan_.patience.command, beat));
    return hear(plan_.patience.command, beat);
}

Result<void> SmtpSession::send(std::string_view bytes, Millis limit, const Beat& beat,
                               net::Link::Meanwhile meanwhile) {
    return link_->write(bytes, limit, beat, meanwhile);
}

Result<SmtpReply> SmtpSession::hear(Millis limit, const Beat& beat) {
    return readSmtpReply(*link_, limit, beat);
}

void SmtpSession::quit() {
    (void)link_->write("QUIT\r\n", kFarewell, nullptr);  // a host that is gone needs no farewell
}

}  // namespace postern::adapters
