// AUTH (RFC 4954): the exchange of lines. Whether a password is right is decided elsewhere (log_on.h); the
// session waits meanwhile.

#include "base/digest.h"
#include "base/text.h"
#include "connector/intake/smtp_session.h"

namespace postern::intake {

namespace {

constexpr int kLongestLine = 12'288 + 2;  // RFC 4954 4, with its CR LF
constexpr int kMostFailed = 3;            // wrong passwords before the session ends

struct MechanismName {
    std::string_view name;
    Mechanism mechanism;
};
constexpr MechanismName kMechanisms[] = {
    {"PLAIN", Mechanism::Plain}, {"LOGIN", Mechanism::Login}, {"SCRAM-SHA-256", Mechanism::Scram}};

std::optional<Mechanism> mechanismNamed(std::string_view name) {
    for (const MechanismName& each : kMechanisms) {
        if (equalsIgnoreCase(each.name, name)) return each.mechanism;
    }
    return std::nullopt;
}

}  // namespace

// A password in the clear is everybody's, and SCRAM without TLS protects it but not the session behind it.
bool SmtpSession::mayLogOn() const {
    return offersAuth() && (overTls() || client_.address.empty());
}

void SmtpSession::onAuth(const Command& command) {
    if (!offersAuth()) return refuse(502, "5.5.1", "command not implemented");
    if (hello_ != Hello::Ehlo && hello_ != Hello::Lhlo) return refuse(503, "5.5.1", "say EHLO first");
    if (!mayLogOn()) return refuse(538, "5.7.11", "logging on wants TLS: say STARTTLS first");
    if (!account_.empty()) return refuse(503, "5.5.1", "you are logged on already");
    if (transaction_) return refuse(503, "5.5.1", "AUTH inside a transaction");
    const std::size_t space = std::min(command.argument.find(' '), command.argument.size());
    const auto mechanism = mechanismNamed(command.argument.substr(0, space));
    const std::string_view initial = trim(command.argument.substr(space));
    if (command.argument.empty() || initial.find(' ') != std::string_view::npos) {
        return refuse(501, "5.5.4", "say AUTH mechanism [response]");
    }
    if (!mechanism) return refuse(504, "5.5.4", "this mechanism is not offered");
    logOn_.emplace().mechanism = *mechanism;
    phase_ = Phase::LogOn;
    if (!initial.empty()) return onLogOnLine(initial == "=" ? std::string_view() : initial);
    challenge(*mechanism == Mechanism::Login ? "Username:" : "");
}

bool SmtpSession::workLogOn(std::string_view& input) {
    const auto line = lines_.take(input, kLongestLine);
    if (!line) return false;
    if (line->kind == Line::Kind::TooLong) {
        endLogOn(500, "5.5.6", "the line is too long");
    } else if (line->kind != Line::Kind::Good) {
        endLogOn(501, "5.5.2", "this is no base64");
    } else if (line->text == "*") {
        endLogOn(501, "5.7.0", "given up, as you wish");
    } else {
        onLogOnLine(line->text);
    }
    return true;
}

void SmtpSession::onLogOnLine(std::string_view line) {
    const auto said = base64Decode(line);
    if (!said) return endLogOn(501, "5.5.2", "this is no base64");
    LogOn& logOn = *logOn_;
    const int round = logOn.round++;
    switch (logOn.mechanism) {
        case Mechanism::Plain: return onPlain(*said);
        case Mechanism::Login:
            if (round > 0) return askLogOn({LogOnStep::Kind::Password, logOn.name, *said, {}});
            logOn.name = *said;
            return challenge("Password:");
        case Mechanism::Scram:
            if (round == 0) return askLogOn({LogOnStep::Kind::ScramFirst, {}, {}, *said});
            if (round == 1) return askLogOn({LogOnStep::Kind::ScramLast, {}, {}, *said, logOn.exchange});
            if (!said->empty()) return endLogOn(501, "5.5.2", "an empty response was wanted");
            return loggedOnAs(logOn.name);
    }
}

// RFC 4616: [as whom] NUL who NUL password. Nobody may act as another here.
void SmtpSession::onPlain(const std::string& said) {
    const auto parts = split(said, '\0');
    if (parts.size() != 3 || parts[1].empty()) return endLogOn(501, "5.5.2", "this is no response of PLAIN");
    if (!parts[0].empty() && parts[0] != parts[1]) {
        noteLogOn(client_.name, {fail(Errc::Denied, "another's identity"), std::string(parts[1])});
        return refuseLogOn();
    }
    askLogOn({LogOnStep::Kind::Password, std::string(parts[1]), std::string(parts[2]), {}});
}

void SmtpSession::challenge(std::string_view text) {
    replies_ += "334 " + base64Encode(text) + "\r\n";
}

void SmtpSession::askLogOn(LogOnStep step) {
    logOn_->step = std::move(step);
    phase_ = Phase::Waiting;
}

std::optional<LogOnStep> SmtpSession::takeLogOn() {
    return logOn_ ? std::exchange(logOn_->step, std::nullopt) : std::nullopt;
}

void SmtpSession::logOnAnswered(const LogOnAnswer& answer, Now now) {
    if (phase_ != Phase::Waiting || !logOn_ || closing_) return;
    now_ = now;
    phase_ = Phase::LogOn;
    judgeLogOn(answer);
    resume();
}

void SmtpSession::judgeLogOn(const LogOnAnswer& answer) {
    if (answer.error) {
        if (answer.error->code == Errc::Denied) return refuseLogOn();
        if (answer.error->code == Errc::Invalid) return endLogOn(501, "5.5.2", answer.error->text);
        return endLogOn(454, "4.7.0", "logging on is not possible at the moment; try again later");
    }
    logOn_->name = answer.name;
    logOn_->exchange = answer.exchange;
    if (logOn_->mechanism == Mechanism::Scram) return challenge(answer.message);
    loggedOnAs(answer.name);
}

void SmtpSession::loggedOnAs(const std::string& name) {
    account_ = name;
    maySend_.reset();
    failedLogOns_ = 0;
    logOn_.reset();
    phase_ = Phase::Command;
    reply(235, "2.7.0", "Authentication successful");
}

// The same words for a wrong password and an unknown name.
void SmtpSession::refuseLogOn() {
    endLogOn(535, "5.7.8", "Authentication credentials invalid");
    if (++failedLogOns_ >= kMostFailed && !closing_)
        closeWith421("4.7.0", "too many wrong passwords", "log on");
}

void SmtpSession::endLogOn(int code, std::string_view enhanced, std::string_view text) {
    logOn_.reset();
    phase_ = Phase::Command;
    if (code < 500) return reply(code, enhanced, text);
    refuse(code, enhanced, text);
}

}  // namespace postern::intake
