// A sender with a schedule: mails are due at random moments of a given mean rate, whatever the gateway does,
// so that the time a mail waits because the gateway was slow counts too. Tells for each mail when it was due,
// when "250" came and when its file stood in the folder, which is watched meanwhile. For tests/bench/report.
//
//     tests/bench/open_loop PORT RATE MAILS SESSIONS BYTES FOLDER      rate 0: as fast as the sessions can
//
// One line a mail on standard output, in microseconds from the beginning: DUE ACCEPTED EXPORTED. Ends with 1
// when a mail was refused or not exported within a minute after the last "250". The gateway's store must be
// new: its mails are told apart by the number in "queued as mN", which is the item's in the file's name as
// long as each mail has one item.

#include <arpa/inet.h>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <random>
#include <string>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <unistd.h>
#include <unordered_map>
#include <vector>

namespace {

using Steady = std::chrono::steady_clock;
constexpr int kPatience = 60'000;  // milliseconds without anything
constexpr std::uint32_t kSeed = 20'261'122;

struct Mail {
    std::int64_t due = 0, accepted = -1, exported = -1;
};

enum class Step { Greeting, Hello, Idle, Envelope, Body };

struct Session {
    int socket = -1;
    Step step = Step::Greeting;
    int replies = 0;  // still to come before the next step
    std::size_t mail = 0;
    std::string heard;
};

[[noreturn]] void end(const std::string& why) {
    std::fprintf(stderr, "open_loop: %s\n", why.c_str());
    std::exit(1);
}

class Sender {
  public:
    Sender(int port, double rate, std::size_t mails, std::size_t sessions, std::size_t bytes,
           const char* folder)
        : mails_(mails),
          rate_(rate),
          poll_(epoll_create1(EPOLL_CLOEXEC)),
          watch_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
        body_ =
            "From: Alice <alice@example.org>\r\nTo: user@legacy.example\r\nSubject: a mail on time\r\n\r\n";
        while (body_.size() + 72 < bytes) body_ += std::string(70, 'x') + "\r\n";
        body_ += ".\r\n";
        if (inotify_add_watch(watch_, folder, IN_MOVED_TO) < 0) end(std::string("can not watch ") + folder);
        add(watch_, UINT64_MAX);
        sessions_.resize(sessions);
        for (std::size_t i = 0; i < sessions; ++i) connectTo(port, i);
        std::mt19937 random(kSeed);
        std::exponential_distribution<double> gap(rate > 0 ? rate : 1);
        double at = 0;
        for (Mail& mail : mails_)
            mail.due = rate > 0 ? static_cast<std::int64_t>((at += gap(random)) * 1e6) : 0;
    }

    void run() {
        while (idle_.size() < sessions_.size()) turn(kPatience);
        begin_ = Steady::now();
        while (accepted_ < mails_.size() || exported_ < mails_.size()) {
            giveOut();
            turn(untilNext());
        }
        for (const Mail& mail : mails_)
            std::printf("%lld %lld %lld\n", static_cast<long long>(mail.due),
                        static_cast<long long>(mail.accepted), static_cast<long long>(mail.exported));
    }

