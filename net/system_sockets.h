#pragma once
// What differs in sockets from system to system: net/posix/ and net/windows/ have a half each. Thread rule:
// any thread.

#include <memory>
#include <string>

#include "base/result.h"

namespace Poco {
class Exception;
namespace Net {
class ServerSocket;
class SocketAddress;
}  // namespace Net
}  // namespace Poco

namespace postern::net {

// Whether there are Unix sockets. Windows has them since 2018, but the library of sockets that we use does
// not know that.
bool hasLocalSockets();
// The address of a Unix socket. REQUIRES: hasLocalSockets(); throws Poco::Net::NetException otherwise.
Poco::Net::SocketAddress localAddress(const std::string& path);
bool isLocal(const Poco::Net::SocketAddress& address);

// A socket that is bound there, so that no other process can be, and does not listen yet. Throws as Poco
// does.
std::unique_ptr<Poco::Net::ServerSocket> boundSocket(const Poco::Net::SocketAddress& address);

// Whether that error of accept() is about one connection that is gone again, or says that none waits. Any
// other one comes again as long as its cause is there.
bool isOfOneCaller(int code);

// Why it can not listen at `where`, and what to do. `port` 0: a socket in the file system.
Error cannotListen(const std::string& where, int port, const Poco::Exception& exception);

}  // namespace postern::net
