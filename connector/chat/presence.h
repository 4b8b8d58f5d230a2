#pragma once
// The accounts that are in the chat now, for those who have mail for them (adapters/chat). What they read may
// be over in the next moment: it decides whether mail waits, and never whether it is delivered.
// Thread rule: any thread.

#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/sync.h"
#include "base/text.h"

namespace postern::chat {

class Presence {
  public:
    // Names in lower case.
    void use(std::set<std::string, std::less<>> accounts) EXCLUDES(mutex_) {
        MutexLock lock(mutex_);
        accounts_ = std::move(accounts);
    }
    bool has(std::string_view account) const EXCLUDES(mutex_) {
        const std::string name = lowerAscii(account);
        MutexLock lock(mutex_);
        return accounts_.contains(name);
    }

  private:
    mutable Mutex mutex_;
    std::set<std::string, std::less<>> accounts_ GUARDED_BY(mutex_);
};

}  // namespace postern::chat
