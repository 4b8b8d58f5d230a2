#include "base/journal.h"

#include <string>
#include <sys/stat.h>

namespace postern {

bool leadsToJournal(const char* journal_stream, int handle) {
    struct stat about {};
    if (journal_stream == nullptr || ::fstat(handle, &about) != 0) return false;
    return std::to_string(about.st_dev) + ":" + std::to_string(about.st_ino) == journal_stream;
}

}  // namespace postern
