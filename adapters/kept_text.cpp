#include "adapters/kept_text.h"

#include <set>

#include "base/sync.h"

namespace postern::adapters {

const char* keptText(const std::string& text) {
    static Mutex mutex;
    static auto* texts = new std::set<std::string>();
    const MutexLock lock(mutex);
    return texts->insert(text).first->c_str();
}

}  // namespace postern::adapters
