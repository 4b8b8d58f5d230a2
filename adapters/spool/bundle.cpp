#include "adapters/spool/bundle.h"

#include <algorithm>
#include <map>

#include "base/sync.h"
#include "base/text.h"

namespace postern::adapters {

namespace {

constexpr std::string_view kListPrefix = ".members-";  // the spool's own sweep passes dot files over
constexpr std::string_view kListEnd = "end\n";
constexpr std::size_t kLongestList = 1024 * 1024;

std::string listName(const DeliveryKey& first) {
    return std::string(kListPrefix) + stagedName(first);
}

// Nothing when a crash or a disk left less than the whole list.
std::optional<std::vector<DeliveryKey>> parseList(std::string_view text) {
    std::vector<DeliveryKey> keys;
    if (!text.ends_with(kListEnd)) return std::nullopt;
    text.remove_suffix(kListEnd.size());
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        const auto key = parseStagedName(text.substr(0, end));
        if (end == std::string_view::npos || !key) return std::nullopt;
        keys.push_back(*key);
        text.remove_prefix(end + 1);
    }
    if (keys.empty()) return std::nullopt;
    return keys;
}

}  // namespace

// Deliveries that share a file, or one that has a file of its own.
struct BundleAdapter::Bundle {
    std::string group;
    std::vector<Job*> members;
    std::string text;     // their mails
    bool shared = false;  // `text` is set; otherwise the one member is written straight into its file
    bool full = false;
};

// The texts of files that are being staged, by the key of their first member.
struct BundleAdapter::Sharing {
    Mutex mutex;
    std::map<std::pair<ItemId, Epoch>, const Bundle*> bundles GUARDED_BY(mutex);

    const Bundle* find(const DeliveryKey& key) {
        const MutexLock lock(mutex);
        const auto found = bundles.find({key.item, key.epoch});
        return found == bundles.end() ? nullptr : found->second;
    }
    void set(const DeliveryKey& key, const Bundle* bundle) {
        const MutexLock lock(mutex);
        if (bundle == nullptr)
            bundles.erase({key.item, key.epoch});
        else
            bundles[{key.item, key.epoch}] = bundle;
    }
};

// The spool of the files; a bundle is one delivery to it, with its first member's key.
class BundleAdapter::Files final : public SpoolAdapter {
  public:
    Files(const AdapterContext& adapterContext, const SpoolPlan& plan, const BundleAdapter& owner)
        : SpoolAdapter(adapterContext, plan), owner_(owner) {}
    std::optional<std::string> refuses(const Recipient& recipient) const override {
        return owner_.refuses(recipient);
    }
    mutable Sharing sharing;

  protected:
    Result<Place> place(const Delivery& delivery) const override { return owner_.place(delivery); }
    Result<std::optional<Outcome>> write(Job& job, StagedFile& file, Companions&) const override {
        return owner_.writeFile(job, owner_.head(job.delivery), file);
    }

  private:
    const BundleAdapter& owner_;
};

BundleAdapter::BundleAdapter(AdapterContext context, SpoolPlan plan, BundlePlan bundles)
    : context_(std::move(context)),
      plan_(std::move(plan)),
      bundles_(bundles),
      files_(std::make_unique<Files>(context_, plan_, *this)) {}

BundleAdapter::~BundleAdapter() = default;

int BundleAdapter::batchLimit() const {
    return std::max(files_->batchLimit(), static_cast<int>(bundles_.most));
}

Result<void> BundleAdapter::probe() {
    return files_->probe();
}

Result<std::optional<Outcome>> BundleAdapter::writeFile(Job& job, const std::string& head,
                                                        StagedFile& file) const {
    POSTERN_TRY(file.write(head));
    if (const Bundle* bundle = files_->sharing.find(job.delivery.key)) {
        POSTERN_TRY(file.write(bundle->text));
    } else {
        POSTERN_LET(outcome, write(job, [&](std::string_view bytes) { return file.write(bytes); }));
        if (outcome) return outcome;
    }
    POSTERN_TRY(file.write(tail()));
    return std::optional<Outcome>();
}

Result<std::optional<Outcome>> BundleAdapter::convert(Job& job, StagedFile& file) const {
    return writeFile(job, shownHead(job.delivery), file);
}

// The job's mails in memory; nothing when it has an outcome now.
std::optional<std::string> BundleAdapter::render(Job& job) const {
    std::string text;
    const auto written = write(job, [&](std::string_view bytes) -> Result<void> {
        text.append(bytes);
        return {};
    });
    if (!written.ok()) job.outcome = deferred(written.error());
    if (written.ok() && written->has_value()) job.outcome = **written;
    return job.outcome ? std::nullopt : std::optional<std::string>(std::move(text));
}

