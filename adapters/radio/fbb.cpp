#include "adapters/radio/fbb.h"

#include "adapters/addressees.h"
#include "adapters/envelope_text.h"
#include "adapters/item_code.h"
#include "adapters/kinds.h"
#include "adapters/profile.h"
#include "adapters/radio/radio_names.h"
#include "adapters/spool/spool.h"
#include "adapters/spool/staged_file.h"
#include "base/path.h"
#include "base/text.h"

namespace postern::adapters {

namespace {
constexpr std::size_t kMostInMemory = 4 << 20;  // of messages in one stage(), about; then they are written
}

Fbb::Fbb(AdapterContext context, FbbPlan plan) : context_(std::move(context)), plan_(std::move(plan)) {}

Result<std::shared_ptr<const SpoolFolders>> Fbb::folders() const {
    const MutexLock lock(mutex_);
    if (!folders_) return fail(Errc::Unavailable, plan_.spool.folder + " was not opened yet");
    return folders_;
}

std::optional<std::string> Fbb::refuses(const Recipient& recipient) const {
    return refusalBy([&](const std::string& legacy) { return fbb::address(legacy, plan_.format); },
                     recipient);
}

Result<void> Fbb::probe() {
    const auto before = folders();
    POSTERN_LET(opened, SpoolFolders::open(context_, plan_.spool, before.ok() ? before->get() : nullptr));
    POSTERN_LET(board, opened->live(""));
    const auto facts = board->folder.facts(plan_.file);
    if (!facts.ok() && facts.error().code != Errc::NotFound) return facts.error();
    if (facts.ok() && (!facts->regular || facts->links != 1))
        return fail(Errc::Denied, joinPath(plan_.spool.folder, plan_.file) +
                                      " is a link, has another name somewhere, or is no file");
    {
        // A lock that a crash of ours left behind keeps the board waiting for an hour.
        const auto own = takeOwnLock(opened->stage(), plan_.file);
        if (own.ok()) POSTERN_TRY(MailboxLock::removeLeftover(board->folder, plan_.file, plan_.lock));
    }
    const MutexLock lock(mutex_);
    folders_ = std::move(opened);
    return {};
}

Result<std::optional<Outcome>> Fbb::render(Job& job, std::string& text) const {
    const std::string bid = networkId(plan_.format.idPrefix, context_.storeId, job.delivery.key.item);
    auto made = fbb::message(job.delivery, bid, plan_.format, job.notes);
    if (made.ok()) {
        text = std::move(*made);
        return std::optional<Outcome>();
    }
    if (made.error().code != Errc::Invalid) return made.error();
    return std::optional<Outcome>(rejected(made.error().text));
}

Result<std::optional<Outcome>> Fbb::convert(Job& job, StagedFile& file) const {
    std::string text;
    POSTERN_LET(outcome, render(job, text));
    if (!outcome) POSTERN_TRY(file.write(text));
    return outcome;
}

void Fbb::stage(std::span<Job> jobs, const std::function<void()>& beat) {
    const auto held = folders();
    if (!held.ok()) return endAll(jobs, unusableBy(held.error()));
    const auto ours = (*held)->stillOurs();
    if (!ours.ok()) return endAll(jobs, unusableBy(ours.error()));
    std::vector<Rendered> rendered;
    std::size_t inMemory = 0;
    for (Job& job : jobs) {
        beat();
        if (!job.outcome) job.outcome = refusalOf(*this, job.delivery);
        if (job.outcome) continue;
        std::string text;
        auto outcome = render(job, text);
        job.outcome = outcome.ok() ? std::move(*outcome) : std::optional<Outcome>(deferred(outcome.error()));
        if (job.outcome) continue;
        inMemory += text.size();
        rendered.push_back({&job, std::move(text)});
        if (inMemory < kMostInMemory) continue;
        stageAll(**held, rendered, beat);
        rendered.clear();
        inMemory = 0;
    }
    stageAll(**held, rendered, beat);
}

void Fbb::stageAll(const SpoolFolders& folders, std::span<Rendered> rendered,
                   const std::function<void()>& beat) const {
    if (rendered.empty() || stageBundle(folders, rendered, beat).ok()) return;
    // One that is too large for the disk keeps nobody else back.
    for (Rendered& each : rendered)
        if (const auto staged = stageBundle(folders, {&each, 1}, beat); !staged.ok())
            each.job->outcome =
                staged.error().code == Errc::Exists
                    ? deferred(staged.error())
                    : unusableBy(folders.explained(staged.error().within(folders.stage().path())));
}

// All messages in one file, synced once. An Error: none of them is staged.
Result<void> Fbb::stageBundle(const SpoolFolders& folders, std::span<Rendered> rendered,
                              const std::function<void()>& beat) const {
    std::vector<std::string> keys;
    for (const Rendered& each : rendered) keys.push_back(stagedName(each.job->delivery.key));
    const std::string bundle = fbb::bundleName(rendered.front().job->delivery.key);
    const std::string head = fbb::keyLine(keys);
    std::size_t offset = head.size();
    POSTERN_LET(file, folders.stage().create(bundle, 0600));
    std::string buffer;
    StagedFile pieces(std::move(file), buffer, beat);
    const auto written = [&]() -> Result<void> {
        POSTERN_TRY(pieces.write(head));
        for (const Rendered& each : rendered) POSTERN_TRY(pieces.write(each.text));
        POSTERN_TRY(pieces.flush());
        POSTERN_TRY(pieces.takeFile().sync());
        return folders.stage().sync();
    }();
    beat();
    if (!written.ok()) {
        (void)folders.stage().remove(bundle);  // sweep() takes it otherwise
        return written;
    }
    for (std::size_t i = 0; i < rendered.size(); ++i) {
        const std::size_t length = rendered[i].text.size();
        rendered[i].job->evidence =
            fbb::formatEvidence({folders.token(), bundle, keys[i], static_cast<std::int64_t>(offset),
                                 static_cast<std::int64_t>(length)});
        offset += length;
    }
    return {};
}

// A bundle may be others' as well. One that is this job's alone goes.
void Fbb::abandon(Job& job) {
    const auto held = folders();
    const auto evidence = fbb::parseEvidence(job.evidence);
    if (!held.ok() || !evidence || evidence->token != (*held)->token()) return;
    if (evidence->offset != static_cast<std::int64_t>(fbb::keyLine({evidence->key}).size())) return;
    (void)(*held)->stage().remove(evidence->bundle);  // sweep() takes it otherwise
}

Recovery Fbb::recover(const DeliveryKey& staged, std::string_view text) {
    const auto evidence = fbb::parseEvidence(text);
    if (!evidence || evidence->key != stagedName(staged))
        return {Found::CannotTell, "the record of its staged message is damaged", std::nullopt};
    const auto held = folders();
    if (!held.ok()) return {Found::CannotTell, held.error().text, held.error()};
    if (const auto ours = (*held)->stillOurs(); !ours.ok())
        return {Found::CannotTell, ours.error().text, ours.error()};
    if (evidence->token != (*held)->token())
        return {Found::CannotTell,
                (*held)->stage().path() + " was made anew since " + evidence->key + " was staged in it",
                std::nullopt};
    return look(**held, *evidence);
}

Recovery Fbb::look(const SpoolFolders& folders, const fbb::Evidence& evidence) const {
    constexpr Millis kMoment{200};  // none of the leases is kept alive meanwhile
    const SteadyTime deadline = Clock::system().steady() + kMoment;
    for (;;) {
        const auto told = tell(folders, evidence);
        if (told.ok()) return *told;
        const bool busy = told.error().code == Errc::Busy;
        if (busy && Clock::system().steady() < deadline) {
            waitForLock(deadline);
            continue;
        }
        if (busy) return {Found::CannotTell, told.error().text, std::nullopt, told.error()};
        if (told.error().code == Errc::Corrupt) return {Found::CannotTell, told.error().text, std::nullopt};
        return {Found::CannotTell, told.error().text, told.error()};
    }
}

Result<Recovery> Fbb::tell(const SpoolFolders& folders, const fbb::Evidence& evidence) const {
    const auto own = takeOwnLock(folders.stage(), plan_.file);
    if (!own.ok()) return own.error();
    POSTERN_LET(board, folders.live(""));
    POSTERN_TRY(board->folder.stillThere());
    POSTERN_LET(published, fbb::settle(folders.stage(), evidence.bundle));
    if (std::find(published.begin(), published.end(), evidence.key) != published.end()) {
        // The one who renamed may have died before this.
        POSTERN_TRY(syncBoth(folders, *board));
        return Recovery{Found::Published, "its journal's merged file is gone: it is part of " + done().target,
                        std::nullopt};
    }
    POSTERN_TRY(fbb::withdrawKey(folders, evidence.key));
    return Recovery{Found::NotPublished, "no journal names it, and none will", std::nullopt};
}

Result<int> Fbb::sweep(const std::function<bool(const DeliveryKey&)>& isOver) {
    POSTERN_LET(held, folders());
    const auto own = takeOwnLock(held->stage(), plan_.file);
    if (!own.ok()) return own.error().code == Errc::Busy ? Result<int>(0) : own.error();
    POSTERN_LET(bundles, fbb::sweepBundles(held->stage(), isOver));
    POSTERN_LET(swept, sweepFolders(*held, isOver));
    unknownFiles_ = swept.unknown;
    return bundles + swept.removed;
}

std::string Fbb::describe() const {
    std::string text = "messages in " + joinPath(plan_.spool.folder, plan_.file) + ", staged in " +
                       stagePath(context_, plan_.spool);
    const auto held = folders();
    if (!held.ok()) return text;
    text += "; a batch is there whole or not at all, and the board refuses an id that it has seen";
    if (const int count = unknownFiles_; count > 0)
        text += "; " + std::to_string(count) + " files there are not ours and were left alone";
    return text;
}

namespace {

std::vector<Setting> formatSettings() {
    return {
        {"call", SettingType::Text, nullptr,
         "The callsign that the messages are from; the board must know it."},
        {"type",
         SettingType::Choice,
         "private",
         "private mail (SP), bulletins (SB) or traffic (ST).",
         {"private", "bulletin", "traffic"}},
        {"route", SettingType::Text, "",
         "Behind the @ of recipients whose route gives a callsign alone; empty: none, they are the board's "
         "own."},
        {"id_prefix", SettingType::Text, "GW", "Two capital letters or digits that begin every bulletin id."},
        {"total_limit",
         SettingType::Size,
         "100000",
         "Bytes of one message; a longer one is rejected. 0 is no limit.",
         {},
         0,
         16 << 20},
        {"line_ends",
         SettingType::Choice,
         "lf",
         "lf for boards on Linux, crlf for DOS and Windows.",
         {"lf", "crlf"}},
    };
}

std::vector<Setting> fileSettings() {
    return {
        {"folder", SettingType::Path, nullptr, "The folder of the import file."},
        {"file", SettingType::Text, "mail.in", "Its name: import in fbb.conf."},
        {"file_limit",
         SettingType::Size,
         "4M",
         "While the file would be larger, the board is given time to read it.",
         {},
         65536,
         1 << 30},
        {"lock_wait",
         SettingType::Duration,
         "10s",
         "How long a batch waits while the board has the file; then it is tried again later.",
         {},
         0,
         600'000},
        {"stale_lock", SettingType::Duration, "1h",
         "A lock of another program that is older is removed, as the board does it; 0s: never."},
        {"file_mode", SettingType::Text, "0660", "Permission bits of the file, in octal."},
        {"folder_mode", SettingType::Text, "0770", "Permission bits of the folders that it makes, in octal."},
        {"stage", SettingType::Path, "",
         "A folder on the same volume for what is being written. Empty: .postern-<adapter> inside the "
         "folder."},
        {"create", SettingType::Boolean, "true",
         "Make the folder when it is missing; false for a volume that may not be mounted."},
    };
}

Result<fbb::Options> formatOf(const Settings& settings) {
    fbb::Options options;
    const auto call = radio::callsign(settings.text("call"));
    if (!call.ok()) return fail(Errc::Invalid, "call: " + call.error().text);
    options.call = *call;
    const std::string& type = settings.text("type");
    options.type = type == "bulletin"  ? fbb::Type::Bulletin
                   : type == "traffic" ? fbb::Type::Traffic
                                       : fbb::Type::Private;
    options.route = upperAscii(settings.text("route"));
    if (!options.route.empty() && !fbb::address("N0CALL@" + options.route, {}).ok())
        return fail(Errc::Invalid, "route: like N0BBS.#RGN.TST.NOAM, at most 40 characters");
    options.idPrefix = settings.text("id_prefix");
    if (!isIdPrefix(options.idPrefix))
        return fail(Errc::Invalid, "id_prefix: two capital letters or digits, like GW");
    options.totalLimit = settings.integer("total_limit");
    POSTERN_LET(profile, profileOf(settings, options.profile));
    options.profile = std::move(profile);
    options.profile.crlf = settings.text("line_ends") == "crlf";
    if (options.profile.columns < 20 || options.profile.columns > 78)
        return fail(Errc::Invalid, "wrap: from 20 to 78");
    if (options.profile.subjectLimit == 0 || options.profile.subjectLimit > 60)
        return fail(Errc::Invalid, "subject_limit: from 20 to 60");
    return options;
}

// "mail.in" has the lock "mail.lck".
Result<std::string> lockOf(const std::string& file) {
    const auto dot = file.rfind('.');
    const std::string lock = file.substr(0, dot) + ".lck";
    const bool plain = !file.empty() && file.size() <= 100 && file.front() != '.' &&
                       file.find_first_of("/\\ ") == std::string::npos && headerValue(file) == file;
    if (!plain || lock == file) return fail(Errc::Invalid, "file: a file name without blanks, like mail.in");
    for (const std::string& name : {file, lock})
        if (const auto usable = usableFileName(name); !usable.ok()) return usable.error().within("file");
    return lock;
}

Result<std::unique_ptr<Adapter>> makeFbb(const AdapterContext& context, const Settings& settings) {
    FbbPlan plan;
    POSTERN_LET(spool, spoolPlan(settings));
    plan.spool = std::move(spool);
    plan.spool.live = {""};
    plan.spool.synchronousRenames = false;
    POSTERN_LET(format, formatOf(settings));
    plan.format = std::move(format);
    plan.file = settings.text("file");
    POSTERN_LET(lockName, lockOf(plan.file));
    plan.lock.dotlockName = lockName;
    plan.lock.range = false;
    plan.lock.anyCase = true;
    plan.lock.staleAfter = Millis(settings.milliseconds("stale_lock"));
    plan.lock.signature = "postern " + context.storeId + " " + context.name;
    plan.fileLimit = settings.integer("file_limit");
    plan.lockWait = Millis(settings.milliseconds("lock_wait"));
    return std::unique_ptr<Adapter>(std::make_unique<Fbb>(context, std::move(plan)));
}

}  // namespace

Kind fbbKind() {
    std::vector<Setting> own = formatSettings();
    for (Setting& setting : fileSettings()) own.push_back(std::move(setting));
    return {"fbb", "messages in the import file of an FBB packet radio board",
            profileSettings(fbb::boardProfile(), std::move(own),
                            {"attachments=mime", "attachments=native", "text_limit", "long_text", "date_zone",
                             "file_names", "expand_tabs"}),
            &makeFbb};
}

}  // namespace postern::adapters
