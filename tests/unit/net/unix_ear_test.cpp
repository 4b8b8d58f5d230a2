// What listens as only a Unix system knows it: files with modes and owners, and sockets that were opened for
// us.

#include <cerrno>
#include <filesystem>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/owners_rights.h"
#include "base/peer.h"
#include "net/system_sockets.h"
#include "net/wire.h"
#include "tests/temp_folder.h"

namespace postern::net {
namespace {

unsigned modeOf(const std::string& path) {
    struct stat info {};
    EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
    return info.st_mode & 07777u;
}

TEST(UnixEarTest, AUnixSocketHasTheModeItWasGiven) {
    const tests::TempFolder folder;
    for (const unsigned mode : {0600u, 0660u, 0666u, 0777u}) {
        const auto ear = Ear::open({{}, 0, folder / "a.sock", mode, {}});
        ASSERT_TRUE(ear.ok()) << ear.error().text;
        EXPECT_EQ(modeOf(folder / "a.sock"), mode);
    }
}

TEST(UnixEarTest, AnOwnerThatIsNotThereIsAnErrorAndLeavesNoFile) {
    const tests::TempFolder folder;
    const auto ear = Ear::open({{}, 0, folder / "a.sock", 0660, "no-such-user-here"});
    ASSERT_FALSE(ear.ok());
    EXPECT_NE(ear.error().text.find("no-such-user-here"), std::string::npos) << ear.error().text;
    EXPECT_FALSE(pathExists(folder / "a.sock"));
}

TEST(UnixEarTest, APortThatOnlySystemdMayOpenNamesTheWay) {
    if (!isAdministrator()) GTEST_SKIP() << "only root can give its rights up";
    const tests::TempFolder folder;
    ASSERT_TRUE(setFileOwner(folder.path(), "65534").ok());
    const auto rights = OwnersRights::of(folder.path());
    ASSERT_TRUE(rights.ok()) << rights.error().text;
    const auto ear = Ear::open({"127.0.0.1", 1, {}});
    if (ear.ok()) GTEST_SKIP() << "this system lets everybody open low ports";
    EXPECT_EQ(ear.error().code, Errc::Denied);
    for (const char* part : {"127.0.0.1:1", "postern.socket", "CAP_NET_BIND_SERVICE"})
        EXPECT_NE(ear.error().text.find(part), std::string::npos) << ear.error().text;
}

// What a service manager does: it binds, and the service takes the socket over by its address.
TEST(UnixEarTest, TakesASocketThatWasOpenedForIt) {
    Poco::Net::ServerSocket opened(Poco::Net::SocketAddress("127.0.0.1", 0));
    const int port = opened.address().port();
    EXPECT_EQ(offerSockets({::dup(opened.impl()->sockfd())}).size(), 0u);
    ASSERT_EQ(untakenSockets(), std::vector<std::string>{"127.0.0.1:" + std::to_string(port)});
    {
        auto other = Ear::open({"127.0.0.1", 0, {}});
        ASSERT_TRUE(other.ok());
        const tests::TempFolder folder;
        EXPECT_TRUE(Ear::open({{}, 0, folder / "a.sock"}).ok());
        EXPECT_EQ(untakenSockets().size(), 1u) << "it was for another address";
    }
    auto ear = Ear::open({"127.0.0.1", port, {}});
    ASSERT_TRUE(ear.ok()) << ear.error().text;
    EXPECT_EQ(ear->port(), port);
    EXPECT_TRUE(untakenSockets().empty());
    const Poco::Net::StreamSocket caller(
        Poco::Net::SocketAddress("127.0.0.1", static_cast<Poco::UInt16>(port)));
    auto accepted = ear->accept();
    ASSERT_TRUE(accepted.ok());
    ASSERT_TRUE(accepted->has_value());
    EXPECT_EQ((*accepted)->address, "127.0.0.1");
}

TEST(UnixEarTest, ATakenUnixSocketKeepsItsFile) {
    const tests::TempFolder folder;
    const std::string path = folder / "a.sock";
    Poco::Net::ServerSocket opened;
    opened.bind(localAddress(path), false);
    opened.listen();
    EXPECT_EQ(offerSockets({::dup(opened.impl()->sockfd())}).size(), 0u);
    {
        auto ear = Ear::open({{}, 0, path});
        ASSERT_TRUE(ear.ok()) << ear.error().text;
        EXPECT_EQ(ear->port(), 0);
    }
    EXPECT_TRUE(std::filesystem::exists(path)) << "it belongs to who made it";
}

// A listening socket that somebody ended: every accept fails, and its events never stop.
TEST(UnixEarTest, AnErrorThatStaysIsNotTakenForNobody) {
    Poco::Net::ServerSocket opened(Poco::Net::SocketAddress("127.0.0.1", 0));
    ASSERT_TRUE(offerSockets({::dup(opened.impl()->sockfd())}).empty());
    auto ear = Ear::open({"127.0.0.1", opened.address().port(), {}});
    ASSERT_TRUE(ear.ok()) << ear.error().text;
    const auto nobody = ear->accept();
    ASSERT_TRUE(nobody.ok()) << nobody.error().text;
    EXPECT_FALSE(nobody->has_value());
    const auto failure = [&] {
        auto accepted = ear->accept();
        EXPECT_FALSE(accepted.ok());
        return accepted.ok() ? fail(Errc::Internal, "none") : accepted.error();
    };
    ASSERT_EQ(::shutdown(ear->handle(), SHUT_RDWR), 0);
    EXPECT_NE(failure().code, Errc::Unavailable) << "it is not for want of handles";
    EXPECT_TRUE(ear->isNews(failure()));
    EXPECT_FALSE(ear->isNews(failure()));
    EXPECT_TRUE(ear->isNews(fail(Errc::Unavailable, "another"))) << "another one";
    EXPECT_TRUE(ear->isNews(failure()));

    ASSERT_EQ(::listen(ear->handle(), 16), 0);
    const Poco::Net::StreamSocket caller(opened.address());  // the system may have chosen another port
    const auto accepted = ear->accept();
    ASSERT_TRUE(accepted.ok() && accepted->has_value());
    ASSERT_EQ(::shutdown(ear->handle(), SHUT_RDWR), 0);
    EXPECT_TRUE(ear->isNews(failure())) << "somebody came in between";
}

TEST(UnixEarTest, ErrorsOfOneCallerAreNotTheListeners) {
    for (const int code : {EAGAIN, EINTR, ECONNABORTED, ENETDOWN, EPROTO, ENOPROTOOPT, EHOSTDOWN, ENONET,
                           EHOSTUNREACH, ENETUNREACH, EPERM})
        EXPECT_TRUE(isOfOneCaller(code)) << code;
    for (const int code : {EMFILE, ENFILE, ENOBUFS, ENOMEM, EBADF, EINVAL, ENOTSOCK, EACCES, 0})
        EXPECT_FALSE(isOfOneCaller(code)) << code;
}

TEST(UnixEarTest, WhatIsNoSocketIsSaidAndLeft) {
    const auto trouble = offerSockets({9999});
    ASSERT_EQ(trouble.size(), 1u);
    EXPECT_NE(trouble[0].find("9999"), std::string::npos) << trouble[0];
    EXPECT_TRUE(untakenSockets().empty());
}

}  // namespace
}  // namespace postern::net
