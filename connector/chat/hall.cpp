#include "connector/chat/hall.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "connector/chat/commands.h"
#include "connector/chat/floor.h"
#include "connector/chat/mail_board.h"
#include "connector/chat/steward.h"

namespace postern::chat {

namespace {

// A browser, or a page in one that means us harm: what follows could be lines (CHAT over HTTP).
constexpr std::array<std::string_view, 9> kHttp = {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS",
                                                   "PATCH",   "POST",   "PUT", "TRACE"};
constexpr std::size_t kLongestLabel = 64;  // IRCv3 labeled-response

std::string labelOf(const Client& client, const Message& message) {
    const auto label = message.tags.find("label");
    const bool wanted = client.caps.has(Cap::LabeledResponse) && client.caps.has(Cap::Batch);
    if (!wanted || label == message.tags.end() || label->second.size() > kLongestLabel) return {};
    // Of a line that is refused for its bytes: what is said back is text all the same.
    const bool text = validUtf8(label->second) && label->second.find('\0') == std::string::npos;
    return text ? label->second : std::string();
}

// As it may be repeated to the client.
std::string shownCommand(const std::string& command) {
    const bool fine =
        !command.empty() && command.size() <= 32 &&
        std::all_of(command.begin(), command.end(), [](char c) { return c > ' ' && c < 0x7f && c != ':'; });
    return fine ? command : "*";
}

// The bucket of commands and that of bytes: each is paid for in time, and some are lent.
SteadyTime commandsDue(const Limits& limits, const Client& client) {
    return limits.burst == 0 ? SteadyTime::min() : client.commandsPaid - limits.interval * (limits.burst - 1);
}
std::chrono::nanoseconds priceOf(const Limits& limits, std::size_t bytes) {
    return std::chrono::nanoseconds(60'000'000'000 / static_cast<std::int64_t>(limits.bytesPerMinute)) *
           static_cast<std::int64_t>(bytes);
}
SteadyTime bytesDue(const Limits& limits, const Client& client) {
    return limits.burst == 0 ? SteadyTime::min() : client.bytesPaid - std::chrono::seconds(60);
}
SteadyTime mayGoOn(const Limits& limits, const Client& client) {
    return client.registered ? std::max(commandsDue(limits, client), bytesDue(limits, client))
                             : SteadyTime::min();
}

void pay(const Limits& limits, Client& client, std::size_t bytes, SteadyTime now) {
    client.commandsPaid = std::max(client.commandsPaid, now) + limits.interval;
    client.bytesPaid = std::max(client.bytesPaid, now) + priceOf(limits, bytes);
}

void refuse(Floor& floor, Client& client, const Message& message, Parsed parsed) {
    if (parsed == Parsed::TooLong) return floor.reply(client, Numeric::InputTooLong);
    const bool utf8 = parsed == Parsed::NoUtf8;
    floor.fromServer(
        client, "FAIL",
        {shownCommand(message.command), utf8 ? "INVALID_UTF8" : "INVALID_BYTES",
         utf8 ? "Message rejected, it is not UTF-8" : "Message rejected, it has NUL or CR inside"});
}

void dispatch(Floor& floor, Client& client, const Message& message) {
    const Command* command = findCommand(message.command);
    const bool probe = message.command == "IRCX" || message.command == "ISIRCX";  // before NICK, too
    if (!client.registered && !probe && (command == nullptr || !command->early))
        return floor.reply(client, Numeric::NotRegistered);
    if (command == nullptr)
        return floor.reply(client, Numeric::UnknownCommand, {shownCommand(message.command)});
    if (message.parameters.size() < command->least)
        return floor.reply(client, Numeric::NeedMoreParams, {command->name});
    command->run(floor, client, message);
}

void carryOut(Floor& floor, Client& client, const std::string& line) {
    Message message;
    const Parsed parsed = parseMessage(line, message);
    const bool first = client.linesSeen == 1 && !client.registered;
    if (first && std::find(kHttp.begin(), kHttp.end(), message.command) != kHttp.end())
        return floor.doom(client, "This is no web server");
    if (parsed == Parsed::Empty) return;
    ++floor.counters.commands;
    floor.beginAnswer(client, labelOf(client, message));
    parsed == Parsed::Good ? dispatch(floor, client, message) : refuse(floor, client, message, parsed);
    floor.endAnswer(client);
}

bool tooMuchBefore001(const Limits& limits, const Client& client) {
    return !client.registered &&
           (client.linesSeen > limits.registrationLines || client.bytesSeen > limits.registrationBytes);
}

bool mayWork(const Floor& floor, const Client& client) {
    return !client.doomed && !client.gone && client.waiting == Client::Waiting::Nothing && !client.listing &&
           client.output.size() < floor.settings.limits.sendQueueSoft;
}

// Carries out what waits, as far as it may.
void work(Floor& floor, Client& client) {
    const Limits& limits = floor.settings.limits;
    while (mayWork(floor, client) && client.input.holdsLine()) {
        const SteadyTime now = floor.clock.steady();
        if (const SteadyTime due = mayGoOn(limits, client); due > now) return floor.arm(client, due);
        const auto line = client.input.take();
        if (!client.registered) {
            ++client.linesSeen;
            client.bytesSeen += line->size() + 2;
        }
        if (tooMuchBefore001(limits, client)) return floor.doom(client, "Too much before logging on");
        if (client.registered) pay(limits, client, line->size() + 2, now);
        carryOut(floor, client, *line);
    }
}

// Whether a client may be silent because we do not read from it.
bool unread(const Floor& floor, const Client& client) {
    const Limits& limits = floor.settings.limits;
    return client.input.holdsLine() || client.input.size() >= limits.receiveQueue ||
           client.output.size() >= limits.sendQueueSoft;
}

// When its silence has its next consequence.
SteadyTime silentUntil(const Limits& limits, const Client& client) {
    return client.pings == 0 ? client.heard + limits.idle : client.pinged + limits.probe;
}

void probe(Floor& floor, Client& client, SteadyTime now) {
    if (client.pings == 2) {
        ++floor.counters.silent;
        return floor.doom(client, "Ping timeout");
    }
    ++client.pings;
    client.pinged = now;
    floor.send(client, {writeMessage("", "PING", {floor.settings.serverName}, true)}, false);
}

// Looks at one client whose timer went off, and arms it anew.
void look(Floor& floor, Client& client, SteadyTime now) {
    const Limits& limits = floor.settings.limits;
    if (client.gone) {
        if (client.endBy <= now) client.output.clear();
        return client.endBy <= now ? floor.touched.push_back(client.id) : floor.arm(client, client.endBy);
    }
    if (!client.output.empty() && now - client.progress >= limits.stalled) {
        ++floor.counters.stalled;
        return floor.doom(client, "It takes no bytes");
    }
    if (!client.registered && now - client.connected >= limits.registration) {
        ++floor.counters.late;
        return floor.doom(client, "Registration timeout");
    }
    work(floor, client);
    if (unread(floor, client)) client.heard = now, client.pings = 0;
    if (client.registered && silentUntil(limits, client) <= now) probe(floor, client, now);
    if (!client.output.empty()) floor.arm(client, client.progress + limits.stalled);
    floor.arm(client,
              client.registered ? silentUntil(limits, client) : client.connected + limits.registration);
}

}  // namespace

std::shared_ptr<Tries> triesOf(const Limits& limits) {
    return std::make_shared<Tries>(limits.loginTriesLately, limits.lately);
}

Hall::Hall(Settings settings, Clock& clock, std::shared_ptr<Tries> wrongTries)
    : floor_(std::make_unique<Floor>(std::move(settings), clock, std::move(wrongTries))) {}
Hall::~Hall() = default;

std::optional<ConnectionId> Hall::connect(Peer peer) {
    Floor& floor = *floor_;
    const Limits& limits = floor.settings.limits;
    const SteadyTime now = floor.clock.steady();
    const auto same = floor.perAddress.find(peer.countedAs);
    const std::size_t already = same == floor.perAddress.end() ? 0 : same->second;
    const bool often = !peer.loopback && !floor.newConnections.allows(peer.countedAs, now);
    if (floor.clients.size() >= limits.clients || often ||
        already >= (peer.loopback ? limits.perLoopback : limits.perAddress)) {
        ++floor.counters.refused;
        return std::nullopt;
    }
    if (!peer.loopback) floor.newConnections.note(peer.countedAs, now);
    if (!peer.countedAs.empty()) ++floor.perAddress[peer.countedAs];
    auto client = std::make_unique<Client>();
    client->id = static_cast<ConnectionId>(++floor.counters.connections);
    client->peer = std::move(peer);
    client->connected = client->heard = client->progress = now;
    Client& added = *client;
    floor.clients.emplace(added.id, std::move(client));
    floor.arm(added, now + limits.registration);
    return added.id;
}

void Hall::disconnect(ConnectionId id, std::string_view why) {
    floor_->remove(id, why);
}

std::size_t Hall::room(ConnectionId id) const {
    const Client* client = floor_->find(id);
    if (client == nullptr || client->doomed || client->output.size() >= floor_->settings.limits.sendQueueSoft)
        return 0;
    const std::size_t most = floor_->settings.limits.receiveQueue;
    return client->input.size() >= most ? 0 : most - client->input.size();
}

void Hall::receive(ConnectionId id, std::string_view bytes) {
    Client* client = floor_->find(id);
    if (client == nullptr) return;
    if (client->input.add(bytes)) {
        client->heard = floor_->clock.steady();
        client->pings = 0;
    }
    if (client->input.size() > floor_->settings.limits.receiveQueue) floor_->doom(*client, "Excess flood");
    work(*floor_, *client);
    floor_->sweep();
}

std::string_view Hall::output(ConnectionId id) const {
    const auto found = floor_->clients.find(id);
    return found == floor_->clients.end() ? std::string_view() : std::string_view(found->second->output);
}

void Hall::sent(ConnectionId id, std::size_t bytes) {
    const auto found = floor_->clients.find(id);
    if (found == floor_->clients.end() || bytes == 0) return;
    Client& client = *found->second;
    client.output.erase(0, bytes);
    client.progress = floor_->clock.steady();
    if (client.gone) return;
    if (client.listing) {
        floor_->resumeAnswer(client);
        goOnListing(*floor_, client);
        floor_->endAnswer(client);
    }
    work(*floor_, client);
    floor_->sweep();
}

bool Hall::finished(ConnectionId id) const {
    const auto found = floor_->clients.find(id);
    return found != floor_->clients.end() && found->second->gone;
}

bool Hall::overdue(ConnectionId id) const {
    const auto found = floor_->clients.find(id);
    return found != floor_->clients.end() && found->second->gone &&
           found->second->endBy <= floor_->clock.steady();
}

std::vector<ConnectionId> Hall::takeTouched() {
    std::vector<ConnectionId> ids = std::exchange(floor_->touched, {});
    for (const ConnectionId id : ids) {
        const auto found = floor_->clients.find(id);
        if (found != floor_->clients.end()) found->second->touched = false;
    }
    return ids;
}

std::vector<std::pair<ConnectionId, accounts::LogOnQuestion>> Hall::takeQuestions() {
    return std::exchange(floor_->questions, {});
}

void Hall::answer(ConnectionId id, const accounts::LogOnReply& reply) {
    const auto asked = floor_->asking.extract(id);
    if (asked.empty()) return;  // it did not wait
    Client* client = floor_->find(id);
    if (client == nullptr) return onReplyTooLate(*floor_, asked.mapped(), reply);
    floor_->resumeAnswer(*client);
    onReply(*floor_, *client, reply);
    floor_->endAnswer(*client);
    work(*floor_, *client);
    floor_->sweep();
}

std::vector<Try> Hall::takeTries() {
    return std::exchange(floor_->tries, {});
}

Barred Hall::takeBarred() {
    return std::exchange(floor_->barred, {});
}

std::vector<std::unique_ptr<const Order>> Hall::takeOrders() {
    if (floor_->steward == nullptr) return {};
    return floor_->steward->takeOrders();
}

void Hall::settle(Outcome outcome) {
    if (floor_->steward != nullptr) floor_->steward->settle(std::move(outcome));
    floor_->sweep();
}

void Hall::tell(const admin::FeedEvent& event) {
    if (floor_->steward != nullptr) floor_->steward->tell(event);
    floor_->sweep();
}

void Hall::missed(std::int64_t events) {
    if (floor_->steward != nullptr) floor_->steward->missed(events);
    floor_->sweep();
}

void Hall::bring(const MailFound& mail) {
    if (floor_->board != nullptr) floor_->board->bring(mail);
    floor_->sweep();
}

std::uint64_t Hall::comings() const {
    return floor_->comings;
}

std::set<std::string, std::less<>> Hall::accountsHere() const {
    std::set<std::string, std::less<>> accounts;
    for (const auto& [id, client] : floor_->clients)
        if (client->registered && !client->gone && !client->account.empty())
            accounts.insert(lowerAscii(client->account));
    return accounts;
}

SteadyTime Hall::nextLook() const {
    SteadyTime timer = floor_->timers.empty() ? SteadyTime::max() : floor_->timers.begin()->first;
    if (floor_->board != nullptr) timer = std::min(timer, floor_->board->nextLook());
    return floor_->steward == nullptr ? timer : std::min(timer, floor_->steward->nextLook());
}

void Hall::lookAtClock() {
    Floor& floor = *floor_;
    const SteadyTime now = floor.clock.steady();
    std::vector<ConnectionId> due;
    while (!floor.timers.empty() && floor.timers.begin()->first <= now) {
        due.push_back(floor.timers.begin()->second);
        floor.clients.at(due.back())->timer = SteadyTime::max();
        floor.timers.erase(floor.timers.begin());
    }
    for (const ConnectionId id : due) look(floor, *floor.clients.at(id), now);
    if (floor.steward != nullptr) floor.steward->lookAtClock();
    if (floor.board != nullptr) floor.board->lookAtClock();
    floor.sweep();
}

void Hall::shutDown(std::string_view why) {
    for (const auto& [id, client] : floor_->clients) floor_->doom(*client, why);
    floor_->sweep();
}

const Counters& Hall::counters() const {
    return floor_->counters;
}

Held Hall::held() const {
    Held held;
    held.clients = floor_->clients.size();
    held.nicks = floor_->nicks.size();
    held.channels = floor_->channels.size();
    held.addresses = floor_->perAddress.size();
    held.timers = floor_->timers.size();
    if (floor_->steward != nullptr) {
        held.watchers = floor_->steward->people();
        held.orders = floor_->steward->asked();
    }
    for (const auto& [name, channel] : floor_->channels) {
        held.members += channel.members.size();
        held.invites += channel.invited.size();
    }
    for (const auto& [id, client] : floor_->clients) {
        held.unregistered += client->registered || client->gone ? 0 : 1;
        held.opers += client->oper && !client->gone ? 1 : 0;
    }
    return held;
}

const Client* Hall::client(ConnectionId id) const {
    return floor_->find(id);
}

}  // namespace postern::chat
