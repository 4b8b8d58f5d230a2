#include "connector/chat/mail_desk.h"

#include <algorithm>
#include <exception>

#include "adapters/chat/chat_entry.h"
#include "adapters/spool/running_numbers.h"
#include "base/file.h"
#include "base/log.h"
#include "base/path.h"

namespace postern::chat {

namespace {

namespace entries = adapters::chat;

// At one that can not be read now; then it is counted only, and what is behind it is told.
constexpr int kMostLooks = 12;

// One log, and what of it is to be read.
struct Reading {
    const MailPlace& place;
    const Folder& folder;
    std::string name;  // of the folder
    MailFound& found;

    void complain(const Error& error) const {
        if (found.trouble.empty()) found.trouble = folder.path() + ": " + error.text;
    }

    Result<std::pair<std::string, Mail>> read(std::int64_t number) const {
        const std::string file = std::to_string(number);
        POSTERN_LET(facts, folder.facts(file));
        if (!facts.regular || facts.size > static_cast<std::int64_t>(entries::kMostEntryBytes))
            return fail(Errc::Invalid, file + " is no entry of a chat's log");
        POSTERN_LET(opened, folder.openRead(file));
        std::string text(entries::kMostEntryBytes, '\0');
        POSTERN_LET(size, opened.readAt(0, text.data(), text.size()));
        text.resize(size);
        auto entry = entries::readEntry(text);
        if (!entry.ok()) return entry.error().within(file);
        if (entries::logFolder(entry->to).value() != name)
            return fail(Errc::Invalid, file + " is an entry of another log");
        return std::pair(
            std::move(entry->to),
            Mail{number, entry->item, fromMillis(facts.changedNanos / 1'000'000), std::move(entry->lines)});
    }

    void readBehind(LogSeen seen) {
        const auto numbers = adapters::runningNumbers(folder);
        if (!numbers.ok()) return complain(numbers.error());
        if (numbers->empty()) return;
        if (numbers->back() < seen.number) seen = {};
        auto next = std::upper_bound(numbers->begin(), numbers->end(), seen.number);
        MailPart part;
        part.adapter = place.adapter;
        part.target = entries::targetOfLog(name);
        if (static_cast<std::size_t>(numbers->end() - next) > place.keep)
            next = numbers->end() - static_cast<std::ptrdiff_t>(place.keep);
        LogSeen reached{numbers->back()};
        bool gone = false;
        for (; next != numbers->end(); ++next) {
            auto mail = read(*next);
            if (mail.ok()) {
                part.target = std::move(mail->first);
                part.mails.push_back(std::move(mail->second));
                continue;
            }
            if (mail.error().code == Errc::NotFound) {  // an old one that just went
                gone = true;
                continue;
            }
            complain(mail.error());
            const int looks = (*next - 1 == seen.number ? seen.stuck : 0) + 1;
            if (mail.error().code == Errc::Invalid || looks >= kMostLooks) continue;
            reached = {*next - 1, looks};  // not now: the next look begins with it
            break;
        }
        // There is a newer one now: the next look counts what went.
        if (part.mails.empty() && gone) reached = seen;
        // The adapter gives each number: those that are missing came, and went as the oldest or are damaged.
        part.more = reached.number - seen.number - static_cast<std::int64_t>(part.mails.size());
        found.seen[folder.path()] = reached;
        if (!part.target.empty() && (part.more > 0 || !part.mails.empty()))
            found.parts.push_back(std::move(part));
    }
};

// A log that its folder has no more, which could be read: people come and go for years.
void forgetRemoved(const MailPlace& place, const std::vector<std::string>& names, MailFound& found) {
    std::erase_if(found.seen, [&](const auto& each) {
        const std::string name(lastName(each.first));
        if (each.first != joinPath(place.folder, name) ||
            std::binary_search(names.begin(), names.end(), name))
            return false;
        found.gone.emplace_back(place.adapter, entries::targetOfLog(name));
        return true;
    });
}

void lookAt(const MailPlace& place, const MailSeen& seen, MailFound& found) {
    const auto complain = [&](const Error& error) {
        if (found.trouble.empty()) found.trouble = error.text;
    };
    const auto base = Folder::open(place.folder);
    if (!base.ok()) {
        if (base.error().code != Errc::NotFound) complain(base.error());  // it is made with the first mail
        return;
    }
    std::vector<std::string> names;
    const auto listed = base->list([&](std::string_view name) {
        if (!name.starts_with('.')) names.emplace_back(name);
        return true;
    });
    if (!listed.ok()) complain(listed.error());
    std::sort(names.begin(), names.end());
    if (listed.ok()) forgetRemoved(place, names, found);
    for (std::string& name : names) {
        if (const auto facts = base->facts(name); facts.ok() && facts->regular) continue;
        const auto folder = Folder::open(joinPath(place.folder, name));
        if (!folder.ok()) {
            complain(folder.error());
            continue;
        }
        const auto last = seen.find(folder->path());
        Reading{place, *folder, std::move(name), found}.readBehind(last == seen.end() ? LogSeen{}
                                                                                      : last->second);
    }
}

}  // namespace

MailFound lookForMail(const std::vector<MailPlace>& places, const MailSeen& seen) {
    MailFound found;
    found.seen = seen;
    for (const MailPlace& place : places) lookAt(place, seen, found);
    return found;
}

MailDesk::MailDesk(std::vector<MailPlace> places)
    : places_(std::move(places)), queue_("chat-mail", 1, [this](Question question, bool stopped) {
          if (!stopped) answer(std::move(question));
      }) {}

bool MailDesk::look(MailSeen seen, bool past, Done done) {
    return queue_.put(Question{std::move(seen), past, std::move(done)});
}

void MailDesk::answer(Question question) {
    MailFound found;
    try {
        found = lookForMail(places_, question.seen);
    } catch (const std::exception& exception) {
        found.seen = question.seen;
        found.trouble = exception.what();
    }
    if (!found.trouble.empty() && found.trouble != complained_)
        LogLine(LogEvent::WorkerFailed).with("worker", "chat-mail").with("error", found.trouble);
    complained_ = found.trouble;
    found.past = question.past;
    question.done(std::move(found));
}

}  // namespace postern::chat
