#include "adapters/outcome.h"

namespace postern::adapters {

std::string_view causeName(Cause cause) {
    switch (cause) {
        case Cause::Other: return "other";
        case Cause::Connection: return "connection";
        case Cause::Busy: return "busy";
        case Cause::Full: return "full";
        case Cause::Refused: break;
    }
    return "refused";
}

Cause causeOf(Errc code) {
    switch (code) {
        case Errc::NoSpace: return Cause::Full;
        case Errc::Denied: return Cause::Refused;
        case Errc::Busy:
        case Errc::Exists: return Cause::Busy;
        case Errc::Unavailable: return Cause::Connection;
        default: return Cause::Other;
    }
}

}  // namespace postern::adapters
