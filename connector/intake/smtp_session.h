#pragma once
// One SMTP or LMTP session (RFC 5321, RFC 2033) as a pure state machine: bytes go in, replies come out. It
// knows no socket, no thread and no clock; time is passed in. Extensions: PIPELINING (RFC 2920), SIZE (1870),
// 8BITMIME (6152), ENHANCEDSTATUSCODES (2034), STARTTLS (3207), CHUNKING and BINARYMIME (3030), SMTPUTF8
// (6531), DSN (3461), LIMITS (9422).
//
// Strictness, against SMTP smuggling (CVE-2023-51764 and its kin) and pipelined injection; docs/INTAKE.md has
// the reasons:
//   - Only CR LF ends a line and only CR LF "." CR LF ends a mail. A mail with a bare CR, a bare LF or a NUL
//   is
//     read to its true end, refused with 550, not stored, and the session ends: nothing pipelined behind it
//     is believed. A command with one is refused whole with 500.
//   - Bytes that came in behind DATA before our 354 end the session with 503: they are the text of a mail and
//     must not be read as commands.
//   - The bytes of a BDAT chunk are counted off before anything is said about them, also of a refused one; a
//   BDAT
//     that can not be read ends the session.
//   - Bytes that came in behind STARTTLS are dropped unread (RFC 3207 4.2, CVE-2011-0411): they were not
//     protected, and must not count as if they had been.
//   - RSET, EHLO, a refused DATA and a MAIL inside a transaction clear sender and recipients (KB Q241502).
//
// The caller: after greet(), received(), answered(), shutDown() and checkTime(), send what replies() holds,
// hand takeMail() and takeLogOn() to the Door and bring its answers to answered() and logOnAnswered(), and
// close when closing() says so. While wantsTls(), the replies go out in the clear, then nothing is read but a
// TLS handshake, whose end is told to tlsStarted(), or which closes the connection. Thread rule: one thread
// at a time.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/digest.h"
#include "connector/config/config.h"
#include "connector/intake/door.h"
#include "connector/intake/header_scan.h"
#include "connector/intake/smtp_command.h"
#include "connector/intake/smtp_data.h"
#include "connector/intake/smtp_parameters.h"
#include "mail/address.h"
#include "net/tls_facts.h"

namespace postern::intake {

struct Now {
    WallTime wall;
    SteadyTime steady;
};

// Who is at the other end.
struct Client {
    std::string name;       // "192.0.2.1:4711", "local": for people
    std::string literal;    // "[192.0.2.1]", "[IPv6:2001:db8::1]", empty on a Unix socket: for Received lines
    std::string address{};  // "192.0.2.1", "2001:db8::1", empty on a Unix socket: for policy
};

enum class Mechanism { Plain, Login, Scram };

// What AUTH began.
struct LogOn {
    Mechanism mechanism = Mechanism::Plain;
    int round = 0;                  // responses of the client so far
    std::string name;               // LOGIN: what came first; SCRAM: whose proof was right
    std::optional<LogOnStep> step;  // to be asked
    std::shared_ptr<accounts::ScramServer> exchange;
};

// What MAIL began.
struct Transaction {
    explicit Transaction(const std::string& storeId) : header(storeId) {}

    store::NewMessage message;
    std::int64_t announced = 0;  // by SIZE
    std::vector<routing::Router::Routed> recipients;
    // While the text comes in:
    std::unique_ptr<store::BodyWriter> body;
    disk::Claim room;               // from its first recipient on
    std::int64_t claimed = 0;       // so much text has its room
    std::int64_t size = 0;          // of the text, without our trace fields
    std::optional<Answer> refusal;  // it is already refused; what comes is read and dropped
    HeaderScan header;
    Sha256 digest;            // of the text
    std::string trace;        // the id in our Received line
    bool headerKept = false;  // our trace fields, and the header below them, are in `body`
    std::string held;         // the header while it is not
    bool chunked = false;     // begun with BDAT
    ChunkLines lines;
};

class SmtpSession {
  public:
    // REQUIRES: `hostname`, `listener` and `door` outlive the session.
    SmtpSession(const std::string& hostname, const config::Listener& listener, Door& door, Client client,
                Now now);

