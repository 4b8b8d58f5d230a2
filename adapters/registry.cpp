#include "adapters/registry.h"

#include <deque>

#include "adapters/extension/absent.h"
#include "adapters/kinds.h"
#include "base/sync.h"
#include "base/text.h"

namespace postern::adapters {

namespace {
const std::string kNothing;

// A deque: what is added moves nothing.
struct Registry {
    Mutex mutex;
    std::deque<Kind> kinds GUARDED_BY(mutex) = {
        b2fKind(),   bsmtpKind(),  ccmailKind(),  chatKind(), dropKind(), fbbKind(),     ftnKind(),
        gwapiKind(), lmtpKind(),   maildirKind(), mboxKind(), mhKind(),   mhsKind(),     mmffKind(),
        nncpKind(),  pickupKind(), pipeKind(),    smtpKind(), uucpKind(), webhookKind(),
    };
};

Registry& registry() {
    static auto* all = new Registry();
    return *all;
}

}  // namespace

std::vector<const Kind*> kinds() {
    std::vector<const Kind*> all;
    const MutexLock lock(registry().mutex);
    for (const Kind& kind : registry().kinds) all.push_back(&kind);
    return all;
}

const Kind* kindNamed(std::string_view name) {
    for (const Kind* kind : kinds())
        if (name == kind->name) return kind;
    return absentKind(name);
}

void addKind(Kind kind) {
    const MutexLock lock(registry().mutex);
    registry().kinds.push_back(std::move(kind));
}

const std::string& Settings::text(std::string_view key) const {
    const auto found = values_.find(key);
    return found == values_.end() ? kNothing : found->second;
}

std::vector<std::string> Settings::list(std::string_view key) const {
    std::vector<std::string> lines;
    if (text(key).empty()) return lines;
    for (const std::string_view line : split(text(key), '\n')) lines.emplace_back(line);
    return lines;
}

bool Settings::boolean(std::string_view key) const {
    return text(key) == "true";
}

std::int64_t Settings::integer(std::string_view key) const {
    const std::string& value = text(key);
    if (const auto plain = parseInt(value)) return *plain;
    return parseSize(value).value_or(0);
}

std::int64_t Settings::milliseconds(std::string_view key) const {
    return parseDurationMillis(text(key)).value_or(0);
}

}  // namespace postern::adapters