  private:
    void add(int descriptor, std::uint64_t what) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = what;
        if (epoll_ctl(poll_, EPOLL_CTL_ADD, descriptor, &event) != 0) end("epoll_ctl");
    }

    void connectTo(int port, std::size_t number) {
        Session& session = sessions_[number];
        session.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(session.socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
            end("nobody listens");
        const int on = 1;
        setsockopt(session.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        ::fcntl(session.socket, F_SETFL, O_NONBLOCK);
        session.replies = 1;
        add(session.socket, number);
    }

    static void say(Session& session, std::string_view text) {
        const ssize_t said = ::send(session.socket, text.data(), text.size(), MSG_NOSIGNAL);
        if (said != static_cast<ssize_t>(text.size())) end("the gateway does not read");
    }

    std::int64_t now() const {
        return std::chrono::duration_cast<std::chrono::microseconds>(Steady::now() - begin_).count();
    }

    // Every mail that is due goes to a session that is free; one that finds none waits, and its time runs.
    void giveOut() {
        while (next_ < mails_.size() && !idle_.empty() && mails_[next_].due <= now()) {
            Session& session = sessions_[idle_.front()];
            idle_.pop_front();
            session.mail = next_++;
            if (rate_ <= 0) mails_[session.mail].due = now();
            session.step = Step::Envelope;
            session.replies = 3;
            say(session, "MAIL FROM:<sender@example.org>\r\nRCPT TO:<user@legacy.example>\r\nDATA\r\n");
        }
    }

    int untilNext() const {
        if (next_ >= mails_.size() || idle_.empty()) return kPatience;
        return static_cast<int>(std::max<std::int64_t>(0, (mails_[next_].due - now()) / 1000));
    }

    void turn(int milliseconds) {
        epoll_event events[64];
        const int count = epoll_wait(poll_, events, 64, milliseconds);
        if (count == 0 && milliseconds == kPatience) end("nothing came for a minute");
        for (int i = 0; i < count; ++i) {
            if (events[i].data.u64 == UINT64_MAX)
                look();
            else
                hear(events[i].data.u64);
        }
    }

    void hear(std::size_t number) {
        Session& session = sessions_[number];
        char buffer[4096];
        const ssize_t got = ::recv(session.socket, buffer, sizeof buffer, 0);
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) end("the gateway ended a session");
        session.heard.append(buffer, static_cast<std::size_t>(got));
        for (std::size_t at; (at = session.heard.find('\n')) != std::string::npos;
             session.heard.erase(0, at + 1))
            reply(number, session.heard.substr(0, at));
    }

    void reply(std::size_t number, const std::string& line) {
        Session& session = sessions_[number];
        if (line.empty() || line[0] > '3') end("refused: " + line);
        if (line.size() > 3 && line[3] == '-') return;
        if (--session.replies > 0) return;
        if (session.step == Step::Greeting) {
            session.step = Step::Hello;
            session.replies = 1;
            say(session, "EHLO client.example.org\r\n");
            return;
        }
        if (session.step == Step::Envelope) {
            session.step = Step::Body;
            session.replies = 1;
            // Without a number of its own a mail would be known as the one before, sent again.
            say(session, "Message-ID: <" + std::to_string(session.mail) + "@example.org>\r\n" + body_);
            return;
        }
        if (session.step == Step::Body) accepted(session, line);
        session.step = Step::Idle;
        idle_.push_back(number);
    }

    void accepted(const Session& session, const std::string& line) {
        const std::size_t at = line.find("queued as m");
        if (at == std::string::npos) end("no number in: " + line);
        const long long item = std::atoll(line.c_str() + at + 11);
        mails_[session.mail].accepted = now();
        ++accepted_;
        numbers_[item] = session.mail;
        if (const auto early = early_.find(item); early != early_.end()) exported(item, early->second);
    }

    void exported(long long item, std::int64_t at) {
        mails_[numbers_.at(item)].exported = at;
        ++exported_;
    }

    void look() {
        alignas(inotify_event) char buffer[64 * 1024];
        const ssize_t got = ::read(watch_, buffer, sizeof buffer);
        const std::int64_t at = now();
        for (ssize_t place = 0; place < got;) {
            const auto* event = reinterpret_cast<const inotify_event*>(buffer + place);
            place += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
            if ((event->mask & IN_Q_OVERFLOW) != 0) end("files came faster than they were looked at");
            const char* number = event->len > 0 ? std::strstr(event->name, ".P") : nullptr;
            if (number == nullptr) continue;
            const long long item = std::atoll(number + 2);
            if (numbers_.count(item) != 0)
                exported(item, at);
            else
                early_[item] = at;  // before its "250" was read
        }
    }

    std::vector<Mail> mails_;
    double rate_;
    int poll_, watch_;
    std::string body_;
    std::vector<Session> sessions_;
    std::deque<std::size_t> idle_;
    std::size_t next_ = 0, accepted_ = 0, exported_ = 0;
    std::unordered_map<long long, std::size_t> numbers_;
    std::unordered_map<long long, std::int64_t> early_;
    Steady::time_point begin_ = Steady::now();
};

}  // namespace

int main(int count, char** arguments) {
    if (count != 7) end("usage: open_loop PORT RATE MAILS SESSIONS BYTES FOLDER");
    const auto number = [&](int i) { return static_cast<std::size_t>(std::atoll(arguments[i])); };
    Sender(std::atoi(arguments[1]), std::atof(arguments[2]), number(3), number(4), number(5), arguments[6])
        .run();
    return 0;
}
