#include "connector/export/capture.h"

#include <algorithm>
#include <exception>
#include <stdexcept>

#include "adapters/spool/staged_file.h"
#include "base/file.h"
#include "base/random.h"
#include "base/text.h"

namespace postern::exporting {

namespace {

constexpr const char* kFolder = "captured";
constexpr const char* kUnfinished = ".part-";
constexpr Millis kLongestConversion{3'600'000};

std::string folderOf(const std::string& store, const std::string& adapter) {
    return joinPath(joinPath(store, kFolder), adapter);
}

std::string nameOf(const adapters::DeliveryKey& key) {
    return "item-" + std::to_string(key.item.value) + "-" + std::to_string(key.epoch.value);
}

// "item-12-3"; nothing for what is not ours.
std::optional<adapters::DeliveryKey> keyOf(std::string_view name) {
    const auto fields = split(name, '-');
    if (fields.size() != 3 || fields[0] != "item") return std::nullopt;
    const auto item = parseInt(fields[1]), epoch = parseInt(fields[2]);
    if (!item || !epoch || *item <= 0 || *epoch < 0) return std::nullopt;
    return adapters::DeliveryKey{ItemId{*item}, Epoch{*epoch}};
}

// Nothing when there is no such folder.
Result<std::optional<Folder>> openIfThere(const std::string& path) {
    auto folder = Folder::open(path);
    if (folder.ok()) return std::optional<Folder>(std::move(*folder));
    if (folder.error().code == Errc::NotFound) return std::optional<Folder>();
    return folder.error();
}

Result<std::vector<std::string>> namesIn(const Folder& folder) {
    std::vector<std::string> names;
    POSTERN_TRY(folder.list([&](std::string_view name) {
        names.emplace_back(name);
        return true;
    }));
    return names;
}

// Oldest first. One that goes while it is looked at is not there.
Result<std::vector<Captured>> copiesIn(const Folder& folder, const std::string& adapter) {
    POSTERN_LET(names, namesIn(folder));
    std::vector<Captured> copies;
    for (const std::string& name : names) {
        const auto key = keyOf(name);
        if (!key) continue;
        const auto facts = folder.facts(name);
        if (!facts.ok() || !facts->regular) continue;
        copies.push_back({adapter, joinPath(folder.path(), name), key->item, key->epoch,
                          fromMillis(facts->changedNanos / 1'000'000), facts->size});
    }
    std::sort(copies.begin(), copies.end(), [](const Captured& a, const Captured& b) {
        return a.at != b.at ? a.at < b.at : a.item.value < b.item.value;
    });
    return copies;
}

struct TooMuch : std::runtime_error {
    using std::runtime_error::runtime_error;
};

Result<void> convertInto(const Folder& folder, const std::string& name, const adapters::Adapter& adapter,
                         const adapters::Delivery& delivery, std::int64_t limit,
                         const std::function<void()>& beat, std::int64_t& size) {
    POSTERN_LET(file, folder.create(name, 0600));
    std::string buffer;
    const adapters::StagedFile* written = nullptr;
    // Called with each piece: what gets too long is not written to its end.
    const std::function<void()> bounded = [&] {
        beat();
        if (written->position() > limit) throw TooMuch("it has more than capture_limit");
    };
    adapters::StagedFile staged(std::move(file), buffer, bounded);
    written = &staged;
    adapters::Job job;
    job.delivery = delivery;
    try {
        POSTERN_LET(outcome, adapter.convert(job, staged));
        if (outcome) return fail(Errc::Invalid, outcome->reason);
        POSTERN_TRY(staged.flush());
    } catch (const TooMuch& stop) {
        return fail(Errc::TooLarge, stop.what());
    } catch (const std::exception& error) {
        return fail(Errc::Internal, std::string("the adapter failed unexpectedly: ") + error.what());
    }
    size = staged.position();
    return staged.takeFile().close();
}

// Mail comes before its copies.
Result<void> roomFor(const Folder& folder, const ByteSource& message, std::int64_t reserve) {
    POSTERN_LET(space, freeSpace(folder.path()));
    if (space.freeBytes - message.size() >= reserve) return {};
    return fail(Errc::NoSpace, "its folder's disk has no more than " + formatSize(space.freeBytes) + " free");
}

// What stands in the way of one removal keeps no other from it; the first is told at the end.
class Removals {
  public:
    void note(const Result<void>& removed) {
        if (removed.ok())
            ++count_;
        else
            note(removed.error());
    }
    void note(const Error& error) {
        if (!first_) first_ = error;
    }
    void note(const Result<int>& some) {
        if (some.ok())
            count_ += *some;
        else
            note(some.error());
    }
    Result<int> result() const { return first_ ? Result<int>(*first_) : Result<int>(count_); }

