#include "adapters/any_case.h"

#include <algorithm>

#include "base/text.h"

namespace postern::adapters {

Result<std::vector<std::string>> otherSpellings(const Folder& folder, std::string_view name) {
    std::vector<std::string> found;
    POSTERN_TRY(folder.list([&](std::string_view other) {
        if (other != name && equalsIgnoreCase(other, name)) found.emplace_back(other);
        return true;
    }));
    std::sort(found.begin(), found.end());
    return found;
}

Result<std::string> spelledThere(const Folder& folder, std::string_view name) {
    POSTERN_LET(exact, folder.has(name));
    if (exact) return std::string(name);
    POSTERN_LET(others, otherSpellings(folder, name));
    return others.empty() ? std::string(name) : others.front();
}

Result<std::unique_ptr<LockFile>> takeLockInAnyCase(const Folder& folder, const std::string& name,
                                                    const LockFilePlan& plan) {
    POSTERN_LET(others, otherSpellings(folder, name));
    // What can be taken was stale, and goes as soon as it is let go.
    for (const std::string& other : others) POSTERN_TRY(LockFile::take(folder, other, plan));
    POSTERN_LET(lock, LockFile::take(folder, name, plan));
    POSTERN_LET(since, otherSpellings(folder, name));
    if (!since.empty())
        return fail(Errc::Busy, plan.busy + ": " + joinPath(folder.path(), since.front()) + " is there");
    return lock;
}

}  // namespace postern::adapters
