#include "base/places.h"

namespace postern {

const char* placeFor(const char* unixPlace) {
    return unixPlace;
}

const char* plainEnvironment() {
    return "PATH=/usr/local/bin:/usr/bin:/bin";
}

}  // namespace postern
