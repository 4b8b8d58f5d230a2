#include <cerrno>
#include <system_error>

#include "base/result.h"

namespace postern {

static Errc codeOf(int number) {
    switch (number) {
        case ENOENT:
        case ENOTDIR: return Errc::NotFound;
        case EEXIST:
        case ENOTEMPTY: return Errc::Exists;
        case EACCES:
        case EPERM:
        case EROFS: return Errc::Denied;
        case EBUSY:
        case EAGAIN:
        case ETXTBSY: return Errc::Busy;
        case ENOSPC:
        case EDQUOT:
        case EFBIG: return Errc::NoSpace;
        case EINVAL:
        case ENAMETOOLONG:
        case ELOOP: return Errc::Invalid;
        case EMFILE:
        case ENFILE:
        case ENOMEM:
        case ENODEV:
        case ESTALE:
        case ETIMEDOUT: return Errc::Unavailable;
        default: return Errc::Io;
    }
}

Error systemError(int number, std::string_view context) {
    return Error{codeOf(number), std::string(context) + ": " + std::generic_category().message(number)};
}

}  // namespace postern
