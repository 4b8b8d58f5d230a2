#include "base/result.h"

#include <cerrno>
#include <system_error>

namespace postern {

std::string_view errcName(Errc code) {
    switch (code) {
        case Errc::Invalid: return "invalid";
        case Errc::NotFound: return "not found";
        case Errc::Exists: return "exists";
        case Errc::Denied: return "denied";
        case Errc::TooLarge: return "too large";
        case Errc::Busy: return "busy";
        case Errc::NoSpace: return "no space";
        case Errc::Io: return "i/o";
        case Errc::Corrupt: return "corrupt";
        case Errc::Unavailable: return "unavailable";
        case Errc::Stopped: return "stopped";
        case Errc::Internal: return "internal";
    }
    return "internal";
}

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
