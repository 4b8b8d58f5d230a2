// AUTHENTICATE (IRCv3 sasl-3.2) and OPER: the exchange of lines. Whether a password is right is decided by
// the log-on desk; the client's later lines wait until its answer is there.

#include "base/digest.h"
#include "base/text.h"
#include "connector/chat/commands.h"
#include "connector/chat/mail_board.h"

namespace postern::chat {

namespace {

constexpr std::size_t kChunk = 400;  // base64 of one line; a shorter one is the last
using Step = SaslExchange::Step;
using Question = accounts::LogOnQuestion;

// The exchange is over; registration may go on without it.
void fail(Floor& floor, Client& client, Numeric numeric, std::string_view text = {}) {
    client.sasl.reset();
    floor.reply(client, numeric, {}, text);
    tryRegister(floor, client);
}

// Everybody of this machine, and who comes through a tunnel to it, has one address: there only the account is
// shut.
std::optional<std::string> addressKey(const Peer& peer) {
    if (peer.loopback || peer.countedAs.empty()) return std::nullopt;
    return "address " + peer.countedAs;
}

void noteWrong(Floor& floor, const Peer& peer, const std::string& account) {
    const SteadyTime now = floor.clock.steady();
    ++floor.counters.wrongPasswords;
    if (!account.empty()) floor.wrongTries.note("account " + account, now);
    if (const auto key = addressKey(peer)) floor.wrongTries.note(*key, now);
    floor.tries.push_back({false, peer.name, account});
}

// Denied and Invalid are the client's fault and counted; the rest is ours.
bool isWrong(const Error& error) {
    return error.code == Errc::Denied || error.code == Errc::Invalid;
}

void wrong(Floor& floor, Client& client, Numeric numeric, const std::string& account) {
    noteWrong(floor, client.peer, account);
    client.sasl.reset();
    floor.reply(client, numeric);
    if (++client.wrongTries >= floor.settings.limits.loginTries)
        return floor.doom(client, "Too many wrong passwords");
    tryRegister(floor, client);
}

// False: too many were wrong lately, and this one is refused whatever it says.
bool mayTry(Floor& floor, const Client& client, const std::string& account) {
    const SteadyTime now = floor.clock.steady();
    const auto key = addressKey(client.peer);
    if ((!key || floor.wrongTries.allows(*key, now)) &&
        (account.empty() || floor.wrongTries.allows("account " + account, now)))
        return true;
    ++floor.counters.barred;
    floor.barred = {floor.barred.tries + 1, client.peer.name, account};
    return false;
}

void ask(Floor& floor, Client& client, Question question, Client::Waiting waiting) {
    client.waiting = waiting;
    floor.asking.insert_or_assign(client.id, client.peer);
    floor.questions.emplace_back(client.id, std::move(question));
}

// In pieces of 400; one that is full is followed by a shorter one, or by "+" (sasl-3.1).
void saySasl(Floor& floor, Client& client, std::string_view bytes) {
    const std::string text = base64Encode(bytes);
    std::size_t at = 0;
    for (; text.size() - at >= kChunk; at += kChunk)
        floor.send(client, {writeMessage("", "AUTHENTICATE", {text.substr(at, kChunk)})});
    const std::string last = text.substr(at);
    floor.send(client, {writeMessage("", "AUTHENTICATE", {last.empty() ? "+" : last})});
}

void loggedOn(Floor& floor, Client& client) {
    const bool another = client.account != client.sasl->account;
    client.account = client.sasl->account;
    ++floor.comings;
    client.roles = client.sasl->roles;
    client.sasl.reset();
    client.wrongTries = 0;
    floor.reply(client, Numeric::LoggedIn, {client.mask(), client.account},
                "You are now logged in as " + client.account);
    floor.reply(client, Numeric::SaslSuccess);
    // Who is in already has mail by the account he has now; who is not in yet hears it with his welcome.
    if (client.registered && another && floor.board != nullptr) floor.board->welcome(client);
    tryRegister(floor, client);
}

void beginSasl(Floor& floor, Client& client, const std::string& word) {
    const std::string mechanism = upperAscii(word);
    if (mechanism == "*") return fail(floor, client, Numeric::SaslAborted);
    const bool plain = mechanism == "PLAIN" && client.peer.mayPlain;
    if (!plain && mechanism != "SCRAM-SHA-256") {
        floor.reply(client, Numeric::SaslMechanisms,
                    {client.peer.mayPlain ? "PLAIN,SCRAM-SHA-256" : "SCRAM-SHA-256"});
        return fail(floor, client, Numeric::SaslFail);
    }
    client.sasl.emplace().step = plain ? Step::Plain : Step::ScramFirst;
    floor.send(client, {writeMessage("", "AUTHENTICATE", {"+"})});
}

void onPlain(Floor& floor, Client& client, std::string_view said) {
    const auto parts = split(said, '\0');
    const bool fine = parts.size() == 3 && !parts[1].empty() && (parts[0].empty() || parts[0] == parts[1]);
    if (!fine) return wrong(floor, client, Numeric::SaslFail, {});
    const std::string name(parts[1]);
    if (!mayTry(floor, client, name)) return fail(floor, client, Numeric::SaslFail, "Too many wrong tries");
    Question question;
    question.name = name;
    question.password = parts[2];
    ask(floor, client, std::move(question), Client::Waiting::Sasl);
}

void onSaid(Floor& floor, Client& client, std::string said) {
    SaslExchange& sasl = *client.sasl;
    if (sasl.step == Step::Plain) return onPlain(floor, client, said);
    if (sasl.step == Step::ScramDone) {
        return said.empty() ? loggedOn(floor, client) : wrong(floor, client, Numeric::SaslFail, {});
    }
    if (!mayTry(floor, client, {})) return fail(floor, client, Numeric::SaslFail, "Too many wrong tries");
    Question question;
    question.kind = sasl.step == Step::ScramFirst ? Question::Kind::ScramFirst : Question::Kind::ScramLast;
    question.message = std::move(said);
    question.exchange = sasl.scram;
    ask(floor, client, std::move(question), Client::Waiting::Sasl);
}

void onRefusal(Floor& floor, Client& client, Numeric numeric, const accounts::LogOnReply& reply) {
    if (isWrong(*reply.error)) return wrong(floor, client, numeric, reply.name);
    floor.tries.push_back({false, client.peer.name, reply.name});
    fail(floor, client, numeric, "Logging on is not possible now: try again later");
}

void onSaslReply(Floor& floor, Client& client, const accounts::LogOnReply& reply) {
    if (!client.sasl) return onReplyTooLate(floor, client.peer, reply);
    if (reply.error) return onRefusal(floor, client, Numeric::SaslFail, reply);
    SaslExchange& sasl = *client.sasl;
    if (sasl.step == Step::ScramFirst) {
        // The name is known only now.
        if (!mayTry(floor, client, reply.name))
            return fail(floor, client, Numeric::SaslFail, "Too many wrong tries");
        sasl.scram = reply.exchange;
        sasl.step = Step::ScramLast;
        return saySasl(floor, client, reply.message);
    }
    floor.tries.push_back({true, client.peer.name, reply.name});
    sasl.account = reply.name;
    sasl.roles = reply.roles;
    if (sasl.step == Step::Plain) return loggedOn(floor, client);
    sasl.step = Step::ScramDone;
    saySasl(floor, client, reply.message);
}

void onOperReply(Floor& floor, Client& client, const accounts::LogOnReply& reply) {
    if (reply.error) return onRefusal(floor, client, Numeric::PasswordMismatch, reply);
    if (!reply.roles.admin) return wrong(floor, client, Numeric::PasswordMismatch, reply.name);
    floor.tries.push_back({true, client.peer.name, reply.name});
    client.oper = true;
    floor.reply(client, Numeric::YouAreOper);
    floor.send(client, floor.lineFrom(client, "MODE", {client.nick, "+o"}));
}

}  // namespace

void onAuthenticate(Floor& floor, Client& client, const Message& message) {
    const std::string& word = message.parameter(0);
    if (!client.sasl) return beginSasl(floor, client, word);
    if (word == "*") return fail(floor, client, Numeric::SaslAborted);
    SaslExchange& sasl = *client.sasl;
    if (word.size() > kChunk || sasl.received.size() + word.size() > floor.settings.limits.saslBytes)
        return fail(floor, client, Numeric::SaslTooLong);
    if (word != "+") sasl.received += word;
    if (word.size() == kChunk) return;
    const auto said = base64Decode(std::exchange(sasl.received, {}));
    if (!said) return fail(floor, client, Numeric::SaslFail);
    onSaid(floor, client, *said);
}

void onOper(Floor& floor, Client& client, const Message& message) {
    const std::string& name = message.parameter(0);
    if (client.peer.mostRole < admin::Role::Admin) return floor.reply(client, Numeric::NoOperHost);
    if (!mayTry(floor, client, name)) return floor.reply(client, Numeric::PasswordMismatch);
    Question question;
    question.name = name;
    question.password = message.parameter(1);
    ask(floor, client, std::move(question), Client::Waiting::Oper);
}

void onReply(Floor& floor, Client& client, const accounts::LogOnReply& reply) {
    const auto waiting = std::exchange(client.waiting, Client::Waiting::Nothing);
    if (waiting == Client::Waiting::Sasl) onSaslReply(floor, client, reply);
    if (waiting == Client::Waiting::Oper) onOperReply(floor, client, reply);
}

void onReplyTooLate(Floor& floor, const Peer& peer, const accounts::LogOnReply& reply) {
    if (reply.error && isWrong(*reply.error)) return noteWrong(floor, peer, reply.name);
    // The first half of SCRAM names an account and proves nothing.
    if (!reply.error && reply.exchange != nullptr) return;
    floor.tries.push_back({!reply.error, peer.name, reply.name});
}

}  // namespace postern::chat