// Too large to wait in memory; a format may write it once for each recipient.
bool BundleAdapter::goesAlone(const Job& job) const {
    const std::int64_t size = job.delivery.message->size();
    const auto copies = static_cast<std::int64_t>(std::max<std::size_t>(1, job.delivery.recipients.size()));
    return size > bundles_.largest || size > bundles_.mostBytes / copies;
}

// Bundles only of mails that are known to be writable: one that is not must not take the others along.
// Result: how many of the jobs were looked at; the others wait until these are written.
std::size_t BundleAdapter::gather(std::span<Job> jobs, const std::function<void()>& beat,
                                  std::vector<Bundle>& bundles) const {
    std::map<std::string, std::size_t> open;
    std::int64_t held = 0;
    std::size_t looked = 0;
    while (looked < jobs.size() && held < bundles_.mostHeld) {
        Job& job = jobs[looked++];
        beat();
        if (job.outcome) continue;
        job.outcome = refusalOf(*this, job.delivery);
        if (job.outcome) continue;
        if (goesAlone(job)) {
            bundles.push_back({{}, {&job}, {}, false, true});
            continue;
        }
        const auto where = place(job.delivery);
        if (!where.ok()) job.outcome = rejectedOrDeferred(where.error());
        auto text = job.outcome ? std::nullopt : render(job);
        if (!text) continue;
        const std::string group = where->folder + "/" + groupOf(job.delivery);
        const auto found = open.find(group);
        if (found == open.end() || bundles[found->second].full) {
            open[group] = bundles.size();
            bundles.push_back({group, {}, {}, true, false});
        }
        Bundle& bundle = bundles[open[group]];
        bundle.members.push_back(&job);
        bundle.text += *text;
        held += static_cast<std::int64_t>(text->size());
        bundle.full = bundle.members.size() >= bundles_.most ||
                      static_cast<std::int64_t>(bundle.text.size()) >= bundles_.mostBytes;
    }
    return looked;
}

// Durable before the bundle can be: the folder is synced once more with the bundle's own name.
Result<void> BundleAdapter::listMembers(const Bundle& bundle) const {
    std::string text;
    for (const Job* job : bundle.members) text += stagedName(job->delivery.key) + "\n";
    POSTERN_LET(stage, Folder::open(stagePath(context_, plan_)));
    POSTERN_LET(file, stage.create(listName(bundle.members.front()->delivery.key), 0600));
    POSTERN_TRY(file.write(text.append(kListEnd)));
    return file.sync();
}

void BundleAdapter::stage(std::span<Job> jobs, const std::function<void()>& beat) {
    if (bundles_.most <= 1) return files_->stage(jobs, beat);
    while (!jobs.empty()) {
        std::vector<Bundle> bundles;
        jobs = jobs.subspan(gather(jobs, beat, bundles));
        stageShared(bundles, beat);
    }
}

void BundleAdapter::stageShared(std::vector<Bundle>& bundles, const std::function<void()>& beat) {
    std::vector<Job> leaders;
    for (const Bundle& bundle : bundles) {
        Job& leader = leaders.emplace_back();
        leader.delivery = bundle.members.front()->delivery;
        if (bundle.members.size() > 1)
            if (const auto listed = listMembers(bundle); !listed.ok())
                leader.outcome = unusableBy(listed.error());
        if (bundle.shared) files_->sharing.set(leader.delivery.key, &bundle);
    }
    files_->stage(leaders, beat);
    for (std::size_t i = 0; i < bundles.size(); ++i) {
        Bundle& bundle = bundles[i];
        if (bundle.shared) files_->sharing.set(leaders[i].delivery.key, nullptr);
        std::vector<DeliveryKey> keys;
        for (const Job* job : bundle.members) keys.push_back(job->delivery.key);
        const std::string digest = bundleDigest(keys);
        for (Job* job : bundle.members) {
            job->outcome = leaders[i].outcome;
            job->evidence =
                keys.size() == 1 || leaders[i].outcome
                    ? leaders[i].evidence
                    : formatBundleEvidence({job->delivery.key, keys.size(), digest, leaders[i].evidence});
        }
        for (std::string& note : leaders[i].notes) bundle.members.front()->notes.push_back(std::move(note));
    }
}

