#include "adapters/extension/absent.h"

#include <map>
#include <memory>

#include "adapters/kept_text.h"
#include "adapters/spool/staging.h"
#include "base/sync.h"

namespace postern::adapters {

namespace {

class Absent final : public Adapter {
  public:
    explicit Absent(std::string why) : why_(std::move(why)) {}

    // What the missing kind can hold is not known; one recipient each fits every kind.
    Grouping grouping() const override { return {1, 0, nullptr}; }
    Result<void> probe() override { return fail(Errc::Unavailable, why_); }
    void stage(std::span<Job> jobs, const std::function<void()>&) override { endAll(jobs, unusable(why_)); }
    void publish(std::span<Job> jobs, const std::function<void()>&) override { endAll(jobs, unknown(why_)); }
    void abandon(Job&) override {}
    Result<std::optional<Outcome>> convert(Job&, StagedFile&) const override {
        return fail(Errc::Unavailable, why_);
    }
    Recovery recover(const DeliveryKey&, std::string_view) override {
        return {Found::CannotTell, why_, fail(Errc::Unavailable, why_)};
    }
    Result<int> sweep(const std::function<bool(const DeliveryKey&)>&) override { return 0; }
    std::string describe() const override { return why_; }

  private:
    const std::string why_;
};

struct StandIns {
    Mutex mutex;
    std::map<std::string, std::string, std::less<>> reasons GUARDED_BY(mutex);  // by kind
    std::map<std::string, Kind, std::less<>> kinds GUARDED_BY(mutex);
};

StandIns& standIns() {
    static auto* all = new StandIns();
    return *all;
}

Result<std::unique_ptr<Adapter>> makeAbsent(const std::string& name) {
    StandIns& all = standIns();
    const MutexLock lock(all.mutex);
    return std::unique_ptr<Adapter>(std::make_unique<Absent>(all.reasons[name]));
}

}  // namespace

const Kind* absentKind(std::string_view name) {
    StandIns& all = standIns();
    const MutexLock lock(all.mutex);
    const auto found = all.kinds.find(name);
    return found == all.kinds.end() ? nullptr : &found->second;
}

const Kind* standInFor(const std::string& name, const std::string& why) {
    StandIns& all = standIns();
    const MutexLock lock(all.mutex);
    all.reasons[name] = why;
    auto found = all.kinds.find(name);
    if (found == all.kinds.end())
        found =
            all.kinds
                .emplace(name,
                         Kind{keptText(name),
                              "in a library that was refused",
                              {},
                              [name](const AdapterContext&, const Settings&) { return makeAbsent(name); }})
                .first;
    return &found->second;
}

}  // namespace postern::adapters
