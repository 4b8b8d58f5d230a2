#include "connector/intake/acceptor.h"

#include <atomic>
#include <deque>
#include <set>
#include <thread>

#include "base/log.h"
#include "base/thread.h"
#include "queue/queue.h"

namespace postern::intake {

namespace {

constexpr Millis kRoomIsFresh{500};  // how long one look at the disk is believed

Answer refusal(int code, const char* enhanced, std::string text) {
    return {code, enhanced, std::move(text)};
}

}  // namespace

Answer answerFor(const Error& error) {
    switch (error.code) {
        case Errc::NoSpace: return refusal(452, "4.3.1", "insufficient system storage, try again later");
        case Errc::Stopped: return refusal(421, "4.3.2", "shutting down, try again later");
        case Errc::NotFound: return refusal(550, "5.1.1", error.text);
        case Errc::Invalid: return refusal(550, "5.1.3", error.text);
        case Errc::Unavailable:
        case Errc::Busy: return refusal(451, "4.3.0", error.text);
        default: return refusal(451, "4.3.0", "local error in processing, try again later");
    }
}

// A mail between the door and the store, kept alive by the closures that carry it.
struct Pending {
    IncomingMail mail;
    std::function<void(const Answer&)> done;
    std::shared_ptr<const routing::Router> router;
    MessageId id;
    std::vector<queue::NewItem> items;
};

struct Acceptor::Impl {
    store::Store& store;
    store::Notifier& notifier;
    Clock& clock;
    const std::int64_t reserve;

    mutable Mutex routerMutex;
    std::shared_ptr<const routing::Router> router GUARDED_BY(routerMutex);

    Mutex roomMutex;
    SteadyTime lookedAt GUARDED_BY(roomMutex);
    Result<Space> room GUARDED_BY(roomMutex) = fail(Errc::Internal, "not looked yet");

    // Bodies in files wait here for their disk sync.
    Mutex sealMutex;
    Condition sealWake;
    std::deque<std::shared_ptr<Pending>> toSeal GUARDED_BY(sealMutex);
    bool stopping GUARDED_BY(sealMutex) = false;
    std::thread sealer;

    Impl(store::Store& s, store::Notifier& n, Clock& c, std::int64_t r)
        : store(s), notifier(n), clock(c), reserve(r) {}

    std::shared_ptr<const routing::Router> currentRouter() const {
        MutexLock lock(routerMutex);
        return router;
    }

