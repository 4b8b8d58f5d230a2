#include "base/service_manager.h"

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/random.h"
#include "tests/temp_folder.h"

namespace postern {
namespace {

using std::chrono::milliseconds;
using Request = StopSignals::Request;

// What systemd is to a service: a datagram socket whose name stands in NOTIFY_SOCKET.
class Manager {
  public:
    explicit Manager(const std::string& name) : handle_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, name.data(), name.size());
        if (name[0] == '@') address.sun_path[0] = '\0';
        const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
        EXPECT_EQ(::bind(handle_, reinterpret_cast<sockaddr*>(&address), length), 0) << std::strerror(errno);
        ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
    }
    ~Manager() {
        ::unsetenv("NOTIFY_SOCKET");
        ::close(handle_);
    }
    std::string heard() {  // "" when nothing was said
        char text[512];
        const auto size = ::recv(handle_, text, sizeof text, MSG_DONTWAIT);
        return size < 0 ? std::string() : std::string(text, static_cast<std::size_t>(size));
    }

  private:
    int handle_;
};

TEST(ServiceManager, HearsEachStateAsOneDatagram) {
    const tests::TempFolder folder;
    Manager manager(folder / "notify");
    notifyServiceManager("READY=1\nSTATUS=ready");
    notifyServiceManager("STOPPING=1");
    EXPECT_EQ(manager.heard(), "READY=1\nSTATUS=ready");
    EXPECT_EQ(manager.heard(), "STOPPING=1");
    EXPECT_EQ(manager.heard(), "");
}

TEST(ServiceManager, MayListenOnAnAbstractSocket) {
    Manager manager("@postern-test-" + randomName(12));
    notifyServiceManager("READY=1");
    EXPECT_EQ(manager.heard(), "READY=1");
}

TEST(ServiceManager, MayBeAbsentDeafOrBadlyNamed) {
    ::unsetenv("NOTIFY_SOCKET");
    notifyServiceManager("READY=1");
    for (const std::string& name :
         {std::string(), std::string("/nonexistent/socket"), std::string(300, 'x')}) {
        ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
        notifyServiceManager("READY=1");
    }
    ::unsetenv("NOTIFY_SOCKET");
}

TEST(ServiceManager, TheWatchdogIsOursOrNot) {
    EXPECT_EQ(watchdogLimit(), std::nullopt);
    ::setenv("WATCHDOG_USEC", "180000000", 1);
    EXPECT_EQ(watchdogLimit(), milliseconds(180'000));
    ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
    EXPECT_EQ(watchdogLimit(), milliseconds(180'000));
    ::setenv("WATCHDOG_PID", "1", 1);
    EXPECT_EQ(watchdogLimit(), std::nullopt) << "meant for another process";
    ::unsetenv("WATCHDOG_PID");
    for (const char* strange : {"", "0", "-1", "soon"}) {
        ::setenv("WATCHDOG_USEC", strange, 1);
        EXPECT_EQ(watchdogLimit(), std::nullopt) << strange;
    }
    ::unsetenv("WATCHDOG_USEC");
}

TEST(ServiceManager, SocketsForAnotherProcessAreNotTaken) {
    EXPECT_TRUE(inheritedSockets().empty());
    ::setenv("LISTEN_FDS", "1", 1);
    ::setenv("LISTEN_PID", "1", 1);
    EXPECT_TRUE(inheritedSockets().empty());
    EXPECT_EQ(std::getenv("LISTEN_FDS"), nullptr) << "no child of ours may take them for its own";
}

class Signals : public testing::Test {
  protected:
    void SetUp() override { ::pthread_sigmask(SIG_SETMASK, nullptr, &before_); }
    void TearDown() override { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  private:
    sigset_t before_{};
};

TEST_F(Signals, BecomeRequests) {
    StopSignals signals;
    const struct {
        int number;
        Request wanted;
    } cases[] = {{SIGTERM, Request::Stop}, {SIGINT, Request::Stop}, {SIGHUP, Request::Reload}};
    for (const auto& c : cases) {
        ASSERT_EQ(::raise(c.number), 0);
        EXPECT_EQ(signals.wait(milliseconds(10'000)), c.wanted) << ::strsignal(c.number);
    }
    EXPECT_EQ(signals.wait(milliseconds(0)), Request::None);
}

TEST_F(Signals, ABrokenPipeOrAFullQuotaKillsNobody) {
    StopSignals signals;
    int pipes[2];
    ASSERT_EQ(::pipe2(pipes, O_CLOEXEC), 0);
    ::close(pipes[0]);
    EXPECT_EQ(::write(pipes[1], "x", 1), -1);
    EXPECT_EQ(errno, EPIPE);
    ::close(pipes[1]);
    ASSERT_EQ(::raise(SIGXFSZ), 0);
}

TEST(StandardOutput, KnowsATerminalFromAFile) {
    const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal < 0) GTEST_SKIP() << "no pseudo terminal here";
    ASSERT_EQ(::grantpt(terminal), 0);
    ASSERT_EQ(::unlockpt(terminal), 0);
    const int side = ::open(::ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
    const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    const int kept = ::dup(STDOUT_FILENO);
    ASSERT_TRUE(side >= 0 && nowhere >= 0 && kept >= 0);
    ::dup2(side, STDOUT_FILENO);
    const bool onTerminal = standardOutputIsTerminal();
    ::dup2(nowhere, STDOUT_FILENO);
    const bool onFile = standardOutputIsTerminal();
    ::dup2(kept, STDOUT_FILENO);
    for (const int handle : {terminal, side, nowhere, kept}) ::close(handle);
    EXPECT_TRUE(onTerminal);
    EXPECT_FALSE(onFile);
}

}  // namespace
}  // namespace postern
