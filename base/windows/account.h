#pragma once
// Users of this system: a security identifier (SID) and the name that goes with it. Thread rule: any thread.

#include <string>
#include <vector>

#include "base/windows/system.h"

namespace postern::windows {

// A SID in bytes of its own.
using Sid = std::vector<unsigned char>;

Sid copyOfSid(PSID sid);  // REQUIRES: valid
inline PSID pointerTo(const Sid& sid) {
    return const_cast<unsigned char*>(sid.data());
}

// The user of a token of which TOKEN_QUERY was granted.
Result<Sid> userOfToken(HANDLE token);
Result<Sid> ownUser();
// "anna", or "S-1-5-..." for one without a name.
std::string nameOfSid(PSID sid);
// NotFound: nobody is called so.
Result<Sid> sidNamed(const std::string& name);

}  // namespace postern::windows
