#include "connector/intake/log_on.h"

#include <utility>

#include "base/log.h"
#include "connector/accounts/log_on_desk.h"

namespace postern::intake {

namespace {

constexpr std::size_t kMostWaiting = 256;  // about a second of work at the default cost of a password

using Question = accounts::LogOnQuestion;

Question questionOf(LogOnStep step) {
    Question question;
    question.kind = step.kind == LogOnStep::Kind::Password     ? Question::Kind::Password
                    : step.kind == LogOnStep::Kind::ScramFirst ? Question::Kind::ScramFirst
                                                               : Question::Kind::ScramLast;
    question.name = std::move(step.name);
    question.password = std::move(step.password);
    question.message = std::move(step.message);
    question.exchange = std::move(step.exchange);
    return question;
}

LogOnAnswer answerOf(accounts::LogOnReply reply, bool proves) {
    LogOnAnswer answer;
    answer.error = std::move(reply.error);
    answer.name = std::move(reply.name);
    answer.exchange = std::move(reply.exchange);
    if (!answer.error && proves && !reply.roles.send) {
        answer.error = fail(Errc::Denied, "the account may not send mail");
    } else {
        answer.message = std::move(reply.message);
    }
    return answer;
}

}  // namespace

void noteLogOn(const std::string& client, const LogOnAnswer& answer) {
    const bool begun = !answer.error && answer.exchange != nullptr;  // SCRAM: a name, and no proof yet
    const bool unread = answer.error && answer.error->code == Errc::Invalid;
    if (begun || unread) return;
    LogLine line(answer.error ? LogEvent::AuthFailed : LogEvent::AuthOk);
    line.with("client", client).with("account", answer.name);
    if (answer.error) line.with("error", answer.error->text);
}

struct LogOnDesk::Impl {
    explicit Impl(accounts::Directory directory) : desk(std::move(directory), kMostWaiting) {}
    accounts::LogOnDesk desk;
};

LogOnDesk::LogOnDesk(accounts::Directory directory) : impl_(std::make_unique<Impl>(std::move(directory))) {}
LogOnDesk::~LogOnDesk() = default;

void LogOnDesk::ask(LogOnStep step, Done done) {
    const bool proves = step.kind != LogOnStep::Kind::ScramFirst;
    impl_->desk.ask(questionOf(std::move(step)),
                    [done = std::move(done), proves](accounts::LogOnReply reply) {
                        done(answerOf(std::move(reply), proves));
                    });
}

}  // namespace postern::intake
