#pragma once
// A door's answer, for ways in that wait for it. Thread rule: one thread asks and waits; the answer comes on
// any.

#include <memory>
#include <optional>

#include "base/clock.h"
#include "connector/intake/door.h"

namespace postern::intake {

class AwaitedAnswer {
  public:
    // Hands the mail over. More may be asked before the first is waited for: they share a commit.
    static AwaitedAnswer ask(Door& door, IncomingMail mail);

    // Nothing when the disk was too slow: then it is not known whether the mail was stored.
    std::optional<Answer> wait(Millis patience = Millis{600'000});

  private:
    struct Shared;  // the waiter may give up before the answer comes
    explicit AwaitedAnswer(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
    std::shared_ptr<Shared> shared_;
};

}  // namespace postern::intake
