#include "connector/intake/awaited_answer.h"

#include <chrono>

#include "base/sync.h"

namespace postern::intake {

struct AwaitedAnswer::Shared {
    Mutex mutex;
    Condition condition;
    std::optional<Answer> answer GUARDED_BY(mutex);
};

AwaitedAnswer AwaitedAnswer::ask(Door& door, IncomingMail mail) {
    const auto shared = std::make_shared<Shared>();
    door.accept(std::move(mail), [shared](const Answer& answer) {
        MutexLock lock(shared->mutex);
        shared->answer = answer;
        shared->condition.notifyAll();
    });
    return AwaitedAnswer(shared);
}

std::optional<Answer> AwaitedAnswer::wait(Millis patience) {
    const SteadyTime deadline = std::chrono::steady_clock::now() + patience;
    MutexLock lock(shared_->mutex);
    while (!shared_->answer && shared_->condition.waitUntil(shared_->mutex, deadline)) {
    }
    return shared_->answer;
}

}  // namespace postern::intake
