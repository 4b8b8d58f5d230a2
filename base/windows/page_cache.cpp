#include "base/page_cache.h"

namespace postern {

Result<void> forgetCached(const std::string&) {
    return {};
}

}  // namespace postern
