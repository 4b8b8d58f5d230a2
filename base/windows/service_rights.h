#pragma once
// Who a service is, and what it may do with folders. Thread rule: any thread.

#include <string>
#include <vector>

#include "base/result.h"

namespace postern::windows {

// The identifier that Windows gives the service `name`, S-1-5-80 and the SHA-1 of its name in capitals: the
// same on every machine, and known before the service is (sc.exe showsid).
Result<std::vector<unsigned char>> serviceIdentity(const std::string& name);

// Of any account: "DOMAIN\user", "NT AUTHORITY\LocalService"; "NT SERVICE\name" is computed.
Result<std::vector<unsigned char>> accountIdentity(const std::string& account);

// Gives the folder rights of its own, inherited by what is below: administrators and the system all,
// `identity` reading or (`writes`) changing; nobody else anything. An empty identity: nobody more.
Result<void> setFolderRights(const std::string& path, const std::vector<unsigned char>& identity,
                             bool writes);

}  // namespace postern::windows
