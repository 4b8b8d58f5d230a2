#pragma once
// The words of the control socket: how an operator's tool asks the running service for a change.
//
//   client:  {"verb":"operate","who":"anna","fields":{"change":"hold","ids":"3-7"}}\n
//            and, when "body" is true, chunks: "65536\n" and that many bytes, ...; "0\n" ends them
//   server:  {"row":{...}}\n for each row, then {"ok":true}\n or {"ok":false,"code":"busy","error":"..."}\n
//
// One connection may carry several requests, one after the other.

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "connector/admin/record.h"

namespace postern::admin {

inline constexpr std::size_t kRequestLimit = 65536;  // bytes of a request line

// Bytes in order, read when needed.
class ByteStream {
  public:
    virtual ~ByteStream() = default;
    // Up to `size` bytes; 0 only at the end. An error means that the rest will never come.
    virtual Result<std::size_t> read(char* into, std::size_t size) = 0;
};

// For requests without bytes.
class NoBytes final : public ByteStream {
  public:
    Result<std::size_t> read(char*, std::size_t) override { return std::size_t{0}; }
};

struct Request {
    std::string verb;  // a name of commands() in commands.h
    std::map<std::string, std::string, std::less<>> fields;
    std::string who;  // for the history. In a handler: what the system says of the peer, where it can say
    // In a handler: it is root or the service's own user, who may do everything. Not sent.
    bool master = false;
    bool body = false;   // bytes follow
    bool turns = false;  // a row is waited for before each piece of bytes. Not sent: the verb implies it

    std::string_view field(std::string_view name) const;  // "" when it was not given
};

// Carries out one request; runs on a connection's own thread. Must not throw.
using Handler = std::function<Result<void>(const Request& request, ByteStream& body, const RowSink& row)>;

}  // namespace postern::admin
