#include "connector/accounts/log_on_desk.h"

#include <utility>

#include "base/work_queue.h"

namespace postern::accounts {

namespace {

struct Waiter {
    LogOnQuestion question;
    LogOnDesk::Done done;
};

LogOnReply failed(Error error, std::string name) {
    LogOnReply reply;
    reply.error = std::move(error);
    reply.name = std::move(name);
    return reply;
}

LogOnReply replyTo(const Result<Login>& login, const std::string& name) {
    if (!login.ok()) return failed(login.error(), name);
    LogOnReply reply;
    reply.name = login->name;
    reply.roles = login->roles;
    return reply;
}

LogOnReply firstOfScram(const Directory& directory, const LogOnQuestion& question) {
    LogOnReply reply;
    reply.exchange = std::make_shared<ScramServer>(
        [&directory](const std::string& name) { return directory.candidate(name); });
    auto said = reply.exchange->first(question.message);
    reply.name = reply.exchange->name();
    if (!said.ok()) return failed(said.error(), reply.name);
    reply.message = std::move(*said);
    return reply;
}

LogOnReply lastOfScram(const Directory& directory, const LogOnQuestion& question) {
    auto said = question.exchange->last(question.message);
    if (!said.ok()) return failed(said.error(), question.exchange->name());
    LogOnReply reply = replyTo(directory.login(question.exchange->name()), question.exchange->name());
    reply.message = std::move(*said);
    return reply;
}

}  // namespace

struct LogOnDesk::Impl {
    Impl(Directory theDirectory, std::size_t most)
        : directory(std::move(theDirectory)),
          queue("log-on", most, [this](const Waiter& waiter, bool stopped) {
              waiter.done(stopped ? failed(fail(Errc::Stopped, "the service is shutting down"), {})
                                  : decide(waiter.question));
          }) {}

    LogOnReply decide(const LogOnQuestion& question) const;

    const Directory directory;
    WorkQueue<Waiter> queue;
};

LogOnDesk::LogOnDesk(Directory directory, std::size_t mostWaiting)
    : impl_(std::make_unique<Impl>(std::move(directory), mostWaiting)) {}

LogOnDesk::~LogOnDesk() = default;

void LogOnDesk::ask(LogOnQuestion question, Done done) {
    Waiter waiter{std::move(question), std::move(done)};
    if (impl_->queue.put(std::move(waiter))) return;
    waiter.done(failed(fail(Errc::Busy, "too many log on at once"), waiter.question.name));
}

LogOnReply LogOnDesk::Impl::decide(const LogOnQuestion& question) const {
    switch (question.kind) {
        case LogOnQuestion::Kind::ScramFirst: return firstOfScram(directory, question);
        case LogOnQuestion::Kind::ScramLast: return lastOfScram(directory, question);
        case LogOnQuestion::Kind::Password: break;
    }
    return replyTo(directory.logOn(question.name, question.password), question.name);
}

}  // namespace postern::accounts
