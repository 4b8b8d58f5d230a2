#pragma once
// A real store and a real acceptor with two adapters that are only asked about addresses, in a temporary
// folder; and a scripted door for tests that want to decide every answer.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "adapters/adapter.h"
#include "connector/intake/acceptor.h"
#include "connector/intake/smtp_session.h"
#include "store/notifier.h"
#include "store/store.h"
#include "tests/fake_clock.h"
#include "tests/temp_folder.h"

namespace postern::intake {

inline constexpr std::int64_t kInlineBody = 4096;

// What the queue holds of one mail.
struct Stored {
    store::MessageRow row;
    std::string trace;               // our Received field, unfolded, with "TRACE" for its id
    std::string body;                // what came behind it
    std::vector<std::string> items;  // "demo/1: address=legacy address=legacy [notify] [original]"
};

class House {
  public:
    // Routes: *@example.org to "demo" as {local}, *@example.net to "other" as {address}, gone@nowhere.test to
    // an adapter that is not there. "demo" refuses the local part "unwanted"; "other" makes an item each.
    // Accounts: "ann" may send, "viewer" may not; both with the password "pencil".
    // `engineOption`: a FaultyDisk's, for the store.
    explicit House(std::int64_t reserve = 0, std::string engineOption = {});
    ~House();

    // As after a crash: a new acceptor on the same files.
    void reopen();
    Acceptor& acceptor() { return *acceptor_; }
    store::Store& store() { return *store_; }
    store::Notifier& notifier() { return notifier_; }
    tests::FakeClock& clock() { return clock_; }
    const std::string& folder() const { return folder_.path(); }
    Now now() const { return {clock_.now(), clock_.steady()}; }
    // Adapter demo takes mail of at most `most` bytes; 0: any.
    std::shared_ptr<const routing::Router> router(std::vector<config::Route> routes,
                                                  std::vector<config::Rule> rules = {},
                                                  std::int64_t most = 0) const;
    static std::vector<config::Route> routes();

    std::vector<Stored> stored();
    std::int64_t count(const char* sql);
    std::size_t bodyFiles() const;

    // Hands a mail to the acceptor and waits for its answer.
    Answer accept(IncomingMail mail);
    IncomingMail mail(const std::vector<std::string>& recipients, const std::string& body);

  private:
    void openAccounts();

    tests::TempFolder folder_;
    const std::int64_t reserve_;
    const std::string engineOption_;
    tests::FakeClock clock_{1'795'183'387'000};  // Fri, 20 Nov 2026 14:03:07 +0000
    store::Notifier notifier_;
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<adapters::Adapter> demo_, other_;
    std::unique_ptr<Acceptor> acceptor_;
};

// Says yes to everything until a test says otherwise, and keeps the mails it was given.
class ScriptedDoor : public Door {
  public:
    explicit ScriptedDoor(const store::Store& store) : store_(store) {}
    Result<void> checkRoom(std::int64_t) override { return room; }
    Result<disk::Claim> claimRoom(std::int64_t announced) override {
        claims.push_back(announced);
        if (!room.ok()) return room.error();
        return disk::Claim(claimed, announced);
    }
    Result<routing::Router::Routed> routeRecipient(const std::string& address,
                                                   const Envelope&) const override;
    const std::string& storeId() const override { return store_.id(); }
    void confirm(MessageId message) override { confirmed.push_back(message.value); }
    std::unique_ptr<store::BodyWriter> newBody() const override;
    void accept(IncomingMail mail, std::function<void(const Answer&)> done) override;
    void logOn(LogOnStep, LogOnDesk::Done done) override { done(noAccounts); }

    Result<void> room;
    std::vector<std::int64_t> claims;
    disk::Claim::Sum claimed = std::make_shared<std::atomic<std::int64_t>>(0);
    Answer answer{250, "2.0.0", "Ok: queued as m1"};
    std::vector<IncomingMail> mails;
    std::vector<std::int64_t> confirmed;
    LogOnAnswer noAccounts{fail(Errc::Unavailable, "no accounts"), {}, {}, {}};
    bool hold = false;  // answer only when the test calls `held`
    std::vector<std::function<void(const Answer&)>> held;

  private:
    const store::Store& store_;
};

// A listener "smtp" or "lmtp" with the default limits, at which Talk's client may send.
config::Listener listenerOf(config::Protocol protocol);

// A session and its door, without sockets: what a client sends, and what it reads.
class Talk {
  public:
    Talk(House& house, Door& door, config::Listener listener,
         Client client = {"192.0.2.1:4711", "[192.0.2.1]", "192.0.2.1"});

    void send(std::string_view bytes);       // raw
    std::string say(std::string_view line);  // with CR LF; the replies to it
    std::string read();                      // the replies since the last call
    void settle();                           // brings the door's answer when a mail is finished
    SmtpSession& session() { return session_; }
    int mails() const { return mails_; }

    bool autoSettle = true;

  private:
    House& house_;
    Door& door_;
    std::string hostname_ = "mx.example.org";
    config::Listener listener_;
    SmtpSession session_;
    int mails_ = 0;
};

}  // namespace postern::intake
