#pragma once
// Who is at the other end, and whose a file is: for the history and for tools that must not leave files of
// the wrong owner behind. Thread rule: any thread.

#include <string>

#include "base/result.h"

namespace postern {

// The user of the process connected to a local socket, as the system knows it ("anna", or "uid 1000" for a
// number without a name). On Windows, where it is a connection on the loopback address: the user of the
// process that has its other end. Unavailable where the system can not say.
Result<std::string> peerUser(int socketHandle);

// Whether that process runs as the administrator or as the user we run as: who could do to us whatever it
// likes anyway. On Windows: as a member of Administrators with its rights in force, or as our own user.
// Unavailable as above.
Result<bool> peerIsMaster(int socketHandle);

// The name of the user with whose rights this process works now (base/owners_rights.h).
std::string effectiveUser();

// The name of the user a file or folder belongs to.
Result<std::string> fileOwner(const std::string& path);

// Sets the permission bits of a file. "anna:mail", "anna" or ":mail" by name or number, empty: no change.
// NotFound: no such user or group. Denied: only the administrator may give files away, and only to groups of
// the process's own otherwise. Windows has no such bits and no groups of files: who may do what is inherited
// from the folder, and only the user part of an owner does something.
Result<void> setFileMode(const std::string& path, unsigned mode);
Result<void> setFileOwner(const std::string& path, const std::string& owner);
// The same for a file that is open, whatever its path leads to by now. `handle` is File::handle().
Result<void> setOpenFileOwner(int handle, const std::string& owner);
// Where a file system has no such bits (FAT, CIFS) the file keeps those that it shows; that is no error.
Result<void> setOpenFileMode(int handle, unsigned mode);

// Whether the other side of a TCP connection, which it did not reset and we did not end, has acknowledged
// every byte that was sent. False where the system can not say (Windows), and on local sockets.
bool peerTookAll(int socketHandle);

int terminalWidth();  // columns of the terminal at standard output; 80 when it does not say

}  // namespace postern
