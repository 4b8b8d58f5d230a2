// What only Windows has of base/service_manager.h, peer.h, socket_grip.h, thread.h and terminal.h.

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/peer.h"
#include "base/service_manager.h"
#include "base/socket_grip.h"
#include "base/terminal.h"
#include "base/thread.h"
#include "tests/kit/platform.h"
#include "tests/kit/socket_pair.h"
#include "tests/kit/wait.h"
#include "tests/temp_folder.h"

namespace postern {
namespace {

using std::chrono::milliseconds;
using Request = StopSignals::Request;

TEST(WindowsRequests, AreHandedOnFromAnyThreadStopFirst) {
    StopSignals signals;
    EXPECT_EQ(signals.wait(milliseconds(0)), Request::None);
    std::jthread([] {
        askToReload();
        askToStop();
    }).join();
    EXPECT_EQ(signals.wait(milliseconds(10'000)), Request::Stop);
    EXPECT_EQ(signals.wait(milliseconds(10'000)), Request::Reload);
    EXPECT_EQ(signals.wait(milliseconds(0)), Request::None);
}

TEST(WindowsRequests, WakeWhoWaits) {
    StopSignals signals;
    std::jthread asker([] { askToStop(); });
    EXPECT_EQ(signals.wait(milliseconds(60'000)), Request::Stop);
}

TEST(WindowsManager, ThereIsNone) {
    notifyServiceManager("READY=1");
    EXPECT_EQ(watchdogLimit(), std::nullopt);
    EXPECT_TRUE(inheritedSockets().empty());
    EXPECT_GT(raiseHandleLimit(), 1000);
}

TEST(WindowsPeer, OfALoopbackConnectionIsKnown) {
    SKIP_UNDER_WINE("its table of connections names no process");
    const tests::SocketPair pair;
    const auto user = peerUser(pair[0]);
    ASSERT_TRUE(user.ok()) << user.error().text;
    EXPECT_EQ(*user, effectiveUser());
    EXPECT_TRUE(peerIsMaster(pair[1]).valueOr(false)) << "it is ourselves";
    EXPECT_FALSE(peerUser(-1).ok());
    EXPECT_FALSE(peerTookAll(pair[0]));
}

TEST(WindowsOwner, IsWhoMadeItAndCanBeSetToTheSame) {
    const tests::TempFolder folder;
    const std::string file = folder / "file";
    ASSERT_TRUE(replaceFile(file, "x").ok());
    const auto owner = fileOwner(file);
    ASSERT_TRUE(owner.ok()) << owner.error().text;
    EXPECT_FALSE(owner->empty());
    EXPECT_EQ(fileOwner(folder / "none").error().code, Errc::NotFound);
    EXPECT_TRUE(setFileOwner(file, "").ok());
    EXPECT_EQ(setFileOwner(file, "no-such-user-here").error().code, Errc::NotFound);
    EXPECT_EQ(setFileOwner(file, ":no-such-group-here").error().code, Errc::NotFound);
    EXPECT_TRUE(setFileMode(file, 0640).ok());
    EXPECT_FALSE(setFileMode(folder / "none", 0640).ok());
}

TEST(WindowsGrip, EndsTheConnectionItWasTakenOf) {
    tests::SocketPair pair;
    {
        auto grip = SocketGrip::of(pair[0]);
        ASSERT_TRUE(grip.ok()) << grip.error().text;
        SocketGrip moved = std::move(*grip);
        pair.close(0);
        ASSERT_EQ(pair.send(1, "x"), 1) << "the grip still holds it";
        moved.end();
    }
    EXPECT_TRUE(tests::waitFor([&] { return pair.send(1, "x") <= 0; })) << "the other side is gone";
    EXPECT_FALSE(SocketGrip::of(-1).ok());
}

TEST(WindowsThread, GivingWayAndNamesAreNoTrouble) {
    std::jthread([] {
        nameThisThread("watcher-museum-12");
        giveWay();
        giveWay();
        EXPECT_EQ(::GetThreadPriority(::GetCurrentThread()), THREAD_PRIORITY_LOWEST);
    }).join();
    EXPECT_EQ(::GetThreadPriority(::GetCurrentThread()), THREAD_PRIORITY_NORMAL);
    workInSlices();
    returnFreeMemory();
    EXPECT_GT(terminalWidth(), 0);
}

}  // namespace
}  // namespace postern