    // STARTTLS can be done; without this it is answered with 454, where the listener has it at all. Call
    // before greet().
    void allowTls() { mayStartTls_ = true; }
    void greet();  // call once, first; with implicit TLS the greeting comes from tlsStarted()
    void received(std::string_view bytes, Now now);

    // A mail that came in whole. The session waits, and keeps what was pipelined behind it, until answered().
    std::optional<IncomingMail> takeMail();
    void answered(const Answer& answer, Now now);

    // A question of AUTH. The session waits until logOnAnswered(); the log is the caller's (noteLogOn()),
    // since the session may be over by then.
    std::optional<LogOnStep> takeLogOn();
    void logOnAnswered(const LogOnAnswer& answer, Now now);

    // A TLS handshake is to come now, as the server's side: all of a listener with implicit TLS, else after
    // STARTTLS. Nothing is given to received() before tlsStarted(), which forgets whatever the client said
    // in the clear (RFC 3207 4.2).
    bool wantsTls() const { return phase_ == Phase::Handshake && !closing_; }
    void tlsStarted(net::TlsFacts facts, Now now);
    void tlsFailed();  // closes without a word
    bool overTls() const { return tls_.has_value(); }
    const std::optional<net::TlsFacts>& tls() const { return tls_; }

    bool unconfirmed() const { return !unconfirmed_.empty(); }
    // The client closed in order, or we are about to close on it; `allTaken`: its system has taken everything
    // that was sent, the last "250" as well.
    void clientClosed(bool allTaken) {
        if (allTaken && replies_.empty()) confirm();
    }

    // No new transaction from now on: says 421 and closes, at once or when the running one is over.
    void shutDown();
    // Gives up the running transaction as well, unless it waits for an answer of ours.
    void abort(std::string_view why);
    // Says 421 and closes when the deadline has passed.
    void checkTime(Now now);
    SteadyTime deadline() const;  // when checkTime() is due; SteadyTime::max() while we are the slow side

    // Bytes to send. The caller erases what it sent.
    std::string& replies() { return replies_; }
    bool closing() const { return closing_; }  // close once replies() are sent; input is ignored
    // It closes because the client said QUIT and nothing behind it: nobody waits for anything any more.
    bool parted() const { return closing_ && saidQuit_ && !leftBehind_; }
    // False while it waits or closes: do not read from the client then, so that it is the client's system
    // that buffers.
    bool wantsInput() const { return phase_ != Phase::Waiting && phase_ != Phase::Handshake && !closing_; }
    bool inTransaction() const { return transaction_.has_value(); }

    const Client& client() const { return client_; }
    int accepted() const { return acceptedMails_; }  // mails answered with 250
    const char* ending() const { return ending_; }   // why it closes: "quit", "errors", "idle", ...

  private:
    // A sender that does not stop behind the size limit is read on to so many times the limit, then cut off.
    static constexpr int kReadOnFactor = 4;

    enum class Phase { Command, Text, Chunk, LogOn, Waiting, Handshake };
    enum class Hello { None, Helo, Ehlo, Lhlo };

    void work(std::string_view& input);
    bool workCommand(std::string_view& input);
    void workText(std::string_view& input);
    void workChunk(std::string_view& input);
    void badLine(const Line& line);
    void dispatch(const Command& command, std::string_view behind);

