#include "connector/intake/acceptor.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "base/log.h"
#include "base/sync.h"
#include "base/text.h"
#include "base/thread.h"
#include "connector/intake/duplicates.h"
#include "mail/address.h"
#include "queue/queue.h"

namespace postern::intake {

namespace {

constexpr std::chrono::seconds kConfirmAfter{1};  // confirmations without a commit that would take them along
constexpr std::chrono::seconds kWait{3'600};      // waits have a deadline; a new one begins where it passes

// A mail between accept() and its answer.
struct Job {
    IncomingMail mail;
    std::vector<queue::NewItem> items;
    std::function<void(const Answer&)> done;
    Duplicates::Keys keys = {};
    Duplicates::Ids confirmed = {};  // written by this job's commit
    MessageId id = {};
    std::vector<ItemId> itemIds = {};  // of `items`, once stored
    bool duplicate = false;            // of `id`: not stored again
    bool part = false;                 // and for some of its recipients only
};
using JobPointer = std::shared_ptr<Job>;

std::string idText(MessageId id) {
    return "m" + std::to_string(id.value);
}

void logRefused(const Job& job, const Error& error) {
    LogLine(LogEvent::MessageRefused)
        .with("source", job.mail.message.source)
        .with("client", job.mail.message.client)
        .with("sender", job.mail.message.sender)
        .with("error", std::string(errcName(error.code)) + ": " + error.text);
}

// The envelope, so that "did Bob's mail arrive?" is one search in the log; the log cuts a long list.
std::string recipientsOf(const Job& job) {
    std::string text;
    for (const auto& recipient : job.mail.recipients) {
        if (!text.empty()) text += ",";
        text += recipient.address;
        if (text.size() > 500) break;
    }
    return text;
}

void logAccepted(const Job& job) {
    const store::NewMessage& message = job.mail.message;
    LogLine line(LogEvent::MessageAccepted);
    line.with("message", idText(job.id)).with("sender", message.sender);
    line.with("recipients", static_cast<std::int64_t>(job.mail.recipients.size()));
    line.with("to", recipientsOf(job));
    line.with("items", static_cast<std::int64_t>(job.items.size()));
    line.with("size", job.mail.body->size()).with("source", message.source).with("client", message.client);
    if (!job.mail.trace.empty()) line.with("trace", job.mail.trace);
    if (!message.account.empty()) line.with("account", message.account);
    if (!message.headerId.empty()) line.with("header_id", message.headerId);
}

void logDuplicate(const Job& job) {
    const store::NewMessage& message = job.mail.message;
    LogLine(LogEvent::MessageDuplicate)
        .with("message", idText(job.id))
        .with("sender", message.sender)
        .with("to", recipientsOf(job))
        .with("source", message.source)
        .with("client", message.client)
        .with("header_id", message.headerId);
}

void logHeld(const Job& job) {
    for (std::size_t i = 0; i < job.items.size() && i < job.itemIds.size(); ++i) {
        if (job.items[i].hold.empty()) continue;
        LogLine(LogEvent::ItemHeld, job.itemIds[i])
            .with("adapter", job.items[i].adapter)
            .with("message", idText(job.id))
            .with("reason", job.items[i].hold);
    }
}

}  // namespace

Answer answerFor(const Error& error) {
    switch (error.code) {
        case Errc::NoSpace: return {452, "4.3.1", "not enough room at the moment; try again later"};
        case Errc::Stopped: return {421, "4.3.2", "the service is shutting down; try again later"};
        case Errc::NotFound: return {550, "5.1.1", error.text};
        case Errc::Invalid: return {550, "5.1.3", error.text};
        case Errc::Denied: return {550, "5.7.1", error.text};
        case Errc::TooLarge: return {552, "5.3.4", error.text};
        case Errc::Unavailable: return {451, "4.3.0", "not available at the moment; try again later"};
        case Errc::Exists:
        case Errc::Busy:
        case Errc::Io:
        case Errc::Corrupt:
        case Errc::Internal: break;
    }
    return {451, "4.3.0", "the message can not be stored at the moment; try again later"};
}

struct Acceptor::Impl {
    Impl(store::Store& theStore, store::Notifier& theNotifier, Clock& theClock, const disk::Limits& limits,
         disk::LookAtVolume look)
        : store(theStore),
          notifier(theNotifier),
          clock(theClock),
          room(theStore, theClock, limits, std::move(look)) {}

