#include "base/result.h"

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

}  // namespace postern