    void onHello(const Command& command);
    void ehloReply();
    void onMail(const Command& command);
    mail::AddressOptions addressOptions(const Command& command) const;
    void beginMail(const mail::Path& path, const MailParameters& parameters);
    void onRcpt(const Command& command);
    void addRecipient(const std::string& address, const RcptParameters& parameters);
    bool maySendTo(const mail::Address& recipient);
    bool maySend() const;
    bool showedCertificate() const;
    void refuseSender();
    void onData(const Command& command, std::string_view behind);
    std::optional<Answer> refusesText(std::string_view syntax) const;
    std::optional<Answer> beginText();
    std::string traceAbove() const;
    void onBdat(const Command& command);
    std::optional<Answer> refusesChunk() const;
    void beginChunk();
    void endChunk();
    void endChunks();
    void onAuth(const Command& command);
    bool offersAuth() const { return listener_.auth != config::Auth::Off; }
    bool mayLogOn() const;
    bool workLogOn(std::string_view& input);
    void onLogOnLine(std::string_view line);
    void onPlain(const std::string& said);
    void challenge(std::string_view text);
    void askLogOn(LogOnStep step);
    void judgeLogOn(const LogOnAnswer& answer);
    void loggedOnAs(const std::string& name);
    void refuseLogOn();
    void endLogOn(int code, std::string_view enhanced, std::string_view text);
    void resume();
    void onRset(const Command& command);
    void onStartTls(const Command& command);
    void onVerify(const Command& command);
    void onQuit(const Command& command);

    void keep(std::string_view text);
    void keepHeader();
    void append(std::string_view bytes);
    bool claimMore();
    void refuseText(Answer answer);
    void refuseFlaws(const TextFlaws& flaws);
    void refuseMail();
    void endText(const TextFlaws& flaws);
    Answer tooLarge() const;
    void finish(const Answer& answer);
    void confirm();
    bool offersStartTls() const;
    std::string protocolName(bool utf8) const;  // for Received lines

    void reply(int code, std::string_view enhanced, std::string_view text);
    void refuse(int code, std::string_view enhanced, std::string_view text);  // counts as an error
    void refuseRecipient(const std::string& address, const Answer& answer);
    void countError();
    void close(const char* why);
    void closeWith421(std::string_view enhanced, std::string_view text, const char* why);
    void clear() { transaction_.reset(); }

    const std::string& hostname_;
    const config::Listener& listener_;
    Door& door_;
    Client client_;
    SteadyTime opened_;
    SteadyTime firstBy_;  // until then the first command, or the first one over TLS, has come in whole
    bool awaitsFirst_ = true;
    Now now_;  // of the last input

    Phase phase_ = Phase::Command;
    bool mayStartTls_ = false;
    std::optional<net::TlsFacts> tls_;
    std::string account_;  // who logged on
    std::optional<LogOn> logOn_;
    int failedLogOns_ = 0;
    std::optional<bool> maySend_;         // what maySend() said, as long as nothing it asks changes
    std::vector<MessageId> unconfirmed_;  // stored; nothing shows yet that the client read our 250
    Hello hello_ = Hello::None;
    std::string helo_;
    std::optional<Transaction> transaction_;
    std::optional<IncomingMail> finished_;
    int waitingReplies_ = 0;  // how many replies the answer is worth: one, or one per LMTP recipient

    std::string input_;  // not worked yet; at most one read while it waits, else one unfinished line
    LineReader lines_;
    DataReader text_;
    std::int64_t chunkSize_ = 0, chunkLeft_ = 0;  // bytes of the chunk being read
    bool lastChunk_ = false;
    std::optional<Answer> chunkRefusal_;  // it is read only to be refused: there is no transaction
    std::string replies_;

    int errors_ = 0;             // since the last accepted mail
    int idleCommands_ = 0;       // NOOP and the like, since the last accepted mail
    int refusedRecipients_ = 0;  // since the last accepted mail
    int acceptedMails_ = 0;
    bool shuttingDown_ = false;
    bool closing_ = false;
    bool saidQuit_ = false;
    bool leftBehind_ = false;  // input came in behind what closed the session
    const char* ending_ = "";
};

}  // namespace postern::intake
