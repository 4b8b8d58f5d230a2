// R7: processes that all want one store are killed at moments by chance, and stopped while others come, and
// go on. Each that gets the store takes mail in, as a "250" would, and exports what it finds; the reader
// takes what is there at any time. kill_storm.py does the same to the whole service, of which a life takes
// ten times as long.
//
// POSTERN_STORM_KILLS: how many at least, POSTERN_STORM_SEED: the seed that a run before has said.

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <poll.h>
#include <random>
#include <set>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/log.h"
#include "connector/export/runner.h"
#include "store/notifier.h"
#include "tests/kit/post_office.h"
#include "tests/kit/wait.h"

namespace postern {
namespace {

constexpr int kRefused = 3;     // how a process ends to which another one's store was refused
constexpr int kBroken = 4;      // and one that could not work
constexpr int kSerials = 1000;  // a process has these; then it only exports

constexpr int kAhead = 32;  // mails it takes in beyond those that it exported

void aMoment(int microseconds) {
    const timespec time{0, microseconds * 1000L};
    ::ppoll(nullptr, 0, &time, nullptr);
}

// What a process works on, and how.
struct Site {
    std::string folder;
    std::string kind;
    Guards guards{};

    std::string out() const { return folder + "/out"; }
    std::shared_ptr<adapters::Adapter> adapter() const {
        std::map<std::string, std::string> settings = {{"folder", out()}};
        if (kind == "mbox") settings["locks"] = "dotlock";
        return tests::makeAdapter(kind, "out", settings, guards);
    }
    queue::QueueOptions queue() const {
        queue::QueueOptions options;
        options.owner = randomName(16);
        options.deathLimit = 1'000'000;
        options.guards = guards;
        return options;
    }
    static config::Adapter settings() {
        config::Adapter settings;
        settings.name = "out";
        settings.watchers = 4;
        settings.batch = 8;
        return settings;
    }
};

// A process's life: mail comes in with serials from `first`, each of which is said on `said` once it is
// stored.
[[noreturn]] void live(const Site& site, int first, int said) {
    auto office = tests::PostOffice::at(site.folder);
    if (!office.ok() && office.error().code == Errc::Busy) ::_exit(kRefused);
    if (!office.ok()) {
        std::cerr << "a process of the storm: " << office.error().text << std::endl;
        ::_exit(kBroken);
    }
    store::Notifier notifier;
    queue::Queue queue((*office)->store(), Clock::system(), site.queue());
    exporting::Runner runner((*office)->store(), notifier, queue, site.adapter(), Site::settings(), {});
    runner.start();
    std::mt19937 chance(static_cast<unsigned>(first));
    for (int next = first; next < first + kSerials;) {
        while (next - first > runner.counters().exported + kAhead) aMoment(200);
        const int count = std::min(first + kSerials - next, std::uniform_int_distribution<int>(1, 8)(chance));
        (*office)->post("out", next, count);
        notifier.notify("out");
        for (const int end = next + count; next < end; ++next)
            if (::write(said, &next, sizeof next) != sizeof next) ::_exit(kBroken);
    }
    for (;;) ::pause();
}

// Exports what it finds, and says how many items there are once each of them is exported.
[[noreturn]] void settleAll(const Site& site, int said) {
    auto office = tests::PostOffice::at(site.folder);
    if (!office.ok()) ::_exit(kBroken);
    store::Notifier notifier;
    queue::Queue queue((*office)->store(), Clock::system(), site.queue());
    exporting::Runner runner((*office)->store(), notifier, queue, site.adapter(), Site::settings(), {});
    runner.start();
    const auto onlyExported = [&] {
        const auto states = (*office)->states();
        return states.size() == 1 && states.begin()->first == queue::State::Exported;
    };
    if (!tests::waitFor(onlyExported, Millis(100'000))) ::_exit(kBroken);
    const int count = (*office)->states().begin()->second;
    if (::write(said, &count, sizeof count) != sizeof count) ::_exit(kBroken);
    for (;;) ::pause();
}

// A process. The one that makes it has no thread but its own, so that the copy is whole.
class Life {
  public:
    explicit Life(const std::function<void(int said)>& work) {
        int ends[2];
        if (::pipe(ends) != 0) std::abort();
        process_ = ::fork();
        if (process_ == 0) {
            ::close(ends[0]);
            work(ends[1]);
            ::_exit(kBroken);
        }
        ::close(ends[1]);
        said_ = ends[0];
    }
    ~Life() {
        if (process_ > 0) end();
        ::close(said_);
    }
    Life(const Life&) = delete;
    Life& operator=(const Life&) = delete;

    void stop() const { ::kill(process_, SIGSTOP); }
    void goOn() const { ::kill(process_, SIGCONT); }
    // Waits for the next number that it says. False: it has ended, or says nothing for two minutes.
    bool hear() {
        pollfd what{said_, POLLIN, 0};
        int number = 0;
        EXPECT_EQ(::poll(&what, 1, 120'000), 1) << "it says nothing and does not end";
        if ((what.revents & POLLIN) == 0 || ::read(said_, &number, sizeof number) != sizeof number)
            return false;
        numbers_.push_back(number);
        return true;
    }
    enum class End { Killed, Refused, Wrong };
    // Kills it. What it had said is in said() then.
    End end() {
        ::kill(process_, SIGKILL);
        int status = 0;
        while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
        }
        process_ = 0;
        for (int serial = 0; ::read(said_, &serial, sizeof serial) == sizeof serial;)
            numbers_.push_back(serial);
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) return End::Killed;
        return WIFEXITED(status) && WEXITSTATUS(status) == kRefused ? End::Refused : End::Wrong;
    }
    const std::vector<int>& said() const { return numbers_; }

  private:
    pid_t process_ = 0;
    int said_ = -1;
    std::vector<int> numbers_;
};

// The reader of the folder or of the mailbox, which counts each mail that it takes.
class Reader {
  public:
    explicit Reader(const Site& site) : files_(site.out()), mailbox_(site.kind == "mbox") {
        folder_ = site.out();
    }

    void take() {
        if (mailbox_)
            takeMailbox();
        else
            files_.take();
    }
    const std::map<int, int>& seen() const { return mailbox_ ? seen_ : files_.seen(); }

  private:
    // Under its dotlock; one that another holds, or that a dead one left, keeps this reader out.
    void takeMailbox() {
        const auto folder = Folder::open(folder_);
        if (!folder.ok() || !folder->create("inbox.lock").ok()) return;
        const std::string path = joinPath(folder_, "inbox");
        if (const auto text = readFile(path, 1 << 26); text.ok()) {
            static constexpr std::string_view kMark = "\nX-Serial: ";
            for (std::size_t at = text->find(kMark); at != std::string::npos; at = text->find(kMark, at + 1))
                ++seen_[std::atoi(text->c_str() + at + kMark.size())];
            std::filesystem::resize_file(path, 0);
        }
        EXPECT_TRUE(folder->remove("inbox.lock").ok());
    }

    tests::Consumer files_;
    bool mailbox_;
    std::string folder_;
    std::map<int, int> seen_;
};

struct Tally {
    int kills = 0, stops = 0, refused = 0, lost = 0, doubled = 0;
    std::size_t stored = 0;
};

class Storm {
  public:
    Storm(std::string kind, unsigned seed, Guards guards)
        : site_{folder_.path(), std::move(kind), guards}, reader_(site_), chance_(seed) {
        setLogLevel(Severity::Error);
    }

    // A process comes. It is killed; or it is stopped, others come, it goes on, and all are killed.
    void pass() {
        std::vector<std::unique_ptr<Life>> lives;
        come(lives);
        if (below(3) == 0) {
            lives.front()->stop();
            ++tally_.stops;
            for (int others = 1 + below(3); others > 0; --others) come(lives);
            lives.front()->goOn();
            waitFor(*lives.front());
        }
        if (below(2) == 0) reader_.take();
        std::shuffle(lives.begin(), lives.end(), chance_);
        for (const auto& life : lives) end(*life);
        if (below(4) == 0) reader_.take();
    }

    // All that is left is exported by one that nobody disturbs, which says how many there were.
    void settle() {
        Life last([this](int said) { settleAll(site_, said); });
        last.hear();
        EXPECT_EQ(last.end(), Life::End::Killed) << "not everything was exported in time";
        reader_.take();
        ASSERT_EQ(last.said().size(), 1U);
        EXPECT_EQ(last.said().front(), static_cast<int>(reader_.seen().size()));
    }

    int kills() const { return tally_.kills; }
    // Counted anew: what arrived against what was said to be stored.
    const Tally& tally() {
        tally_.lost = tally_.doubled = 0;
        for (const int serial : stored_) tally_.lost += reader_.seen().count(serial) == 0;
        for (const auto& [serial, times] : reader_.seen()) tally_.doubled += times > 1;
        tally_.stored = stored_.size();
        return tally_;
    }

  private:
    int below(int bound) { return std::uniform_int_distribution<int>(0, bound - 1)(chance_); }

    void come(std::vector<std::unique_ptr<Life>>& lives) {
        lives.push_back(std::make_unique<Life>([this](int said) { live(site_, first_, said); }));
        first_ += kSerials;
        waitFor(*lives.back());
    }
    // A moment by chance: in its start, or in its work.
    void waitFor(Life& life) {
        if (below(3) == 0) return aMoment(below(4'000));
        for (int more = 1 + below(100); more > 0 && life.hear(); --more)
            if (below(20) == 0) reader_.take();
        aMoment(below(1'000));
    }
    void end(Life& life) {
        switch (life.end()) {
            case Life::End::Killed: ++tally_.kills; break;
            case Life::End::Refused: ++tally_.refused; break;
            case Life::End::Wrong: ADD_FAILURE() << "a process ended by itself"; break;
        }
        stored_.insert(life.said().begin(), life.said().end());
    }

    tests::TempFolder folder_;
    Site site_;
    Reader reader_;
    std::mt19937 chance_;
    int first_ = 1;
    std::set<int> stored_;  // of which a process said so
    Tally tally_;
};

int numberFrom(const char* variable, int otherwise) {
    const char* text = std::getenv(variable);
    return text == nullptr ? otherwise : std::atoi(text);
}

unsigned seed() {
    static const auto seed = static_cast<unsigned>(
        numberFrom("POSTERN_STORM_SEED", static_cast<int>(std::random_device()() & 0x7fffffff)));
    return seed;
}

class StormTest : public testing::TestWithParam<const char*> {};

TEST_P(StormTest, KilledAndStoppedProcessesExportOnce) {
    const int kills = numberFrom("POSTERN_STORM_KILLS", 60);
    std::cout << "seed " << seed() << std::endl;
    Storm storm(GetParam(), seed(), {});
    while (storm.kills() < kills && !HasFailure()) storm.pass();
    storm.settle();
    const Tally& tally = storm.tally();
    EXPECT_EQ(tally.lost, 0);
    EXPECT_EQ(tally.doubled, 0);
    EXPECT_GT(tally.stored, static_cast<std::size_t>(kills));
    EXPECT_GT(tally.refused, 0);
    std::cout << GetParam() << ": " << tally.kills << " kills, " << tally.stops << " stops, " << tally.refused
              << " refused the store, " << tally.stored << " mails: " << tally.lost << " lost, "
              << tally.doubled << " doubled\n";
}

INSTANTIATE_TEST_SUITE_P(Kinds, StormTest, testing::Values("drop", "mbox"),
                         [](const auto& kind) { return std::string(kind.param); });

// The storm sees it: what is found in publishing goes out again, and nobody asks the folder.
TEST(StormControl, WithoutAskingTheAdapterItDoubles) {
    Storm storm("drop", seed(), Guards{.askAdapter = false});
    while (storm.tally().doubled == 0 && storm.kills() < 5'000 && !HasFailure()) storm.pass();
    EXPECT_GT(storm.tally().doubled, 0);
}

}  // namespace
}  // namespace postern
