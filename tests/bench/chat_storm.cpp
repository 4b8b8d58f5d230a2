// Log-ons in a storm (Q178627): 200 at once, 20,000 a round, each connects, gets its 001, says QUIT and is
// gone. Three rounds in the clear, three with SCRAM-SHA-256, then with a third that vanishes while its nick
// is refused, in the clear, with SCRAM and with passwords (SASL PLAIN). None may fail. Prints what it
// measures; ends with 1 when a log-on failed.

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

enum class Proof { None, Password, Scram };

struct Round {
    const char* name;
    int cycles;
    Proof proof = Proof::None;
    int vanishing = 0;  // of a hundred
};

constexpr char kPassword[] = "pencil";

// The client's half of SCRAM (RFC 5802 section 3) for one account. The key is made once, as clients keep it.
class ScramKey {
  public:
    explicit ScramKey(const accounts::Verifier& verifier)
        : key_(hmacSha256(pbkdf2Sha256(kPassword, verifier.salt, verifier.iterations), "Client Key")),
          stored_(verifier.storedKey) {}

    static std::string first(const std::string& nonce) { return "n=ann,r=" + nonce; }
    std::string last(const std::string& nonce, const std::string& serverFirst) const {
        const std::string bare = "c=biws," + serverFirst.substr(0, serverFirst.find(','));
        const std::string signature = hmacSha256(stored_, first(nonce) + "," + serverFirst + "," + bare);
        std::string proof = key_;
        for (std::size_t i = 0; i < proof.size(); ++i) proof[i] = static_cast<char>(proof[i] ^ signature[i]);
        return bare + ",p=" + base64Encode(proof);
    }

  private:
    const std::string key_, stored_;
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
    Storm(int port, const Round& round, const ScramKey& key)
        : port_(port), round_(round), key_(key), epoll_(epoll_create1(EPOLL_CLOEXEC)) {}
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
        int asked = 0;  // steps of SCRAM that were answered
        std::size_t read = 0;
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
        const Proof proof = slot.vanishes ? Proof::None : round_.proof;
        if (proof == Proof::Password)
            words = "CAP REQ :sasl\r\nAUTHENTICATE PLAIN\r\nAUTHENTICATE " +
                    base64Encode(std::string("\0ann\0", 5) + kPassword) + "\r\n";
        if (proof == Proof::Scram) words = "CAP REQ :sasl\r\nAUTHENTICATE SCRAM-SHA-256\r\n";
        words += "NICK " + (slot.vanishes ? std::string("taken") : "n" + std::to_string(number)) +
                 "\r\nUSER u 0 * :u\r\n";
        if (proof == Proof::Password) words += "CAP END\r\n";
        say(slot, words);
    }
    static void say(const Slot& slot, const std::string& words) {
        if (send(slot.socket, words.data(), words.size(), MSG_NOSIGNAL) < 0) std::perror("send");
    }
    // Answers what the server asks of SCRAM, step by step.
    void prove(Slot& slot) {
        static constexpr char kAsks[] = "AUTHENTICATE ";
        const std::string nonce =
            "n" + std::to_string(slot.socket) + "x" + std::to_string(slot.begun.time_since_epoch().count());
        for (std::size_t end = 0; (end = slot.heard.find("\r\n", slot.read)) != std::string::npos;) {
            const std::string line = slot.heard.substr(slot.read, end - slot.read);
            slot.read = end + 2;
            if (!line.starts_with(kAsks)) continue;
            const std::string given = line.substr(sizeof kAsks - 1);
            const int step = slot.asked++;
            if (step == 0) say(slot, kAsks + base64Encode("n,," + ScramKey::first(nonce)) + "\r\n");
            if (step == 1) say(slot, kAsks + base64Encode(key_.last(nonce, *base64Decode(given))) + "\r\n");
            if (step == 2) say(slot, "AUTHENTICATE +\r\nCAP END\r\n");
        }
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
        if (round_.proof == Proof::Scram && !slot.vanishes && !slot.loggedOn) prove(slot);
        if (slot.loggedOn || slot.heard.find(" 001 ") == std::string::npos) return;
        if (round_.proof != Proof::None && slot.heard.find(" 903 ") == std::string::npos)
            return end(index, false);
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
    const ScramKey& key_;
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
        const accounts::Account account{"ann", *accounts::makeVerifier(kPassword),
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
                                {"SCRAM 1", cycles, Proof::Scram},
                                {"SCRAM 2", cycles, Proof::Scram},
                                {"SCRAM 3", cycles, Proof::Scram},
                                {"a third vanishes", cycles, Proof::None, 30},
                                {"SCRAM, a third vanishes", cycles, Proof::Scram, 30},
                                {"passwords, a third vanishes", cycles / 10, Proof::Password, 30}};
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
        const ScramKey key(account.verifier);
        for (const Round& round : rounds) {
            const std::int64_t before = loopNanos;
            const auto begun = Steady::now();
            Storm storm(server.ports().front(), round, key);
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
