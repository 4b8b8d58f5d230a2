#include "net/tls_context.h"

#include <fstream>

#include <gtest/gtest.h>

#include "base/file.h"
#include "tests/temp_folder.h"
#include "tests/tls_paper.h"

namespace postern::net {
namespace {

class TlsContextTest : public testing::Test {
  protected:
    TlsContextTest() {
        make({.name = "server", .subject = "mx.example.org"});
        make({.name = "other", .subject = "other.example.org"});
    }
    void make(const tests::Paper& paper) const { tests::makePaper(folder_.path(), paper); }
    void write(const std::string& name, const std::string& text) const {
        std::ofstream(folder_ / name) << text;
    }
    TlsFiles files(const std::string& certificate, const std::string& key) const {
        return {folder_ / certificate, folder_ / key, {}, false};
    }
    std::string errorOf(const TlsFiles& files) const {
        const auto made = TlsContext::make(files, Clock::system().now());
        return made.ok() ? "no error" : made.error().text;
    }
    static bool has(const std::string& text, const std::string& part) {
        return text.find(part) != std::string::npos;
    }
    tests::TempFolder folder_;
};

TEST_F(TlsContextTest, GoodFilesHaveNoWarning) {
    const auto made = TlsContext::make(files("server.pem", "server.key"), Clock::system().now());
    ASSERT_TRUE(made.ok()) << made.error().text;
    EXPECT_TRUE((*made)->warnings().empty()) << (*made)->warnings()[0];
}

TEST_F(TlsContextTest, EachMistakeIsNamedWithItsFile) {
    make({.name = "locked", .subject = "l", .passphrase = "secret"});
    write("junk", "this is no certificate\n");
    TlsFiles badCa = files("server.pem", "server.key");
    badCa.clientCa = folder_ / "junk";
    TlsFiles noCa = badCa;
    noCa.clientCa = folder_ / "none";
    const struct {
        TlsFiles files;
        const char* file;
        const char* wanted;
    } cases[] = {
        {files("none.pem", "server.key"), "certificate ", "none.pem: there is no such file"},
        {files("server.pem", "none.key"), "key ", "none.key: there is no such file"},
        {files("junk", "server.key"), "certificate ", "junk: holds no certificate"},
        {files("server.key", "server.key"), "certificate ", "server.key: holds no certificate"},
        {files("server.pem", "junk"), "key ", "junk: holds no private key"},
        {files("server.pem", "server.pem"), "key ", "server.pem: holds no private key"},
        {files("server.pem", "other.key"), "key ", "other.key: does not belong to the first certificate in "},
        {files("locked.pem", "locked.key"), "key ", "locked.key: has a passphrase"},
        {badCa, "client_ca ", "junk: holds no certificate"},
        {noCa, "client_ca ", "none: there is no such file"},
    };
    for (const auto& each : cases) {
        const std::string got = errorOf(each.files);
        EXPECT_TRUE(got.starts_with(each.file) && has(got, each.wanted)) << got << "\nwanted " << each.wanted;
    }
    EXPECT_EQ(errorOf(files("server.pem", "server.key")), "no error") << "no error of before sticks";
}

TEST_F(TlsContextTest, DatesAreWarnings) {
    make({.name = "old", .subject = "o", .validFrom = -7200, .validFor = 3600});
    make({.name = "soon", .subject = "s", .validFor = 7200});
    make({.name = "early", .subject = "e", .validFrom = 3600});
    const struct {
        const char* name;
        const char* wanted;
    } cases[] = {{"old", "expired at"}, {"soon", "expires at"}, {"early", "is not valid before"}};
    for (const auto& each : cases) {
        const std::string name = each.name;
        const auto made = TlsContext::make(files(name + ".pem", name + ".key"), Clock::system().now());
        ASSERT_TRUE(made.ok()) << made.error().text;
        ASSERT_EQ((*made)->warnings().size(), 1u) << name;
        EXPECT_TRUE(has((*made)->warnings()[0], each.wanted)) << (*made)->warnings()[0];
    }
}

}  // namespace
}  // namespace postern::net
