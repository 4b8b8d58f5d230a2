#pragma once
// The tool's end of the control socket (or what stands for it, control_door.h). Thread rule: one thread at a
// time.

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "connector/admin/control.h"

namespace postern::admin {

class ControlClient {
  public:
    // NotFound when no service listens there (no socket, or a dead one); Denied when we may not.
    static Result<ControlClient> connect(const std::string& socketPath, Millis silence = Millis{60'000});
    ControlClient(ControlClient&&) noexcept;
    ControlClient& operator=(ControlClient&&) noexcept;
    ~ControlClient();

    // Sends the request and, with request.body, the bytes; hands each row to `row`. The service's refusal
    // comes back as the Error it named. Unavailable when the connection broke: then it is not known whether
    // the request was carried out.
    Result<void> call(const Request& request, ByteStream& body, const RowSink& row);
    Result<std::vector<Record>> call(const Request& request);  // without bytes, all rows at once

  private:
    struct Impl;
    explicit ControlClient(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace postern::admin
