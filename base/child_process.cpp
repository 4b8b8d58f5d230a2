#include "base/child_process.h"

#include <algorithm>
#include <utility>

namespace postern {

namespace {

constexpr Millis kLook{100};  // how often `cancelled` is asked

Millis since(SteadyTime begin) {
    return std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now() - begin);
}

}  // namespace

std::string ProcessEnd::text() const {
    switch (how) {
        case How::Exited: return "ended with exit code " + std::to_string(code);
        case How::Signalled: return "was ended by " + causeText(code);
        case How::TimedOut:
            return "did not end within " + std::to_string((took.count() + 500) / 1000) +
                   " s and was ended by us";
        case How::Cancelled: return "was ended by us before its time";
        case How::NotStarted: break;
    }
    return "could not be started: " + trouble.text;
}

ChildProcess::ChildProcess(int id, int watch, File input, File output, const ProcessPlan& plan)
    : id_(id),
      watch_(watch),
      endsWithUs_(plan.endsWithUs),
      input_(std::move(input)),
      output_(std::move(output)),
      mostOutput_(plan.mostOutput),
      grace_(plan.grace),
      began_(std::chrono::steady_clock::now()) {}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : id_(std::exchange(other.id_, -1)),
      watch_(std::exchange(other.watch_, -1)),
      group_(std::exchange(other.group_, -1)),
      endsWithUs_(other.endsWithUs_),
      input_(std::move(other.input_)),
      output_(std::move(other.output_)),
      kept_(std::move(other.kept_)),
      cut_(other.cut_),
      mostOutput_(other.mostOutput_),
      grace_(other.grace_),
      began_(other.began_),
      end_(std::move(other.end_)) {}

ProcessEnd runProgram(const ProcessPlan& plan, Millis limit, const std::function<bool()>& cancelled) {
    auto child = ChildProcess::start(plan);
    if (!child.ok()) {
        ProcessEnd none;
        none.trouble = child.error();
        return none;
    }
    const SteadyTime begin = std::chrono::steady_clock::now();
    for (;;) {
        const Millis left = limit.count() > 0 ? limit - since(begin) : kLook;
        if (auto end = child->wait(std::clamp(left, Millis(0), kLook))) return *end;
        if (limit.count() > 0 && since(begin) >= limit) return child->stop(ProcessEnd::How::TimedOut);
        if (cancelled && cancelled()) return child->stop(ProcessEnd::How::Cancelled);
    }
}

}  // namespace postern
