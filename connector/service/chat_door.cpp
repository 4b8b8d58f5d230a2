#include "connector/service/chat_door.h"

#include <algorithm>
#include <exception>

#include "adapters/chat/chat_entry.h"
#include "base/log.h"
#include "base/text.h"
#include "connector/admin/trouble.h"
#include "connector/config/load.h"
#include "connector/version.h"
#include "net/tls_context.h"
#include "queue/waited_for.h"

namespace postern::service {

namespace {

constexpr const char* kPlain = "chat";
constexpr const char* kTls = "chat-tls";

chat::Settings settingsOf(const config::Config& config) {
    chat::Settings settings;
    settings.serverName = config.hostname;
    settings.version = std::string("postern-") + kVersion;
    settings.queue.channel = config.chat.channel;
    settings.queue.nick = config.chat.nick;
    settings.queue.replayed = static_cast<std::size_t>(config.chat.replay);
    settings.limits.clients = static_cast<std::size_t>(config.chat.clients);
    settings.limits.registration = config.chat.registration;
    settings.limits.idle = config.chat.idle;
    settings.limits.probe = config.chat.probe;
    for (const config::Adapter& adapter : config.adapters) {
        if (adapter.kind != adapters::chat::kChatKind) continue;
        const adapters::Settings& given = adapter.settings;
        settings.mail.push_back({adapter.name, given.text("folder"), given.list("channels"),
                                 static_cast<std::size_t>(given.integer("keep")),
                                 static_cast<std::size_t>(given.integer("at_once"))});
    }
    return settings;
}

// All that the chat is made of.
std::string sectionsOf(const config::Config& config) {
    std::string all = config::show(config.chat);
    for (const config::Adapter& adapter : config.adapters) {
        if (adapter.kind != adapters::chat::kChatKind) continue;
        all += adapter.name + "\n";
        for (const char* key : {"folder", "channels", "keep", "at_once"})
            all += adapter.settings.text(key) + "\n";
    }
    return all;
}

admin::Role roleOf(config::ChatRole role) {
    switch (role) {
        case config::ChatRole::Viewer: return admin::Role::Viewer;
        case config::ChatRole::Operator: return admin::Role::Operator;
        case config::ChatRole::Admin: break;
    }
    return admin::Role::Admin;
}

chat::Place placeOf(const char* name, const config::ChatDoor& door) {
    chat::Place place;
    place.name = name;
    place.at.host = door.host;
    place.at.port = door.port;
    place.at.socketPath = door.socketPath;
    place.mostRole = roleOf(door.role);
    return place;
}

// The same socket, or ports that may be in each other's way.
bool overlap(const net::EarPlace& one, const net::EarPlace& other) {
    if (!one.socketPath.empty() || !other.socketPath.empty()) return one.socketPath == other.socketPath;
    return one.port == other.port;
}

bool isAmong(const std::vector<net::EarPlace>& places, const net::EarPlace& place) {
    return std::any_of(places.begin(), places.end(),
                       [&](const net::EarPlace& each) { return overlap(each, place); });
}

std::vector<chat::Place> placesOf(const config::Chat& chat) {
    std::vector<chat::Place> places;
    if (!chat.plain.address.empty()) places.push_back(placeOf(kPlain, chat.plain));
    if (!chat.tls.address.empty()) places.push_back(placeOf(kTls, chat.tls));
    return places;
}

Result<std::shared_ptr<const net::TlsContext>> tlsOf(const config::Chat& chat, WallTime now) {
    return net::TlsContext::make({chat.certificate, chat.key, {}, false}, now);
}

}  // namespace

ChatDoor::ChatDoor(store::Store& store, Clock& clock, admin::Feed& feed,
                   std::function<admin::ServiceView()> view, std::shared_ptr<chat::Presence> presence)
    : store_(store), clock_(clock), feed_(feed), view_(std::move(view)), presence_(std::move(presence)) {}

std::shared_ptr<chat::ChatServer> ChatDoor::server() const {
    MutexLock lock(mutex_);
    return server_;
}

void ChatDoor::open(const config::Config& config) {
    opened_ = sectionsOf(config);
    Result<std::string> started{std::string()};
    try {
        if (config.chat.on()) started = start(config);
    } catch (const std::exception& exception) {  // no thread to be had, say
        started = fail(Errc::Unavailable, exception.what());
    }
    if (!started.ok()) LogLine(LogEvent::ChatUnavailable).with("error", started.error().text);
    if (started.ok() && !started->empty()) {
        if (started->starts_with("tls_address "))
            LogLine(LogEvent::TlsUnavailable).with("listener", kTls).with("error", *started);
        else
            LogLine(LogEvent::ChatUnavailable).with("error", *started);
    }
    MutexLock lock(mutex_);
    unavailable_ = started.ok() ? *started : started.error().text;
}

Result<std::string> ChatDoor::start(const config::Config& config) {
    POSTERN_LET(directory, accounts::Directory::open(store_));
    std::vector<chat::Place> places = placesOf(config.chat);
    for (const chat::Place& place : places) closed_.push_back(place.at);
    std::string closed;
    if (!config.chat.tls.address.empty()) {
        auto tls = tlsOf(config.chat, clock_.now());
        if (tls.ok()) {
            places.back().tls = std::move(*tls);
        } else if (places.size() == 1) {
            return tls.error();
        } else {
            places.pop_back();
            closed = "tls_address " + config.chat.tls.address + " is closed: " + tls.error().text;
        }
    }
    std::string addresses;
    const auto make = [&] {
        return std::make_shared<chat::ChatServer>(
            settingsOf(config), directory, clock_,
            chat::Queue{[this, directory](const chat::Order& order, const admin::RowSink& row) {
                            return carryOut(directory, order, row);
                        },
                        &feed_, presence_},
            wrongTries_);
    };
    auto server = make();
    if (const auto started = server->start(places); !started.ok()) {
        if (places.size() < 2) return started.error();
        // The one that can be opened is.
        closed = started.error().text;
        bool opened = false;
        for (std::size_t i = 0; i < places.size() && !opened; ++i) {
            server = make();
            opened = server->start({places[i]}).ok();
            if (opened) places = {places[i]};
        }
        if (!opened) return started.error();
    }
    const std::vector<int> ports = server->ports();
    for (std::size_t i = 0; i < places.size(); ++i) {
        const net::EarPlace& at = places[i].at;
        addresses += (i == 0 ? "" : " ") + (at.socketPath.empty() ? at.host : at.socketPath);
        if (ports[i] != 0) addresses += ":" + std::to_string(ports[i]);
        std::erase_if(closed_, [&](const net::EarPlace& each) { return overlap(at, each); });
        open_.push_back(at);
        open_.back().port = ports[i];
    }
    MutexLock lock(mutex_);
    server_ = std::move(server);
    places_ = addresses;
    return closed;
}

// What it fails at for one account and adapter, the others need not wait for. `row` tells of a stop.
Result<void> ChatDoor::tryWaiting(const std::vector<std::string>& accounts, const admin::RowSink& row) const {
    const admin::ServiceView view = view_();
    const auto config = view.config();
    const auto goOn = [&row] { return row({}); };
    Result<void> all;
    for (const std::string& account : accounts) {
        for (const config::Adapter& adapter : config->adapters) {
            if (adapter.kind != adapters::chat::kChatKind) continue;
            POSTERN_TRY(goOn());
            const auto due = queue::dueForReason(store_, adapter.name, adapters::chat::awayReason(account),
                                                 account + " is in the chat", clock_.now(), goOn);
            if (due.ok() && *due > 0) view.notifier.notify(adapter.name);
            if (!due.ok() && all.ok()) all = due.error().within("mail for " + account);
        }
    }
    return all;
}

Result<void> ChatDoor::carryOut(const accounts::Directory& directory, const chat::Order& order,
                                const admin::RowSink& row) const {
    if (!order.arrived.empty()) return tryWaiting(order.arrived, row);
    const std::string& who = order.request.who;
    // Asked anew each time: what an account may no more counts at once.
    auto login = directory.login(who);
    if (!login.ok()) return login.error().within("account " + who);
    const auto role = admin::roleOf(login->roles);
    if (!role) return fail(Errc::Denied, "the account " + who + " has nothing to do with the queue any more");
    admin::NoBytes none;
    const auto done = admin::runCommand(view_(), std::min(*role, order.most), order.request, none, row);
    const admin::Command* command = admin::commandNamed(order.request.verb);
    const bool changes = command != nullptr && command->role != admin::Role::Viewer;
    if (changes && !(order.trial && done.ok())) {
        LogLine line(done.ok() ? LogEvent::ControlDone : LogEvent::ControlRefused);
        line.with("verb", order.request.verb).with("who", who).with("from", order.peer);
        for (const char* name : {"change", "ids", "name"})
            if (!order.request.field(name).empty()) line.with(name, order.request.field(name));
        if (!done.ok()) line.with("error", done.error().text);
    }
    return done;
}

// What is in our own hands can be opened again. An address that was closed before is no reason to keep the
// old settings.
Result<void> ChatDoor::canOpen(const config::Config& config, bool same) const {
    for (const chat::Place& place : placesOf(config.chat)) {
        const bool any = place.at.socketPath.empty() && place.at.port == 0;
        if (any || isAmong(open_, place.at) || (!same && isAmong(closed_, place.at))) continue;
        const auto ear = net::Ear::open(place.at);  // closed again at once
        if (!ear.ok()) return ear.error().within("chat listener " + place.name);
    }
    return {};
}

std::vector<config::Problem> ChatDoor::staysAsItWas(const config::Config& config, LogEvent event,
                                                    const Error& error) {
    const std::string text = "stays as it was: " + error.text;
    LogLine line(event);
    if (event == LogEvent::TlsUnavailable) line.with("listener", kTls);
    line.with("error", text);
    MutexLock lock(mutex_);
    notTaken_ = text;
    return {{config.chat.place, "[chat] " + text}};
}

std::vector<config::Problem> ChatDoor::reload(const config::Config& config) {
    const auto running = server();
    const bool same = opened_ == sectionsOf(config);
    bool whole = false;
    {
        MutexLock lock(mutex_);
        notTaken_.clear();
        whole = unavailable_.empty();
    }
    if (same && whole && !config.chat.on()) return {};
    if (running == nullptr || !config.chat.on()) return reopen(config, same);
    if (!config.chat.tls.address.empty() && (same || whole)) {
        auto tls = tlsOf(config.chat, clock_.now());
        // Leaves the chat as it was; one that could not be read before is no reason to keep the old settings.
        if (!tls.ok() && !same) return staysAsItWas(config, LogEvent::TlsUnavailable, tls.error());
        if (!tls.ok()) {
            LogLine(LogEvent::TlsUnavailable).with("listener", kTls).with("error", tls.error().text);
            return {{config.chat.place, "[chat]: " + tls.error().text}};
        }
        if (same && whole) running->useTls(kTls, std::move(*tls));
    }
    if (same && whole) return {};
    if (const auto can = canOpen(config, same); !can.ok()) {
        if (same) {
            LogLine(LogEvent::ChatUnavailable).with("error", can.error().text);
            return {{config.chat.place, "[chat]: " + can.error().text}};
        }
        return staysAsItWas(config, LogEvent::ChatUnavailable, can.error());
    }
    return reopen(config, same);
}

std::vector<config::Problem> ChatDoor::reopen(const config::Config& config, bool same) {
    close(!config.chat.on() ? "The chat was turned off"
          : same            ? "The chat is opened anew, come again in a moment"
                            : "The chat's settings were changed, come again in a moment");
    open(config);
    const std::string trouble = state().unavailable;
    if (trouble.empty()) return {};
    return {{config.chat.place, (server() == nullptr ? "[chat] is not there: " : "[chat]: ") + trouble}};
}

std::vector<config::Problem> ChatDoor::warnings(const config::Config& config) const {
    std::string text;
    const auto read = store_.read([&](store::ReadSession& session) -> Result<void> {
        POSTERN_LET(found, admin::nobodyForChat(config, session));
        text = std::move(found);
        return {};
    });
    if (!read.ok()) text = "[chat]: whether anybody may enter can not be read: " + read.error().text;
    if (text.empty()) return {};
    return {{config.chat.place, text}};
}

void ChatDoor::close(const std::string& why) {
    std::shared_ptr<chat::ChatServer> last;
    open_.clear();
    closed_.clear();
    {
        MutexLock lock(mutex_);
        last.swap(server_);
        places_.clear();
    }
    // Others may still hold it for a hint; it is stopped all the same.
    if (!last) return;
    last->stop(why);
    const std::int64_t failed = last->figures().tlsFailed;
    MutexLock lock(mutex_);
    tlsFailedBefore_ += failed;
}

std::int64_t ChatDoor::tlsFailed() const {
    const auto running = server();
    const std::int64_t failed = running ? running->figures().tlsFailed : 0;
    MutexLock lock(mutex_);
    return tlsFailedBefore_ + failed;
}

void ChatDoor::hint() {
    if (const auto running = server()) running->hint();
}

bool ChatDoor::stuck() const {
    const auto running = server();
    return running != nullptr && running->stuck();
}

admin::ChatState ChatDoor::state() const {
    admin::ChatState state;
    if (const auto running = server()) {
        const chat::Figures figures = running->figures();
        const chat::Counters& counters = figures.counters;
        state.lastDeath = figures.lastDeath;
        state.deaths = figures.deaths;
        state.clients = figures.connected;
        state.commands = figures.orders;
        state.loggedOn = counters.registered;
        state.refused = counters.refused;
        state.notLoggedOn = counters.notRegistered;
        state.nickInUse = counters.nickInUse;
        state.wrongPasswords = counters.wrongPasswords;
        state.barred = counters.barred;
        state.silent = counters.silent;
        state.overflown = counters.overflown;
        state.stalled = counters.stalled;
        state.late = counters.late;
    }
    MutexLock lock(mutex_);
    state.places = places_;
    state.unavailable = unavailable_ + (unavailable_.empty() || notTaken_.empty() ? "" : "; ") + notTaken_;
    return state;
}

}  // namespace postern::service
