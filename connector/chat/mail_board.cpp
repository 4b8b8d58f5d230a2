#include "connector/chat/mail_board.h"

#include <algorithm>

#include "adapters/chat/chat_entry.h"
#include "base/text.h"
#include "connector/chat/names.h"
#include "connector/chat/replay.h"
#include "connector/chat/steward.h"

namespace postern::chat {

namespace {

constexpr Millis kAtOnce{5'000};
constexpr std::size_t kAroundLine = 160;  // tags, who says it and where

// The same whenever it is said: a client that knows it shows it once.
std::string idOf(const Mail& mail, std::size_t line) {
    return "mail-" + std::to_string(mail.item.value) + "-" + std::to_string(mail.number) + "-" +
           std::to_string(line);
}

std::size_t bytesOf(const Mail& mail) {
    std::size_t bytes = 0;
    for (const std::string& line : mail.lines) bytes += line.size() + kAroundLine;
    return bytes;
}

}  // namespace

MailBoard::MailBoard(Floor& floor) : floor_(floor) {
    for (const MailPlace& place : floor.settings.mail) {
        for (const std::string& name : place.channels) {
            logs_.try_emplace(fold(name), Log{name, place.adapter, place.keep, place.atOnce});
            Channel channel;
            channel.name = name;
            channel.created = channel.topicAt = floor.started;
            channel.lasting = true;
            channel.topic = "Mail of adapter " + place.adapter;
            channel.topicBy = floor.settings.queue.nick;
            floor.channels.emplace(fold(name), std::move(channel));
        }
    }
}

bool MailBoard::keeps(const Channel& channel) const {
    return logs_.contains(fold(channel.name));
}

// A channel that the configuration lost has a log still, and nobody to hear of it.
MailBoard::Log* MailBoard::logOf(const MailPart& part) {
    const std::string key = fold(part.target);
    if (const auto found = logs_.find(key); found != logs_.end()) return &found->second;
    if (adapters::chat::isChannel(part.target)) return nullptr;
    const auto& places = floor_.settings.mail;
    const auto place = std::find_if(places.begin(), places.end(),
                                    [&](const MailPlace& each) { return each.adapter == part.adapter; });
    if (place == places.end()) return nullptr;
    return &logs_.emplace(key, Log{part.target, place->adapter, place->keep, place->atOnce}).first->second;
}

std::vector<Client*> MailBoard::audience(const Log& log) const {
    std::vector<Client*> all;
    if (const Channel* channel = floor_.channel(log.name); channel != nullptr) {
        for (const auto& [id, member] : channel->members)
            if (Client* client = floor_.find(id)) all.push_back(client);
        return all;
    }
    for (const auto& [id, client] : floor_.clients)
        if (client->registered && !client->gone && equalsIgnoreCase(client->account, log.name))
            all.push_back(client.get());
    return all;
}

void MailBoard::say(const Log& log, std::string_view text, const std::string& id) {
    for (Client* client : audience(log)) {
        const std::string& target = isChannel(log.name) ? log.name : client->nick;
        Line line{writeMessage(floor_.steward->mask(), "PRIVMSG", {target, std::string(text)}, true)};
        line.id = id;
        floor_.send(*client, line, false);
    }
}

void MailBoard::leaveOut(Log& log, std::int64_t mails) {
    if (mails == 0) return;
    log.untold += mails;
    if (log.summaryAt != SteadyTime::max()) return;
    log.summaryAt = floor_.clock.steady() + kAtOnce;
    nextLook_ = std::min(nextLook_, log.summaryAt);
}

void MailBoard::tell(Log& log, const Mail& mail) {
    const SteadyTime now = floor_.clock.steady();
    if (now - log.since >= kAtOnce) {
        log.since = now;
        log.told = 0;
    }
    if (log.told >= log.atOnce) return leaveOut(log, 1);
    ++log.told;
    for (std::size_t i = 0; i < mail.lines.size(); ++i) say(log, mail.lines[i], idOf(mail, i));
}

void MailBoard::bring(const MailFound& found) {
    for (const auto& [adapter, target] : found.gone) {
        const auto log = logs_.find(fold(target));
        if (log != logs_.end() && log->second.adapter == adapter && !isChannel(target)) logs_.erase(log);
    }
    for (const MailPart& part : found.parts) {
        Log* log = logOf(part);
        if (log == nullptr) continue;
        if (!found.past) leaveOut(*log, part.more);
        for (const Mail& mail : part.mails) {
            if (!found.past) tell(*log, mail);
            log->past.push_back(mail);
            if (log->past.size() > log->keep) log->past.pop_front();
        }
        if (!found.past) continue;
        // Who was quicker than the first look has heard nothing of it yet.
        for (Client* client : audience(*log))
            replay(*client, *log, isChannel(log->name) ? log->name : client->nick);
    }
}

void MailBoard::replay(Client& client, const Log& log, const std::string& target) {
    const std::size_t most = floor_.settings.limits.sendQueueHard / 2;
    std::size_t bytes = client.output.size();
    auto first = log.past.end();
    while (first != log.past.begin() && bytes + bytesOf(*std::prev(first)) <= most)
        bytes += bytesOf(*--first);
    Replay replay(floor_, client, floor_.steward->mask(), target);
    for (auto mail = first; mail != log.past.end(); ++mail)
        for (std::size_t i = 0; i < mail->lines.size(); ++i)
            replay.say(mail->lines[i], mail->at, idOf(*mail, i));
}

void MailBoard::greet(Client& client, const Channel& channel) {
    if (const auto log = logs_.find(fold(channel.name)); log != logs_.end())
        replay(client, log->second, channel.name);
}

void MailBoard::welcome(Client& client) {
    const auto log = logs_.find(fold(client.account));
    if (log != logs_.end() && !isChannel(log->second.name)) replay(client, log->second, client.nick);
}

void MailBoard::lookAtClock() {
    const SteadyTime now = floor_.clock.steady();
    if (now < nextLook_) return;
    nextLook_ = SteadyTime::max();
    for (auto& [key, log] : logs_) {
        if (log.summaryAt <= now) {
            const std::string again = isChannel(log.name) ? "leave " + log.name + " and join it" : "log on";
            say(log,
                "... and " + std::to_string(log.untold) + (log.untold == 1 ? " more mail" : " more mails") +
                    " in " + formatDurationMillis(kAtOnce.count()) + "; " + again +
                    " again to hear the last " + std::to_string(log.keep),
                {});
            log.summaryAt = SteadyTime::max();
            log.untold = 0;
        }
        nextLook_ = std::min(nextLook_, log.summaryAt);
    }
}

}  // namespace postern::chat
