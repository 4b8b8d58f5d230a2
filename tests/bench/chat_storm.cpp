// Log-ons in a storm (Q178627): 200 at once, 20,000 a round, each connects, gets its 001, says QUIT and is
// gone. Three rounds in the clear, then with passwords and with a third that vanishes while its nick is
// refused. None may fail. Prints what it measures; ends with 1 when a log-on failed.

#include <algorithm>
#include <arpa/inet.h>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <dirent.h>
#include <filesystem>
#include <fstream>
#include <netinet/tcp.h>
#include <string>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include "base/digest.h"
#include "base/log.h"
#include "base/random.h"
#include "connector/chat/server.h"
#include "store/messages.h"
#include "store/store.h"

namespace {

using namespace postern;
using Steady = std::chrono::steady_clock;

constexpr int kAtOnce = 200;

struct Round {
    const char* name;
    int cycles;
    bool passwords = false;
    int vanishing = 0;  // of a hundred
};

long residentKiB() {
    std::ifstream file("/proc/self/statm");
    long pages = 0, resident = 0;
    file >> pages >> resident;
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

int openFiles() {
    int count = 0;
    DIR* folder = opendir("/proc/self/fd");
    while (readdir(folder) != nullptr) ++count;
    closedir(folder);
    return count;
}

// The client's side: one thread, one epoll, kAtOnce slots.
class Storm {
  public:
    Storm(int port, const Round& round) : port_(port), round_(round), epoll_(epoll_create1(EPOLL_CLOEXEC)) {}
    ~Storm() { close(epoll_); }

    void run() {
        slots_.resize(kAtOnce);
        for (int i = 0; i < kAtOnce; ++i) begin(i);
        const auto deadline = Steady::now() + std::chrono::seconds(300);
        while (open_ > 0 && Steady::now() < deadline) {
            epoll_event events[256];
            const int count = epoll_wait(epoll_, events, 256, 1000);
            for (int i = 0; i < count; ++i) onEvent(static_cast<int>(events[i].data.u32));
        }
        failed_ += open_;
    }

    int failed() const { return failed_; }
    int done() const { return static_cast<int>(latencies_.size()); }
    double percentile(double share) {
        if (latencies_.empty()) return 0;
        std::sort(latencies_.begin(), latencies_.end());
        return latencies_[static_cast<std::size_t>(share * static_cast<double>(latencies_.size() - 1))];
    }

  private:
    struct Slot {
        int socket = -1;
        Steady::time_point begun;
        std::string heard;
        bool loggedOn = false, vanishes = false;
    };

    void begin(int index) {
        if (begun_ == round_.cycles) return;
        Slot& slot = slots_[static_cast<std::size_t>(index)];
        const int number = begun_++;
        slot = Slot{};
        slot.vanishes = number % 100 < round_.vanishing;
        slot.begun = Steady::now();
        slot.socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        // Each its own address of the loopback: the limit of one address is not what is measured.
        sockaddr_in from{}, to{};
        from.sin_family = to.sin_family = AF_INET;
        from.sin_addr.s_addr = htonl(0x7F000001U + static_cast<unsigned>(index % 100) * 256U);
        const int on = 1;
        setsockopt(slot.socket, IPPROTO_IP, 24 /* IP_BIND_ADDRESS_NO_PORT */, &on, sizeof on);
        bind(slot.socket, reinterpret_cast<sockaddr*>(&from), sizeof from);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        to.sin_port = htons(static_cast<std::uint16_t>(port_));
        if (connect(slot.socket, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
            std::perror("connect");
            ++failed_;
            close(slot.socket);
            return;
        }
        ++open_;
        setsockopt(slot.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u32 = static_cast<unsigned>(index);
        epoll_ctl(epoll_, EPOLL_CTL_ADD, slot.socket, &event);
        std::string words;
        if (round_.passwords && !slot.vanishes) {
            const std::string secret = std::string("\0ann\0pencil", 11);
            words = "CAP REQ :sasl\r\nAUTHENTICATE PLAIN\r\nAUTHENTICATE " + base64Encode(secret) + "\r\n";
        }
        words += "NICK " + (slot.vanishes ? std::string("taken") : "n" + std::to_string(number)) +
                 "\r\nUSER u 0 * :u\r\n";
        if (round_.passwords && !slot.vanishes) words += "CAP END\r\n";
        say(slot, words);
    }
    static void say(const Slot& slot, const std::string& words) {
        if (send(slot.socket, words.data(), words.size(), MSG_NOSIGNAL) < 0) std::perror("send");
    }
    void onEvent(int index) {
        Slot& slot = slots_[static_cast<std::size_t>(index)];
        char buffer[8192];
        const auto got = recv(slot.socket, buffer, sizeof buffer, 0);
        if (got <= 0) return end(index, slot.loggedOn);
        slot.heard.append(buffer, static_cast<std::size_t>(got));
        if (slot.vanishes && slot.heard.find(" 433 ") != std::string::npos) {
            const linger now{1, 0};  // RST
            setsockopt(slot.socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
            return end(index, true);
        }
        if (slot.loggedOn || slot.heard.find(" 001 ") == std::string::npos) return;
        if (round_.passwords && slot.heard.find(" 903 ") == std::string::npos) return end(index, false);
        slot.loggedOn = true;
        latencies_.push_back(std::chrono::duration<double, std::milli>(Steady::now() - slot.begun).count());
        say(slot, "QUIT\r\n");
    }
    void end(int index, bool well) {
        Slot& slot = slots_[static_cast<std::size_t>(index)];
        if (!well && failed_++ < 5) std::fprintf(stderr, "failed: %s\n", slot.heard.c_str());
        close(slot.socket);
        --open_;
        begin(index);
    }

    const int port_;
    const Round round_;
    const int epoll_;
    std::vector<Slot> slots_;
    std::vector<double> latencies_;
    int begun_ = 0, open_ = 0, failed_ = 0;
};

std::atomic<std::int64_t> loopNanos{0};  // of CPU, of the chat's thread

}  // namespace

int main(int count, char** words) {
    const int cycles = count > 1 ? std::atoi(words[1]) : 20'000;
    const std::string folder =
        (std::filesystem::temp_directory_path() / ("postern-storm-" + randomName(8))).string();
    int failed = 0;
    setLogLevel(Severity::Error);
    {
        store::StoreOptions options;
        options.folder = folder;
        options.migrations = store::messageMigrations();
        auto opened = store::Store::open(std::move(options));
        if (!opened.ok()) {
            std::fprintf(stderr, "%s\n", opened.error().text.c_str());
            return 1;
        }
        auto& store = **opened;
        const accounts::Account account{"ann", *accounts::makeVerifier("pencil"),
                                        *accounts::parseRoles("operator"), fromMillis(1'000)};
        const auto added =
            store.write([&](store::WriteSession& session) { return accounts::addAccount(session, account); });
        if (!added.ok()) return 1;
        chat::Settings settings;
        settings.accountNeeded = false;
        settings.limits.clients = 1024;
        settings.limits.perLoopback = 1024;
        chat::ChatServer server(settings, *accounts::Directory::open(store), Clock::system());
        server.disturb([] {
            timespec spent{};
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
            loopNanos = spent.tv_sec * 1'000'000'000LL + spent.tv_nsec;
        });
        chat::Place place;
        place.name = "storm";
        place.at.host = "127.0.0.1";
        if (!server.start({place}).ok()) return 1;
        const int files = openFiles();
        std::printf("%-28s %8s %8s %8s %8s %8s %10s %9s %6s\n", "round", "log-ons", "failed", "/s", "p50 ms",
                    "p99 ms", "us CPU/one", "RSS KiB", "files");
        const Round rounds[] = {{"in the clear 1", cycles},
                                {"in the clear 2", cycles},
                                {"in the clear 3", cycles},
                                {"a third vanishes", cycles, false, 30},
                                {"passwords, a third vanishes", cycles / 10, true, 30}};
        // Somebody has the nick that others want in vain.
        const int holder = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        to.sin_port = htons(static_cast<std::uint16_t>(server.ports().front()));
        const std::string hold = "NICK taken\r\nUSER u 0 * :u\r\n";
        if (connect(holder, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0 ||
            send(holder, hold.data(), hold.size(), MSG_NOSIGNAL) < 0)
            return 1;
        for (const Round& round : rounds) {
            const std::int64_t before = loopNanos;
            const auto begun = Steady::now();
            Storm storm(server.ports().front(), round);
            storm.run();
            const double seconds = std::chrono::duration<double>(Steady::now() - begun).count();
            failed += storm.failed();
            std::printf("%-28s %8d %8d %8.0f %8.1f %8.1f %10.0f %9ld %6d\n", round.name, storm.done(),
                        storm.failed(), storm.done() / seconds, storm.percentile(0.5), storm.percentile(0.99),
                        static_cast<double>(loopNanos - before) / 1000.0 / round.cycles, residentKiB(),
                        openFiles() - files - 2);
            std::fflush(stdout);
        }
        close(holder);
        server.stop();
    }
    std::filesystem::remove_all(folder);
    return failed == 0 ? 0 : 1;
}