    void sealLoop();
    void sealAndStore(const std::shared_ptr<Pending>& pending);
    void write(const std::shared_ptr<Pending>& pending);
    void finish(Pending& pending, const Result<void>& written);
};

void Acceptor::Impl::sealLoop() {
    nameThisThread("body-sync");
    for (;;) {
        std::shared_ptr<Pending> pending;
        {
            MutexLock lock(sealMutex);
            while (toSeal.empty() && !stopping)
                sealWake.waitUntil(sealMutex, clock.steady() + std::chrono::seconds(60));
            if (toSeal.empty()) return;
            pending = std::move(toSeal.front());
            toSeal.pop_front();
        }
        sealAndStore(pending);
    }
}

void Acceptor::Impl::sealAndStore(const std::shared_ptr<Pending>& pending) {
    if (const auto sealed = pending->mail.body->seal(); !sealed.ok()) return finish(*pending, sealed.error());
    write(pending);
}

void Acceptor::Impl::write(const std::shared_ptr<Pending>& pending) {
    const WallTime received = pending->mail.message.received;
    pending->items = pending->router->items(pending->mail.recipients, received);
    store.write(
        [pending, received](store::WriteSession& session) -> Result<void> {
            POSTERN_LET(id, store::insertMessage(session, pending->mail.message, *pending->mail.body));
            pending->id = id;
            POSTERN_TRY(queue::enqueue(session, id, pending->items, received));
            return {};
        },
        [this, pending](const Result<void>& written) { finish(*pending, written); });
}

// On the writer's thread, after the commit: first the answer, then the hint (I1).
void Acceptor::Impl::finish(Pending& pending, const Result<void>& written) {
    const store::NewMessage& message = pending.mail.message;
    if (!written.ok()) {
        // A failed commit may surface at the next start; its body must be there then (RELIABILITY 1.4.1).
        if (store.broken()) pending.mail.body->keep();
        LogLine(LogEvent::MessageRefused)
            .with("from", message.sender)
            .with("client", message.client)
            .with("reason", written.error().text);
        return pending.done(answerFor(written.error()));
    }
    pending.mail.body->keep();
    const std::string id = "m" + std::to_string(pending.id.value);
    LogLine(LogEvent::MessageAccepted)
        .with("message", id)
        .with("from", message.sender)
        .with("recipients", static_cast<std::int64_t>(pending.mail.recipients.size()))
        .with("items", static_cast<std::int64_t>(pending.items.size()))
        .with("size", pending.mail.body->size())
        .with("source", message.source)
        .with("client", message.client)
        .with("message_id", message.headerId);
    pending.done({250, "2.0.0", "Ok: queued as " + id});
    std::set<std::string_view> told;
    for (const queue::NewItem& item : pending.items)
        if (told.insert(item.adapter).second) notifier.notify(item.adapter);
}

Acceptor::Acceptor(store::Store& store, store::Notifier& notifier, Clock& clock, std::int64_t reserve)
    : impl_(std::make_unique<Impl>(store, notifier, clock, reserve)) {
    impl_->sealer = std::thread([impl = impl_.get()] { impl->sealLoop(); });
}

Acceptor::~Acceptor() {
    {
        MutexLock lock(impl_->sealMutex);
        impl_->stopping = true;
    }
    impl_->sealWake.notifyAll();
    impl_->sealer.join();
    // What was handed to the store still refers to us: wait until it has answered.
    (void)impl_->store.write([](store::WriteSession&) { return Result<void>(); });
}

void Acceptor::setRouter(std::shared_ptr<const routing::Router> router) {
    MutexLock lock(impl_->routerMutex);
    impl_->router = std::move(router);
}

Result<void> Acceptor::checkRoom(std::int64_t announced) {
    if (impl_->store.broken()) return fail(Errc::Io, "the store takes no more mail");
    MutexLock lock(impl_->roomMutex);
    const SteadyTime now = impl_->clock.steady();
    if (!impl_->room.ok() || now - impl_->lookedAt > kRoomIsFresh) {
        impl_->room = freeSpace(impl_->store.folder());
        impl_->lookedAt = now;
    }
    POSTERN_TRY(impl_->room.ok() ? Result<void>() : Result<void>(impl_->room.error()));
    const std::int64_t wanted = impl_->reserve + announced + announced / 2;
    if (impl_->room->freeBytes >= wanted && impl_->room->freeFiles > 100) return {};
    return fail(Errc::NoSpace, "the store's disk is nearly full");
}

Result<routing::Router::Routed> Acceptor::routeRecipient(const std::string& address) const {
    const auto router = impl_->currentRouter();
    if (!router) return fail(Errc::Unavailable, "no routes are loaded yet, try again later");
    POSTERN_LET(destination, router->route(address));
    return routing::Router::Routed{address, std::move(destination)};
}

std::unique_ptr<store::BodyWriter> Acceptor::newBody() const {
    return std::make_unique<store::BodyWriter>(impl_->store);
}

void Acceptor::accept(IncomingMail mail, std::function<void(const Answer&)> done) {
    auto pending = std::make_shared<Pending>();
    pending->mail = std::move(mail);
    pending->done = std::move(done);
    pending->router = impl_->currentRouter();
    // A reload between RCPT and here may have taken an adapter away; the sender's next attempt is routed
    // anew.
    for (const routing::Router::Routed& recipient : pending->mail.recipients)
        if (!pending->router->knows(recipient.destination.adapter))
            return impl_->finish(*pending,
                                 fail(Errc::Unavailable, "the routes changed meanwhile, try again"));
    if (!pending->mail.body->inFile()) return impl_->sealAndStore(pending);
    MutexLock lock(impl_->sealMutex);
    impl_->toSeal.push_back(std::move(pending));
    impl_->sealWake.notifyOne();
}

}  // namespace postern::intake
