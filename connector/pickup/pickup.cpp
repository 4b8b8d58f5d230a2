#include "connector/pickup/pickup.h"

#include <algorithm>
#include <utility>

#include "base/digest.h"
#include "base/log.h"
#include "base/set_aside.h"
#include "base/text.h"
#include "connector/intake/awaited_answer.h"
#include "connector/intake/local_mail.h"
#include "connector/pickup/envelope.h"

namespace postern::pickup {

namespace {

constexpr std::string_view kTakenPrefix = ".taken-";
constexpr std::size_t kMostWatched = 10'000;  // files known at once; the others' turn comes behind them
constexpr std::size_t kBatch = 64;            // files that share a commit and a sync of the folder
constexpr Millis kRetry{10'000};              // between two tries of a file that waits for better times

bool endsAsMail(std::string_view name) {
    return name.size() > 4 && equalsIgnoreCase(name.substr(name.size() - 4), ".eml");
}

bool isMailName(std::string_view name) {
    return name.front() != '.' && endsAsMail(name);
}

// Behind the prefix may stand a dot: of a long name only the end is kept.
bool isTakenName(std::string_view name) {
    return name.starts_with(kTakenPrefix) && endsAsMail(name.substr(kTakenPrefix.size()));
}

std::string takenName(const std::string& name) {
    constexpr std::size_t kLongest = 240;  // with the prefix below the 255 bytes of a name
    const bool fits = name.size() <= kLongest;
    return std::string(kTakenPrefix) + (fits ? name : name.substr(name.size() - kLongest));
}

bool mayWorkLater(Errc code) {
    return code != Errc::Invalid && code != Errc::NotFound && code != Errc::Denied;
}

}  // namespace

struct Pickup::Watched {
    FileFacts facts;
    SteadyTime since;      // it is as it is since then, as far as we saw
    SteadyTime notBefore;  // it is not tried before
    std::string told;      // what the log says of it already
    bool seen = false;     // by the last look
};

struct Pickup::Taken {
    std::string name;     // under which it was found
    std::string claimed;  // under which it stands now
    FileFacts facts;
    std::optional<intake::IncomingMail> mail;
    std::optional<intake::AwaitedAnswer> answer;
};

Pickup::Pickup(config::Pickup settings, std::string hostname, intake::Door& door, Clock& clock)
    : settings_(std::move(settings)), hostname_(std::move(hostname)), door_(door), clock_(clock) {}

Pickup::~Pickup() = default;

int Pickup::look(const std::function<bool()>& stopping) {
    auto usable = openFolders();
    if (usable.ok()) usable = scan();
    folderTrouble(usable.ok() ? std::nullopt : std::optional(usable.error()));
    if (!usable.ok()) {
        folder_.reset();
        aside_.reset();
        return 0;
    }
    int stored = 0;
    const auto names = ready();
    for (std::size_t at = 0; at < names.size() && !(stopping && stopping()); at += kBatch) {
        const auto end = std::min(at + kBatch, names.size());
        stored += takeBatch({names.begin() + static_cast<std::ptrdiff_t>(at),
                             names.begin() + static_cast<std::ptrdiff_t>(end)});
    }
    return stored;
}

// What can not be removed must not be taken: it would be taken again and again (KB Q221432).
Result<void> Pickup::openFolders() {
    if (folder_ && folder_->stillThere().ok() && aside_->stillThere().ok()) return folder_->mayWrite();
    POSTERN_LET(folder, Folder::open(settings_.folder));
    POSTERN_TRY(folder.mayWrite());
    POSTERN_LET(aside, Folder::make(settings_.setAside));
    POSTERN_TRY(aside.mayWrite());
    POSTERN_LET(together, folder.sameVolume(aside));
    if (!together)
        return fail(Errc::Invalid, settings_.setAside + " is on another volume than " + settings_.folder +
                                       ": files could not be moved there whole");
    folder_ = std::move(folder);
    aside_ = std::move(aside);
    return {};
}

Result<void> Pickup::scan() {
    for (auto& [name, file] : watched_) file.seen = false;
    POSTERN_TRY(folder_->list([this](std::string_view name) {
        if (isMailName(name) || isTakenName(name)) notice(std::string(name));
        return true;
    }));
    std::erase_if(watched_, [](const auto& file) { return !file.second.seen; });
    return {};
}

void Pickup::notice(const std::string& name) {
    if (watched_.size() >= kMostWatched && !watched_.contains(name)) return;
    const auto facts = folder_->facts(name);
    if (!facts.ok()) return;  // gone again, or told when it is taken
    auto [at, fresh] = watched_.try_emplace(name);
    Watched& file = at->second;
    if (fresh || file.facts != *facts) file = Watched{*facts, clock_.steady(), {}, file.told, false};
    file.seen = true;
    if (!facts->regular) told(name, "it is no ordinary file and is left alone");
}

std::vector<std::string> Pickup::ready() {
    std::vector<std::string> names;
    const SteadyTime now = clock_.steady();
    for (const auto& [name, file] : watched_) {
        const bool settled = isTakenName(name) || now - file.since >= settings_.settle;
        if (file.facts.regular && settled && now >= file.notBefore) names.push_back(name);
    }
    return names;
}

int Pickup::takeBatch(const std::vector<std::string>& names) {
    std::vector<Taken> files;
    for (const std::string& name : names)
        if (auto file = claim(name)) files.push_back(std::move(*file));
    if (files.empty()) return 0;
    // The time of its last write is part of what makes a file itself: after a power cut it must be the same.
    if (const auto synced = folder_->syncVolume(); !synced.ok()) {
        for (Taken& file : files) giveBack(file, synced.error().text);
        return 0;
    }
    std::erase_if(files, [this](Taken& file) {
        const auto got = read(file);
        if (!got.ok()) judge(file, got.error());
        return !got.ok();
    });
    for (Taken& file : files) file.answer = intake::AwaitedAnswer::ask(door_, std::move(*file.mail));
    return settleBatch(files);
}

// From here on nobody but us touches it.
std::optional<Pickup::Taken> Pickup::claim(const std::string& name) {
    const Watched& watched = watched_[name];
    Taken file{name, name, watched.facts, {}, {}};
    if (isTakenName(name)) return file;
    file.claimed = takenName(name);
    const auto moved = folder_->moveNoReplace(name, *folder_, file.claimed);
    if (!moved.ok()) {
        told(name, moved.error().text);
        return std::nullopt;
    }
    if (*moved != Moved::Done) return std::nullopt;  // gone, or behind one of that name that is not done yet
    const auto facts = folder_->facts(file.claimed);
    if (facts.ok() && *facts == watched.facts) return file;
    watched_.erase(name);  // another one took its place between our look and now: it begins anew
    (void)folder_->moveNoReplace(file.claimed, *folder_, name);
    return std::nullopt;
}

Result<void> Pickup::read(Taken& file) {
    if (file.facts.size == 0) return fail(Errc::Invalid, "the file is empty");
    if (file.facts.size > settings_.messageSize)
        return fail(Errc::Invalid, "the file is larger than " + formatSize(settings_.messageSize));
    POSTERN_LET(mail, mailOf(file));
    file.mail = std::move(mail);
    return {};
}

Result<intake::IncomingMail> Pickup::mailOf(Taken& file) {
    POSTERN_LET(handle, folder_->openRead(file.claimed));
    Sha256 digest;
    digest.update(settings_.folder + '\0' + std::to_string(file.facts.number) + ' ' +
                  std::to_string(file.facts.changedNanos) + '\0');
    std::int64_t offset = 0;
    intake::LocalMail text(
        [&](char* into, std::size_t size) -> Result<std::size_t> {
            POSTERN_LET(got, handle.readAt(offset, into, size));
            offset += static_cast<std::int64_t>(got);
            digest.update({into, got});
            return got;
        },
        {settings_.messageSize, settings_.hops}, door_.storeId());
    POSTERN_TRY(text.readHeader());
    POSTERN_LET(envelope, readEnvelope(text.header(), hostname_));
    POSTERN_LET(room, door_.claimRoom(file.facts.size));

    intake::IncomingMail mail;
    mail.room = std::move(room);
    mail.message.received = clock_.now();
    mail.message.sender = envelope.sender;
    mail.message.source = settings_.name;
    mail.message.client = escapeLine(file.name, 200);
    mail.message.helo = hostname_;
    mail.message.protocol = "local";
    mail.message.eightBit = true;
    mail.message.ret = envelope.ret;
    mail.message.envelopeId = envelope.envelopeId;
    std::vector<std::string> addresses;
    for (const Receiver& receiver : envelope.receivers) addresses.push_back(receiver.address);
    POSTERN_LET(routed,
                intake::routeAll(door_, addresses, {envelope.sender, file.facts.size, settings_.name, {}}));
    for (std::size_t i = 0; i < routed.size(); ++i) {
        routed[i].notify = envelope.receivers[i].notify;
        routed[i].original = envelope.receivers[i].original;
    }
    mail.recipients = std::move(routed);
    mail.body = door_.newBody();
    const std::string trace = "Received: by " + hostname_ + " (Postern, from folder " + settings_.name +
                              ") with local;\r\n\t" + formatRfc5322(mail.message.received) + "\r\n";
    POSTERN_TRY(text.copyInto(
        mail, trace,
        intake::completedHeader(envelope.header, {envelope.sender, {}, hostname_, mail.message.received})));
    mail.digest = digest.finish();
    POSTERN_LET(after, handle.facts());
    if (after != file.facts) return fail(Errc::Busy, "it changed while it was read");
    return mail;
}

// Commit, then remove, then make that durable, then say that it will not come again.
int Pickup::settleBatch(std::vector<Taken>& files) {
    std::vector<MessageId> stored;
    bool removed = true;
    for (Taken& file : files) {
        const auto answer = file.answer->wait();
        if (!answer) {  // under its claimed name it comes to the door again, which knows it if it was stored
            told(file.name, "the disk is too slow; it is not known whether its mail was stored");
        } else if (!answer->accepted()) {
            judge(file, intake::errorOf(*answer));
        } else if (const auto gone = folder_->remove(file.claimed); !gone.ok()) {
            told(file.name, "its mail is stored, but " + gone.error().text);
        } else {
            watched_.erase(file.name);
            stored.push_back(answer->message);
        }
    }
    if (const auto synced = folder_->sync(); !synced.ok()) {
        folderTrouble(synced.error());
        removed = false;
    }
    for (const MessageId message : stored)
        if (removed) door_.confirm(message);
    return static_cast<int>(stored.size());
}

void Pickup::judge(Taken& file, const Error& error) {
    if (mayWorkLater(error.code)) return giveBack(file, error.text);
    putAside(file, error.text);
}

void Pickup::giveBack(Taken& file, const std::string& why) {
    if (file.claimed != file.name) {
        const auto back = folder_->moveNoReplace(file.claimed, *folder_, file.name);
        if (!back.ok()) told(file.name, back.error().text);
    }
    told(file.name, why);
    if (const auto at = watched_.find(file.name); at != watched_.end())
        at->second.notBefore = clock_.steady() + std::max(settings_.interval, kRetry);
}

void Pickup::putAside(Taken& file, const std::string& reason) {
    const std::string_view wanted =
        isTakenName(file.name) ? std::string_view(file.name).substr(kTakenPrefix.size()) : file.name;
    const auto name = setAside(*folder_, file.claimed, *aside_, wanted, reason);
    if (!name.ok()) return giveBack(file, name.error().text);
    LogLine(LogEvent::PickupSetAside)
        .with("pickup", settings_.name)
        .with("file", file.name)
        .with("as", joinPath(settings_.setAside, *name))
        .with("reason", reason);
    watched_.erase(file.name);
}

// Said once for each file and text, however often the folder is looked at.
void Pickup::told(const std::string& name, const std::string& text) {
    const auto at = watched_.find(name);
    if (at == watched_.end() || at->second.told == text) return;
    at->second.told = text;
    LogLine(LogEvent::PickupTrouble).with("pickup", settings_.name).with("file", name).with("reason", text);
}

void Pickup::folderTrouble(const std::optional<Error>& error) {
    const auto before = std::exchange(trouble_, error);
    if (!error || (before && before->text == error->text)) return;
    LogLine(LogEvent::PickupTrouble).with("pickup", settings_.name).with("reason", error->text);
}

}  // namespace postern::pickup
