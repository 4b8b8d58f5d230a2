#include "tests/unit/chat/chat_rig.h"

#include <regex>

#include <gtest/gtest.h>

#include "base/digest.h"
#include "base/text.h"
#include "connector/accounts/scram.h"

namespace postern::chat {

namespace {

std::string xored(const std::string& a, const std::string& b) {
    std::string out = a;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<char>(out[i] ^ b[i]);
    return out;
}

std::string withoutIds(const std::string& line) {
    if (line.find("msgid=") == std::string::npos) return line;
    static const std::regex id("msgid=[^; ]*");
    return std::regex_replace(line, id, "msgid=M");
}

}  // namespace

Settings openHouse() {
    Settings settings;
    settings.serverName = "chat.test";
    settings.network = "Test";
    settings.version = "postern-1";
    settings.accountNeeded = false;
    settings.anyoneCreates = true;
    settings.limits.burst = 0;
    return settings;
}

Peer peerAt(const std::string& address) {
    const bool loopback = address.starts_with("127.");
    return {address + ":4711", address, address, loopback, loopback};
}

void ChatRig::pass(Millis time) {
    clock_.advance(time);
    hall_.lookAtClock();
    settle();
}

bool ChatRig::connect(const std::string& name, Peer peer) {
    const auto id = hall_.connect(std::move(peer));
    if (!id) return false;
    ids_[name] = *id;
    closed_[name] = deaf_[name] = false;
    partial_[name].clear();
    heard_[name].clear();
    return true;
}

void ChatRig::addAccount(const std::string& name, const std::string& password, const std::string& roles) {
    accounts::Account account;
    account.name = name;
    account.verifier = *accounts::makeVerifier(password, accounts::kLeastIterations);
    account.roles = *accounts::parseRoles(roles);
    accounts_[name] = account;
}

void ChatRig::logOn(const std::string& name, const std::string& caps) {
    ASSERT_TRUE(connect(name));
    if (!caps.empty()) say(name, "CAP REQ :" + caps);
    say(name, "NICK " + name);
    say(name, "USER " + name + " 0 * :The real " + name);
    if (!caps.empty()) say(name, "CAP END");
    const auto got = take(name);
    ASSERT_TRUE(client(name) != nullptr && client(name)->registered) << (got.empty() ? "" : got.back());
}

void ChatRig::give(const std::string& name, std::string_view bytes) {
    const std::size_t room = hall_.room(id(name));
    hall_.receive(id(name), bytes.substr(0, room));
    settle();
}

void ChatRig::vanish(const std::string& name) {
    hall_.disconnect(id(name), "Connection reset");
    settle();
}

void ChatRig::forget(const std::string& name) {
    ids_.erase(name);
    partial_.erase(name);
    heard_.erase(name);
    closed_.erase(name);
    deaf_.erase(name);
}

std::deque<std::string>& ChatRig::heard(const std::string& name) {
    settle();
    return heard_[name];
}

std::vector<std::string> ChatRig::take(const std::string& name) {
    std::deque<std::string>& lines = heard(name);
    std::vector<std::string> out(lines.begin(), lines.end());
    lines.clear();
    return out;
}

bool ChatRig::closed(const std::string& name) {
    settle();
    return closed_[name];
}

void ChatRig::readAgain(const std::string& name) {
    deaf_[name] = false;
    collect();
    settle();
}

void ChatRig::giveAnswers() {
    holding_ = false;
    settle();
}

void ChatRig::settle() {
    collect();
    for (auto& each : hall_.takeQuestions()) questions_.push_back(std::move(each));
    while (!holding_ && !questions_.empty()) {
        const auto question = std::move(questions_.front());
        questions_.erase(questions_.begin());
        hall_.answer(question.first, decide(question.second));
        collect();
        for (auto& each : hall_.takeQuestions()) questions_.push_back(std::move(each));
    }
}

void ChatRig::collect() {
    for (bool more = true; more;) {
        more = false;
        (void)hall_.takeTouched();
        for (const auto& [name, id] : ids_) {
            const std::string bytes(deaf_[name] ? std::string_view() : hall_.output(id));
            if (!bytes.empty()) {
                read(name, bytes);
                hall_.sent(id, bytes.size());
                more = true;
            }
            if (!hall_.finished(id) || !hall_.output(id).empty()) continue;
            closed_[name] = true;
            hall_.disconnect(id, "closed");
        }
    }
}

void ChatRig::read(const std::string& name, std::string_view bytes) {
    std::string& partial = partial_[name];
    partial += bytes;
    std::size_t at = 0;
    for (std::size_t end; (end = partial.find("\r\n", at)) != std::string::npos; at = end + 2)
        heard_[name].push_back(withoutIds(partial.substr(at, end - at)));
    partial.erase(0, at);
}

accounts::LogOnReply ChatRig::decide(const accounts::LogOnQuestion& question) {
    using Kind = accounts::LogOnQuestion::Kind;
    accounts::LogOnReply reply;
    reply.name = question.name;
    if (failure_) {
        reply.error = fail(*failure_, "as the test wants");
        return reply;
    }
    if (question.kind == Kind::Password) {
        const auto account = accounts_.find(question.name);
        if (account == accounts_.end() || !accounts::matches(account->second.verifier, question.password)) {
            reply.error = fail(Errc::Denied, "wrong");
        } else {
            reply.roles = account->second.roles;
        }
        return reply;
    }
    reply.exchange = question.exchange;
    if (question.kind == Kind::ScramFirst) {
        reply.exchange = std::make_shared<accounts::ScramServer>([this](const std::string& name) {
            const auto account = accounts_.find(name);
            const bool known = account != accounts_.end();
            return Result<accounts::Candidate>(accounts::Candidate{
                known, known ? account->second.verifier : accounts::decoyVerifier("secret", name)});
        });
    }
    const auto said = question.kind == Kind::ScramFirst ? reply.exchange->first(question.message)
                                                        : reply.exchange->last(question.message);
    reply.name = reply.exchange->name();
    if (!said.ok()) {
        reply.error = said.error();
    } else {
        reply.message = *said;
        if (question.kind == Kind::ScramLast) reply.roles = accounts_.at(reply.name).roles;
    }
    return reply;
}

std::string ScramClient::first() const {
    return "n,,n=" + name_ + ",r=clientnonce";
}

std::string ScramClient::last(const std::string& serverFirst) {
    const auto fields = split(serverFirst, ',');
    const std::string nonce(fields.at(0).substr(2));
    const std::string salt = *base64Decode(fields.at(1).substr(2));
    const auto iterations = *parseInt(fields.at(2).substr(2));
    const std::string salted = pbkdf2Sha256(password_, salt, iterations);
    const std::string clientKey = hmacSha256(salted, "Client Key");
    const std::string bare = "c=biws,r=" + nonce;
    const std::string message = first().substr(3) + "," + serverFirst + "," + bare;
    const std::string proof = xored(clientKey, hmacSha256(sha256(clientKey), message));
    wanted_ = "v=" + base64Encode(hmacSha256(hmacSha256(salted, "Server Key"), message));
    return bare + ",p=" + base64Encode(proof);
}

}  // namespace postern::chat
