#include "adapters/mailbox/mbox.h"

#include <algorithm>

#include "adapters/kinds.h"
#include "adapters/mailbox/mailbox_head.h"
#include "adapters/mailbox/mbox_lines.h"
#include "adapters/spool/spool.h"
#include "adapters/spool/witness.h"
#include "base/path.h"
#include "base/text.h"

namespace postern::adapters {

namespace {

Recovery cannotLook(const Error& error) {
    return {Found::CannotTell, error.text, error};
}

Recovery cannotLookNow(const Error& error) {
    return {Found::CannotTell, error.text, std::nullopt, error};
}

}  // namespace

Mbox::Mbox(AdapterContext context, MboxPlan plan) : context_(std::move(context)), plan_(std::move(plan)) {}

Result<std::shared_ptr<const SpoolFolders>> Mbox::folders() const {
    const MutexLock lock(mutex_);
    if (!folders_) return fail(Errc::Unavailable, plan_.spool.folder + " was not opened yet");
    return folders_;
}

std::optional<std::string> Mbox::refuses(const Recipient& recipient) const {
    if (!plan_.file.empty()) return std::nullopt;
    return refusedMailbox(recipient);
}

// A name that ends like a dotlock would be somebody's lock.
Result<std::string> Mbox::mailboxFor(const Delivery& delivery) const {
    if (!plan_.file.empty()) return plan_.file;
    POSTERN_LET(mailbox, mailboxOf(delivery));
    if (lowerAscii(mailbox).ends_with(".lock")) mailbox.replace(mailbox.size() - 5, 1, "%2E");
    constexpr std::size_t kLongest = 240;  // with what locks and journals add
    if (mailbox.size() > kLongest)
        return fail(Errc::Invalid,
                    "the recipient's name '" + escapeLine(mailbox, 40) + "' is too long for a mailbox");
    return mailbox;
}

Result<void> Mbox::probe() {
    const auto before = folders();
    POSTERN_LET(opened, SpoolFolders::open(context_, plan_.spool, before.ok() ? before->get() : nullptr));
    if (!plan_.file.empty()) {
        POSTERN_LET(boxes, opened->live(""));
        const auto facts = boxes->folder.facts(plan_.file);
        if (!facts.ok() && facts.error().code != Errc::NotFound) return facts.error();
        if (facts.ok() && (!facts->regular || facts->links != 1))
            return fail(Errc::Denied, joinPath(plan_.spool.folder, plan_.file) +
                                          " is a link, has another name somewhere, or is no file: name the "
                                          "mailbox itself");
    }
    tidy(*opened);
    const MutexLock lock(mutex_);
    folders_ = std::move(opened);
    return {};
}

// Settles what a crash cut off, where nobody is in the way: until then readers meet our dotlock. What can not
// be settled now is when its mail is asked about.
void Mbox::tidy(const SpoolFolders& folders) const {
    const auto boxes = folders.live("");
    const auto journaled = journaledMailboxes(folders.stage());
    if (!boxes.ok() || !journaled.ok()) return;
    for (const std::string& mailbox : *journaled) (void)settleLeft(folders, (*boxes)->folder, mailbox, [] {});
}

// Under our own lock: settles the mailbox's journal, if there is one, and removes a dotlock left over.
Result<void> Mbox::settleLeft(const SpoolFolders& folders, const Folder& boxes, const std::string& mailbox,
                              const std::function<void()>& beat) const {
    const auto own = takeOwnLock(folders.stage(), mailbox);
    if (!own.ok()) return own.error();
    POSTERN_LET(journal, readJournal(folders.stage(), mailbox));
    if (!journal) return MailboxLock::removeLeftover(boxes, mailbox, plan_.locks);
    POSTERN_LET(lock, MailboxLock::take(boxes, mailbox, plan_.locks, false));
    return settleJournal(folders, *journal, *lock, heldSince(*lock), beat);
}

// Our dotlock has stood since a crash of ours, and every reader honours it. With `both` a reader may know
// fcntl locks only, and those went with the process.
bool Mbox::heldSince(const MailboxLock& lock) const {
    return lock.tookOver() && !plan_.locks.range;
}

Result<std::optional<Outcome>> Mbox::convert(Job& job, StagedFile& file) const {
    MboxLines lines([&](std::string_view bytes) { return file.write(bytes); });
    auto written =
        writeFormed(job, plan_.format, mail::Carrier{}, [&](const FormedMessage& formed) -> Result<void> {
            POSTERN_TRY(file.write(fromLine(job.delivery.sender, job.delivery.received)));
            POSTERN_TRY(file.write(mailboxHead(job.delivery, "\n")));
            POSTERN_TRY(formed.writeTo([&](std::string_view bytes) { return lines.feed(bytes); }));
            return lines.end();
        });
    for (const std::string& field : lines.leftOut())
        job.notes.push_back("the header field " + field +
                            " was left out: mailbox readers keep their own notes in it");
    return written;
}

void Mbox::stage(std::span<Job> jobs, const std::function<void()>& beat) {
    const auto held = folders();
    if (!held.ok()) return endAll(jobs, unusableBy(held.error()));
    if (const auto boxes = (*held)->live(""); !boxes.ok()) return endAll(jobs, unusableBy(boxes.error()));
    const auto writer = [this](Job& job, StagedFile& file, Companions&) { return convert(job, file); };
    auto staging = Staging::begin(**held, jobs.size(), 0600, writer, beat);
    if (!staging.ok()) return endAll(jobs, unusableBy(staging.error()));
    for (Job& job : jobs) {
        beat();
        if (!job.outcome) job.outcome = refusalOf(*this, job.delivery);
        if (job.outcome) continue;
        const auto mailbox = mailboxFor(job.delivery);
        if (!mailbox.ok()) {
            job.outcome = rejected(mailbox.error().text);
        } else if (staging->write(job, {})) {
            job.evidence = formatEvidence({(*held)->token(), stagedName(job.delivery.key), "", *mailbox});
        }
    }
    staging->finish();
}

void Mbox::abandon(Job& job) {
    if (const auto held = folders(); held.ok()) dropStaged(**held, job);
}

Recovery Mbox::recover(const DeliveryKey& staged, std::string_view text) {
    const auto evidence = parseEvidence(text);
    if (!evidence || evidence->staged != stagedName(staged) || !evidence->folder.empty())
        return {Found::CannotTell, "the record of its staged file is damaged", std::nullopt};
    const auto held = folders();
    if (!held.ok()) return cannotLook(held.error());
    const SpoolFolders& folders = **held;
    if (const auto ours = folders.stillOurs(); !ours.ok()) return cannotLook(ours.error());
    if (evidence->token != folders.token())
        return {Found::CannotTell,
                folders.stage().path() + " was made anew since " + evidence->staged + " was staged in it",
                std::nullopt};
    const auto boxes = folders.live("");
    if (!boxes.ok()) return cannotLook(boxes.error());
    if (const auto there = (*boxes)->folder.stillThere(); !there.ok()) return cannotLook(there.error());
    return look(folders, (*boxes)->folder, *evidence);
}

// Not longer than a moment: many are asked about in a row, and none of their leases is kept alive meanwhile.
Recovery Mbox::look(const SpoolFolders& folders, const Folder& boxes, const SpoolEvidence& evidence) const {
    constexpr Millis kMoment{200};
    const SteadyTime deadline = Clock::system().steady() + std::min(plan_.lockWait, kMoment);
    for (;;) {
        const auto settled = settleLeft(folders, boxes, evidence.name, [] {});
        auto told = settled.ok() ? tell(folders, evidence) : Result<Recovery>(settled.error());
        if (told.ok()) return *told;
        if (told.error().code != Errc::Busy || hasty_ || Clock::system().steady() >= deadline)
            return cannotLookAt(folders, boxes, told.error());
        waitForLock(deadline);
    }
}

// One mailbox that is locked, or one recipient's that is spoilt, is not everybody's.
Recovery Mbox::cannotLookAt(const SpoolFolders& folders, const Folder& boxes, const Error& error) const {
    if (!folders.stillOurs().ok() || !boxes.stillThere().ok() || error.code == Errc::NoSpace)
        return cannotLook(error);
    if (error.code == Errc::Busy) return cannotLookNow(error);
    if (!plan_.file.empty()) return cannotLook(error);
    // A damaged journal does not mend itself: a person decides.
    if (error.code == Errc::Corrupt) return {Found::CannotTell, error.text, std::nullopt};
    return cannotLookNow(error);
}

// A staged file is moved under our lock on its mailbox only.
Result<Recovery> Mbox::tell(const SpoolFolders& folders, const SpoolEvidence& evidence) const {
    const std::string path = joinPath(plan_.spool.folder, evidence.name);
    const auto own = takeOwnLock(folders.stage(), evidence.name);
    if (!own.ok()) return own.error();
    POSTERN_LET(journal, readJournal(folders.stage(), evidence.name));
    if (journal) return fail(Errc::Busy, path + ": another worker of ours was cut off just now");
    POSTERN_LET(doubt, folders.withdrawn().has(doubtName(evidence.staged)));
    if (doubt)
        return Recovery{
            Found::CannotTell,
            "adding it to " + path + " was cut off, and a reader may have changed the mailbox since",
            std::nullopt};
    POSTERN_LET(witness, withdraw(folders, evidence));
    if (witness == Witness::Withdrawn)
        return Recovery{Found::NotPublished, "its staged file was still there and is withdrawn now",
                        std::nullopt};
    return Recovery{Found::Published, "its staged file is gone: added to " + path, std::nullopt};
}

Result<int> Mbox::sweep(const std::function<bool(const DeliveryKey&)>& isOver) {
    POSTERN_LET(held, folders());
    POSTERN_LET(swept, sweepFolders(*held, isOver));
    unknownFiles_ = swept.unknown;
    int removed = swept.removed;
    std::vector<std::string> doubtful;
    POSTERN_TRY(held->withdrawn().list([&](std::string_view name) {
        const auto key = parseStagedName(name.substr(std::min(name.size(), doubtName("").size())));
        if (name.starts_with(doubtName("")) && key && isOver(*key)) doubtful.emplace_back(name);
        return true;
    }));
    for (const std::string& name : doubtful)
        if (held->withdrawn().remove(name).ok()) ++removed;  // another sweep may take it first
    return removed;
}

std::string Mbox::describe() const {
    const std::string what = plan_.file.empty() ? "a mailbox for each recipient in " + plan_.spool.folder
                                                : "the mailbox " + joinPath(plan_.spool.folder, plan_.file);
    std::string text = what + ", staged in " + stagePath(context_, plan_.spool);
    const auto held = folders();
    if (!held.ok()) return text;  // what it can promise here is known when it was opened
    text += "; an addition is durable before it counts, one that was cut off is taken back";
    if (const auto left = journaledMailboxes((*held)->stage()); left.ok() && !left->empty())
        text += "; " + std::to_string(left->size()) + " mailboxes have an unfinished addition";
    if (const int count = unknownFiles_; count > 0)
        text += "; " + std::to_string(count) + " files there are not ours and were left alone";
    return text;
}

namespace {

bool isMailboxName(std::string_view name) {
    if (name.empty() || name.size() > 200 || name.front() == '.') return false;
    return std::all_of(
               name.begin(), name.end(),
               [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f && c != '/'; }) &&
           !lowerAscii(name).ends_with(".lock");
}

Result<std::unique_ptr<Adapter>> makeMbox(const AdapterContext& context, const Settings& settings) {
    MboxPlan plan;
    POSTERN_LET(spool, spoolPlan(settings));
    plan.spool = std::move(spool);
    plan.spool.live = {""};
    plan.spool.oneVolume = false;
    if (!perRecipient(settings)) {
        plan.file = settings.text("mailbox");
        if (!isMailboxName(plan.file))
            return fail(Errc::Invalid, "mailbox: a file name without blanks that does not end with .lock");
        if (const auto usable = usableFileName(plan.file); !usable.ok())
            return usable.error().within("mailbox");
    }
    POSTERN_LET(format, messageFormat(settings));
    plan.format = std::move(format);
    const std::string& locks = settings.text("locks");
    plan.locks.dotlock = locks != "fcntl";
    plan.locks.range = locks != "dotlock";
    plan.locks.staleAfter = Millis(settings.milliseconds("stale_lock"));
    plan.locks.signature = "postern " + context.storeId + " " + context.name;
    plan.locks.fileMode = plan.spool.fileMode;
    plan.locks.fileOwner = settings.text("file_owner");
    plan.lockWait = Millis(settings.milliseconds("lock_wait"));
    return std::unique_ptr<Adapter>(std::make_unique<Mbox>(context, std::move(plan)));
}

}  // namespace

Kind mboxKind() {
    return {
        "mbox", "mail added to the end of a mailbox file (mboxrd)",
        messageSettings({
            {"folder", SettingType::Path, nullptr, "The folder of the mailbox files."},
            layoutSetting("single: one mailbox for all; per-recipient: one for each legacy name."),
            {"mailbox", SettingType::Text, "inbox", "The file's name, with the layout single."},
            {"locks",
             SettingType::Choice,
             "both",
             "The locks that its readers know: dotlock where every reader honours <mailbox>.lock, fcntl, or "
             "both.",
             {"both", "dotlock", "fcntl"}},
            {"lock_wait",
             SettingType::Duration,
             "10s",
             "How long a batch waits for locked mailboxes; then their mail is tried again later.",
             {},
             0,
             600'000},
            {"stale_lock", SettingType::Duration, "15m",
             "A <mailbox>.lock of another program that is older is removed; 0s: never."},
            {"file_mode", SettingType::Text, "0660",
             "Permission bits of the mailboxes that it makes, in octal."},
            {"file_owner", SettingType::Text, "",
             "\"user:group\" of the mailboxes that it makes; empty: the service's own."},
            {"folder_mode", SettingType::Text, "0770",
             "Permission bits of the folders that it makes, in octal."},
            {"stage", SettingType::Path, "",
             "A folder for files being written, on any volume. Empty: .postern-<adapter> inside the folder."},
            {"create", SettingType::Boolean, "true",
             "Make the folder when it is missing; false for a volume that may not be mounted."},
        }),
        &makeMbox};
}

}  // namespace postern::adapters