void BundleAdapter::publish(std::span<Job> jobs, const std::function<void()>& beat) {
    if (bundles_.most <= 1) return files_->publish(jobs, beat);
    std::map<std::string, std::vector<Job*>> byFile;
    for (Job& job : jobs) {
        if (job.outcome) continue;
        const auto bundle = parseBundleEvidence(job.evidence);
        byFile[bundle ? bundle->file : job.evidence].push_back(&job);
    }
    std::vector<Job> leaders;
    std::vector<const std::vector<Job*>*> followers;
    for (auto& [evidence, members] : byFile) {
        beat();
        const auto bundle = parseBundleEvidence(members.front()->evidence);
        const auto file = parseEvidence(evidence);
        Job leader = *members.front();
        if (bundle && file) {
            std::vector<DeliveryKey> keys;
            for (const Job* job : members) keys.push_back(job->delivery.key);
            if (keys.size() != bundle->members || bundleDigest(keys) != bundle->digest) {
                voidBundle(members);
                continue;
            }
            leader.delivery.key = *parseStagedName(file->staged);
            leader.evidence = bundle->file;
        }
        leader.notes.clear();
        leaders.push_back(std::move(leader));
        followers.push_back(&members);
    }
    files_->publish(leaders, beat);
    for (std::size_t i = 0; i < leaders.size(); ++i)
        for (Job* job : *followers[i]) {
            beat();
            job->outcome = leaders[i].outcome;
            job->notes.insert(job->notes.end(), leaders[i].notes.begin(), leaders[i].notes.end());
        }
}

// B2. Whatever the bundle came to meanwhile, it is the same for all of them.
void BundleAdapter::voidBundle(std::vector<Job*>& members) {
    const Job& first = *members.front();
    const Recovery seen = recover(first.delivery.key, first.evidence);
    const auto file = fileOf(first.evidence);
    Outcome outcome = unknown(seen.text);
    if (seen.found == Found::NotPublished) {
        outcome = deferred("another mail of its file was taken away: the file is not published", Cause::Busy);
        outcome.again = true;
    } else if (seen.found == Found::Published && file) {
        outcome = exported(joinPath(joinPath(plan_.folder, file->folder), file->name));
    }
    for (Job* job : members) job->outcome = outcome;
}

void BundleAdapter::abandon(Job& job) {
    const auto bundle = parseBundleEvidence(job.evidence);
    if (!bundle) return files_->abandon(job);
    // Others may be committed as "publishing" with this file for evidence: it is never removed here.
    (void)recover(job.delivery.key, job.evidence);
}

Recovery BundleAdapter::recover(const DeliveryKey& staged, std::string_view evidence) {
    const auto bundle = parseBundleEvidence(evidence);
    if (!bundle) return files_->recover(staged, evidence);
    const auto file = parseEvidence(bundle->file);
    if (!file || stagedName(bundle->member) != stagedName(staged))
        return {Found::CannotTell, "the record of its staged file is damaged", std::nullopt};
    return files_->recover(*parseStagedName(file->staged), bundle->file);
}

Result<bool> BundleAdapter::allOver(const std::string& list,
                                    const std::function<bool(const DeliveryKey&)>& isOver) const {
    POSTERN_LET(text, readFile(joinPath(stagePath(context_, plan_), list), kLongestList));
    const auto keys = parseList(text);
    if (!keys) return fail(Errc::Corrupt, list + " is not whole");
    return std::all_of(keys->begin(), keys->end(), isOver);
}

Result<int> BundleAdapter::sweep(const std::function<bool(const DeliveryKey&)>& isOver) {
    POSTERN_LET(stage, Folder::open(stagePath(context_, plan_)));
    POSTERN_LET(withdrawn, Folder::open(withdrawnPath(context_, plan_)));
    std::vector<std::string> lists;
    POSTERN_TRY(stage.list([&](std::string_view name) {
        if (name.starts_with(kListPrefix)) lists.emplace_back(name);
        return true;
    }));
    std::sort(lists.begin(), lists.end());
    POSTERN_LET(swept, files_->sweep([&](const DeliveryKey& key) {
        const std::string list = listName(key);
        const auto listed = stage.has(list);
        if (!listed.ok()) return false;
        return *listed ? allOver(list, isOver).valueOr(false) : isOver(key);
    }));
    for (const std::string& list : lists) {
        const auto first = parseStagedName(std::string_view(list).substr(kListPrefix.size()));
        if (!first) continue;
        // The bundle goes first (B4); a list that is not whole never got one, once its first member is over.
        POSTERN_LET(staged, stage.has(stagedName(*first)));
        POSTERN_LET(voided, withdrawn.has(stagedName(*first)));
        if (staged || voided || !allOver(list, isOver).valueOr(isOver(*first))) continue;
        if (const auto gone = stage.remove(list); !gone.ok() && gone.error().code != Errc::NotFound)
            return gone.error();
    }
    return swept;
}

std::string BundleAdapter::describe() const {
    std::string text = files_->describe();
    if (bundles_.most > 1) text += "; up to " + std::to_string(bundles_.most) + " mails in one file";
    return text;
}

}  // namespace postern::adapters