  private:
    int count_ = 0;
    std::optional<Error> first_;
};

// What an attempt left half that nobody works on any more.
void removeUnfinished(const Folder& folder, WallTime before, Removals& removals) {
    const auto names = namesIn(folder);
    if (!names.ok()) return removals.note(names.error());
    for (const std::string& name : *names) {
        if (!name.starts_with(kUnfinished)) continue;
        const auto facts = folder.facts(name);
        if (!facts.ok() || fromMillis(facts->changedNanos / 1'000'000) >= before) continue;
        removals.note(folder.remove(name));
    }
}

}  // namespace

Result<std::int64_t> captureArtifact(const std::string& store, const config::Adapter& settings,
                                     const adapters::Adapter& adapter, const adapters::Delivery& delivery,
                                     std::int64_t reserve, const std::function<void()>& beat) {
    POSTERN_TRY(Folder::make(joinPath(store, kFolder), 0700));
    POSTERN_LET(folder, Folder::make(folderOf(store, settings.name), 0700));
    POSTERN_TRY(roomFor(folder, *delivery.message, reserve));
    const std::string unfinished = kUnfinished + nameOf(delivery.key) + "-" + randomName(8);
    std::int64_t size = 0;
    auto made = convertInto(folder, unfinished, adapter, delivery, settings.captureLimit, beat, size);
    if (made.ok() && size > settings.captureLimit)
        made = fail(Errc::TooLarge, "it has " + formatSize(size) + ", more than capture_limit");
    if (made.ok()) made = folder.moveReplacing(unfinished, folder, nameOf(delivery.key));
    if (made.ok()) return size;
    (void)folder.remove(unfinished);  // what stays is pruned
    return made.error();
}

Result<int> pruneCaptured(const std::string& store, const std::string& adapter, Millis keep,
                          std::int64_t limit, WallTime now) {
    POSTERN_LET(folder, openIfThere(folderOf(store, adapter)));
    if (!folder) return 0;
    POSTERN_LET(copies, copiesIn(*folder, adapter));
    std::int64_t total = 0;
    for (const Captured& each : copies) total += each.size;
    Removals removals;
    for (const Captured& each : copies) {
        if (keep > Millis{0} && each.at > now - keep && total <= limit) continue;
        total -= each.size;
        removals.note(removeFile(each.path));
    }
    // With keep = 0 nobody makes any; one that a watcher is about to leave loses only its copy.
    removeUnfinished(*folder, keep > Millis{0} ? now - kLongestConversion : WallTime::max(), removals);
    return removals.result();
}

Result<int> pruneAllCaptured(const std::string& store, const config::Config& config, WallTime now) {
    POSTERN_LET(all, openIfThere(joinPath(store, kFolder)));
    if (!all) return 0;
    POSTERN_LET(names, namesIn(*all));
    Removals removals;
    for (const std::string& name : names) {
        const config::Adapter* adapter = config::adapterNamed(config, name);
        const Millis keep = adapter == nullptr ? Millis{0} : adapter->capture;
        const std::int64_t limit = adapter == nullptr ? 0 : adapter->captureLimit;
        removals.note(pruneCaptured(store, name, keep, limit, now));
    }
    return removals.result();
}

Result<std::vector<Captured>> capturedOf(const std::string& store, ItemId item) {
    std::vector<Captured> found;
    POSTERN_LET(all, openIfThere(joinPath(store, kFolder)));
    if (!all) return found;
    POSTERN_LET(names, namesIn(*all));
    for (const std::string& name : names) {
        POSTERN_LET(folder, openIfThere(joinPath(all->path(), name)));
        if (!folder) continue;
        POSTERN_LET(copies, copiesIn(*folder, name));
        std::copy_if(copies.begin(), copies.end(), std::back_inserter(found),
                     [&](const Captured& each) { return each.item == item; });
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const Captured& a, const Captured& b) { return a.at < b.at; });
    return found;
}

}  // namespace postern::exporting
