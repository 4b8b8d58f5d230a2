#include "adapters/radio/fbb_journal.h"

#include <algorithm>

#include "adapters/spool/spool_evidence.h"
#include "base/text.h"

namespace postern::adapters::fbb {

namespace {

constexpr std::string_view kBundle = ".b";
constexpr std::string_view kMark = "postern-fbb";
constexpr std::size_t kMostKeyLine = 64 * 1024;
constexpr std::int64_t kEarlierAttempts = 8;

std::string roundName(char kind, const std::string& bundle, int number) {
    return std::string(".") + kind + bundle.substr(kBundle.size()) + "-" + std::to_string(number);
}

Round roundOf(const std::string& bundle, int number) {
    return {roundName('j', bundle, number), roundName('m', bundle, number)};
}

// The keys of the first line, or nothing where it is not whole.
Result<std::optional<std::vector<std::string>>> readKeys(const Folder& stage, const std::string& name) {
    POSTERN_LET(file, stage.openRead(name));
    std::string text(kMostKeyLine, '\0');
    POSTERN_LET(got, file.readAt(0, text.data(), text.size()));
    text.resize(got);
    const auto end = text.find('\n');
    const auto words = split(std::string_view(text).substr(0, end), ' ');
    if (end == std::string::npos || words.size() < 2 || words.front() != kMark || words.back() != ".")
        return std::optional<std::vector<std::string>>();
    std::vector<std::string> keys(words.begin() + 1, words.end() - 1);
    const bool all = std::all_of(keys.begin(), keys.end(),
                                 [](const std::string& key) { return parseStagedName(key).has_value(); });
    return all ? std::optional(std::move(keys)) : std::nullopt;
}

Result<void> removeIfThere(const Folder& folder, const std::string& name) {
    const auto removed = folder.remove(name);
    if (removed.ok() || removed.error().code == Errc::NotFound) return {};
    return removed;
}

// Itself last: as long as it is there, another sweep finds the rest.
Result<void> removeBundle(const Folder& stage, const std::string& bundle) {
    std::vector<std::string> rounds;
    for (int number = 1;; ++number) {
        const Round round = roundOf(bundle, number);
        POSTERN_LET(journaled, stage.has(round.journal));
        if (!journaled) break;
        POSTERN_TRY(removeIfThere(stage, round.merged));
        rounds.push_back(round.journal);
    }
    for (auto journal = rounds.rbegin(); journal != rounds.rend(); ++journal)
        POSTERN_TRY(removeIfThere(stage, *journal));
    return removeIfThere(stage, bundle);
}

}  // namespace

std::string bundleName(const DeliveryKey& first) {
    return std::string(kBundle) + stagedName(first);
}

std::string keyLine(const std::vector<std::string>& keys) {
    std::string line(kMark);
    for (const std::string& key : keys) line += " " + key;
    return line + " .\n";
}

std::string formatEvidence(const Evidence& evidence) {
    return "fbb1 " + evidence.token + " " + evidence.bundle + " " + evidence.key + " " +
           std::to_string(evidence.offset) + " " + std::to_string(evidence.length) + " .";
}

std::optional<Evidence> parseEvidence(std::string_view text) {
    const auto words = split(text, ' ');
    if (words.size() != 7 || words[0] != "fbb1" || words[6] != "." || words[1].empty()) return std::nullopt;
    const auto offset = parseInt(words[4]), length = parseInt(words[5]);
    if (!offset || !length || *offset <= 0 || *length <= 0 || !words[2].starts_with(kBundle) ||
        !parseStagedName(words[2].substr(kBundle.size())) || !parseStagedName(words[3]))
        return std::nullopt;
    return Evidence{std::string(words[1]), std::string(words[2]), std::string(words[3]), *offset, *length};
}

Result<std::vector<std::string>> settle(const Folder& stage, const std::string& bundle) {
    std::vector<std::string> published;
    for (int number = 1;; ++number) {
        const Round round = roundOf(bundle, number);
        POSTERN_LET(journaled, stage.has(round.journal));
        if (!journaled) return published;
        POSTERN_LET(cutOff, stage.has(round.merged));
        if (cutOff) {
            POSTERN_TRY(undo(stage, round));
            return published;  // the next round has the same number
        }
        POSTERN_LET(keys, readKeys(stage, round.journal));
        if (!keys) return fail(Errc::Corrupt, joinPath(stage.path(), round.journal) + " is damaged");
        published.insert(published.end(), keys->begin(), keys->end());
    }
}

Result<Round> nextRound(const Folder& stage, const std::string& bundle) {
    for (int number = 1;; ++number) {
        const Round round = roundOf(bundle, number);
        POSTERN_LET(journaled, stage.has(round.journal));
        if (journaled) continue;
        POSTERN_TRY(removeIfThere(stage, round.merged));  // without a journal it is nothing
        return round;
    }
}

// The journal alone would say "published", so it goes first, for good.
Result<void> undo(const Folder& stage, const Round& round) {
    POSTERN_TRY(removeIfThere(stage, round.journal));
    POSTERN_TRY(stage.sync());
    return removeIfThere(stage, round.merged);
}

Result<void> withdrawKey(const SpoolFolders& folders, const std::string& key) {
    const auto marked = folders.withdrawn().create(key, 0600);
    return marked.ok() || marked.error().code == Errc::Exists ? Result<void>() : marked.error();
}

Result<void> withdrawEarlierKeys(const SpoolFolders& folders, const DeliveryKey& key) {
    for (std::int64_t epoch = std::max<std::int64_t>(1, key.epoch.value - kEarlierAttempts);
         epoch < key.epoch.value; ++epoch)
        POSTERN_TRY(withdrawKey(folders, stagedName({key.item, Epoch{epoch}})));
    return {};
}

Result<int> sweepBundles(const Folder& stage, const std::function<bool(const DeliveryKey&)>& isOver) {
    std::vector<std::string> bundles;
    POSTERN_TRY(stage.list([&](std::string_view name) {
        if (name.starts_with(kBundle) && parseStagedName(name.substr(kBundle.size())))
            bundles.emplace_back(name);
        return true;
    }));
    int removed = 0;
    for (const std::string& bundle : bundles) {
        const auto keys = readKeys(stage, bundle);
        if (!keys.ok() && keys.error().code == Errc::NotFound) continue;  // another sweep was here
        if (!keys.ok()) return keys.error();
        // One that was cut off while it was written has no evidence anywhere; its name says whose it is.
        const bool over =
            *keys ? std::all_of((*keys)->begin(), (*keys)->end(),
                                [&](const std::string& key) { return isOver(*parseStagedName(key)); })
                  : isOver(*parseStagedName(bundle.substr(kBundle.size())));
        if (!over) continue;
        POSTERN_TRY(removeBundle(stage, bundle));
        ++removed;
    }
    return removed;
}

}  // namespace postern::adapters::fbb