    std::shared_ptr<const routing::Router> currentRouter() const EXCLUDES(mutex) {
        MutexLock lock(mutex);
        return router;
    }

    Result<void> makeItems(Job& job) const;
    void keepSealed(const JobPointer& job);
    Result<void> storeOnce(store::WriteSession& session, Job& job);
    void writeConfirmed(const std::function<void()>& done);
    void sealLater(JobPointer job) EXCLUDES(mutex);
    void confirm(MessageId id) EXCLUDES(mutex);
    void sealLoop() EXCLUDES(mutex);
    JobPointer nextToSeal() EXCLUDES(mutex);
    bool confirmationsDue() EXCLUDES(mutex);
    void closeOne() EXCLUDES(mutex);
    void writeRest() EXCLUDES(mutex);
    void finish(Job& job, const Result<void>& stored) EXCLUDES(mutex);
    void answer(Job& job, const Answer& answer) EXCLUDES(mutex);

    store::Store& store;
    store::Notifier& notifier;
    Clock& clock;
    disk::Room room;  // has its own thread rule, as all three

    Duplicates duplicates;
    std::optional<LogOnDesk> desk;

    mutable Mutex mutex;
    Condition changed;
    std::optional<SteadyTime> confirmAt GUARDED_BY(mutex);
    std::shared_ptr<const routing::Router> router GUARDED_BY(mutex);
    std::int64_t open GUARDED_BY(mutex) = 0;  // mails without their answer
    bool leaving GUARDED_BY(mutex) = false;   // somebody waits for open to be 0
    std::deque<JobPointer> toSeal GUARDED_BY(mutex);
    bool stopping GUARDED_BY(mutex) = false;
    std::jthread sealer;
};

Acceptor::Acceptor(store::Store& store, store::Notifier& notifier, Clock& clock, const disk::Limits& limits,
                   disk::LookAtVolume look)
    : impl_(std::make_unique<Impl>(store, notifier, clock, limits, std::move(look))) {
    impl_->sealer = std::jthread([impl = impl_.get()] {
        nameThisThread("body-sync");
        impl->sealLoop();
    });
}

Acceptor::~Acceptor() {
    impl_->writeRest();
    {
        MutexLock lock(impl_->mutex);
        impl_->leaving = true;
        while (impl_->open > 0) {
            impl_->changed.waitUntil(impl_->mutex, std::chrono::steady_clock::now() + kWait);
        }
        impl_->stopping = true;
        impl_->changed.notifyAll();
    }
    impl_->sealer.join();
}

// What a service that stops in peace knows, it does not forget.
void Acceptor::Impl::writeRest() {
    if (!duplicates.due() || store.broken()) return;
    {
        MutexLock lock(mutex);
        ++open;
    }
    writeConfirmed([this] { closeOne(); });
}

void Acceptor::setRouter(std::shared_ptr<const routing::Router> router) {
    MutexLock lock(impl_->mutex);
    impl_->router = std::move(router);
}

void Acceptor::setAccounts(accounts::Directory directory) {
    impl_->desk.emplace(std::move(directory));
}

void Acceptor::logOn(LogOnStep step, LogOnDesk::Done done) {
    if (impl_->desk) return impl_->desk->ask(std::move(step), std::move(done));
    LogOnAnswer answer;
    answer.error = fail(Errc::Unavailable, "the accounts are not open yet");
    done(answer);
}

const std::string& Acceptor::storeId() const {
    return impl_->store.id();
}

disk::Room& Acceptor::room() {
    return impl_->room;
}

Result<void> Acceptor::checkRoom(std::int64_t announced) {
    return impl_->room.check(announced);
}

Result<disk::Claim> Acceptor::claimRoom(std::int64_t announced) {
    return impl_->room.claim(announced);
}

Result<routing::Router::Routed> Acceptor::routeRecipient(const std::string& address,
                                                         const Envelope& envelope) const {
    const auto router = impl_->currentRouter();
    if (!router) return fail(Errc::Stopped, "no routes yet");
    POSTERN_LET(parsed, mail::parseAddress(address, {true, false, {}}));
    POSTERN_LET(routed, router->admit(address, {envelope.sender, envelope.source, envelope.size}));
    if (mail::looksRelayed(parsed) && !routed.destination.literal)
        return fail(Errc::Denied, "mail is not relayed by such addresses");
    return routed;
}

std::unique_ptr<store::BodyWriter> Acceptor::newBody() const {
    return std::make_unique<store::BodyWriter>(impl_->store);
}

void Acceptor::accept(IncomingMail mail, std::function<void(const Answer&)> done) {
    const auto job = std::make_shared<Job>(Job{std::move(mail), {}, std::move(done)});
    job->keys = Duplicates::keysOf(job->mail);
    {
        MutexLock lock(impl_->mutex);
        ++impl_->open;
    }
    // Between two looks at the disk the reserve must hold as well, however fast mail comes in.
    // What is in a file of its own stands there already, and its rows are small.
    const std::int64_t size = job->mail.body->size();
    impl_->room.took(job->mail.body->inFile() ? size : 2 * size);
    if (const auto made = impl_->makeItems(*job); !made.ok()) return impl_->finish(*job, made);
    if (job->mail.body->inFile()) return impl_->sealLater(job);
    impl_->keepSealed(job);
}

// The mail is complete: rules on its header and its true size decide now. The routes may be others than at
// RCPT time; a recipient whose adapter is gone sends the whole mail back for later, when its RCPT gets the
// answer of the new routes.
Result<void> Acceptor::Impl::makeItems(Job& job) const {
    const auto routes = currentRouter();
    if (!routes) return fail(Errc::Stopped, "no routes yet");
    if (job.mail.recipients.empty()) return fail(Errc::Internal, "a mail without recipients");
    const store::NewMessage& message = job.mail.message;
    const routing::Mail mail{message.sender, message.source, job.mail.body->size(), true, job.mail.header};
    for (auto& recipient : job.mail.recipients) {
        if (!routes->knows(recipient.destination.adapter)) {
            return fail(Errc::Unavailable, "adapter " + recipient.destination.adapter + " is gone");
        }
        POSTERN_TRY(routes->readmit(recipient, mail));
    }
    job.items = routes->items(job.mail.recipients, job.mail.message.received);
    return {};
}

void Acceptor::Impl::keepSealed(const JobPointer& job) {
    if (const auto sealed = job->mail.body->seal(); !sealed.ok()) return finish(*job, sealed);
    store.write([this, job](store::WriteSession& session) { return storeOnce(session, *job); },
                [this, job](const Result<void>& stored) { finish(*job, stored); });
}

Result<void> Acceptor::Impl::storeOnce(store::WriteSession& session, Job& job) {
    const WallTime now = clock.now();
    POSTERN_TRY(duplicates.write(session, now, job.confirmed));
    if (job.keys.wanted()) {
        POSTERN_LET(first, duplicates.find(session, job.keys, now));
        job.duplicate = first.has_value();
        if (first) {
            job.id = first->of;
            job.part = first->part;
            return {};
        }
    }
    POSTERN_LET(id, store::insertMessage(session, job.mail.message, *job.mail.body));
    POSTERN_LET(items, queue::enqueue(session, id, job.items, job.mail.message.received));
    job.id = id;
    job.itemIds = std::move(items);
    return duplicates.remember(session, job.keys, id, now);
}

// The commit is empty and costs nothing when another took them along meanwhile.
void Acceptor::Impl::writeConfirmed(const std::function<void()>& done) {
    const auto written = std::make_shared<Duplicates::Ids>();
    store.write(
        [this, written](store::WriteSession& session) {
            return duplicates.write(session, clock.now(), *written);
        },
        [this, written, done](const Result<void>& stored) {
            if (!stored.ok()) duplicates.giveBack(*written);
            done();
        });
}

void Acceptor::Impl::sealLater(JobPointer job) {
    MutexLock lock(mutex);
    toSeal.push_back(std::move(job));
    changed.notifyAll();
}

// Also null when confirmations are due.
JobPointer Acceptor::Impl::nextToSeal() {
    MutexLock lock(mutex);
    while (toSeal.empty()) {
        if (stopping) return nullptr;
        const SteadyTime now = std::chrono::steady_clock::now();
        if (confirmAt && now >= *confirmAt) return nullptr;
        changed.waitUntil(mutex, confirmAt ? *confirmAt : now + kWait);
    }
    JobPointer job = std::move(toSeal.front());
    toSeal.pop_front();
    return job;
}

bool Acceptor::Impl::confirmationsDue() {
    MutexLock lock(mutex);
    if (stopping || !confirmAt || std::chrono::steady_clock::now() < *confirmAt) return false;
    confirmAt.reset();
    ++open;
    return true;
}

void Acceptor::Impl::sealLoop() {
    for (;;) {
        const JobPointer job = nextToSeal();
        if (job) keepSealed(job);
        const bool due = confirmationsDue();
        if (due && duplicates.due())
            writeConfirmed([this] { closeOne(); });
        else if (due)
            closeOne();
        else if (!job)
            return;
    }
}

void Acceptor::Impl::confirm(MessageId id) {
    duplicates.confirm(id);
    MutexLock lock(mutex);
    if (confirmAt) return;
    confirmAt = std::chrono::steady_clock::now() + kConfirmAfter;
    changed.notifyAll();
}

void Acceptor::confirm(MessageId message) {
    impl_->confirm(message);
}

// Commit first, then tell: the watchers, then the sender.
void Acceptor::Impl::finish(Job& job, const Result<void>& stored) {
    // After a commit that failed without saying how, a row may surface at the next start: its file must be
    // there.
    if ((stored.ok() && !job.duplicate) || store.broken()) job.mail.body->keep();
    if (!stored.ok()) {
        if (job.id && !job.duplicate) duplicates.settled(job.keys, job.id, false);
        duplicates.giveBack(job.confirmed);
        logRefused(job, stored.error());
        // Here a rule of ours failed, not the sender's address: nothing a sender could mend.
        const bool ours = stored.error().code == Errc::Invalid || stored.error().code == Errc::NotFound;
        return answer(job, answerFor(ours ? fail(Errc::Internal, stored.error().text) : stored.error()));
    }
    if (job.duplicate) {
        logDuplicate(job);
        return answer(job, {250, "2.0.0", "Ok: queued as " + idText(job.id), job.id, job.part});
    }
    std::set<std::string_view> adapters;
    for (const queue::NewItem& item : job.items) {
        if (adapters.insert(item.adapter).second) notifier.notify(item.adapter);
    }
    logAccepted(job);
    logHeld(job);
    answer(job, {250, "2.0.0", "Ok: queued as " + idText(job.id), job.id});
}

void Acceptor::Impl::answer(Job& job, const Answer& answer) {
    job.mail.body.reset();
    job.mail.room = {};
    job.done(answer);
    closeOne();
}

void Acceptor::Impl::closeOne() {
    MutexLock lock(mutex);
    if (--open == 0 && leaving) changed.notifyAll();
}

}  // namespace postern::intake
