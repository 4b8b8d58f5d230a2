#include <filesystem>
#include <streambuf>

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/source.h"
#include "connector/cli/backend.h"
#include "store/messages.h"
#include "tests/unit/cli/gateway.h"

namespace postern {
namespace {

// `size` bytes of lines of 72, made as they are read.
class Lines final : public std::streambuf {
  public:
    explicit Lines(std::int64_t size) : left_(size) {
        line_ = std::string(71, 'x') + "\n";
        for (int i = 0; i < 1000; ++i) block_ += line_;
    }

  protected:
    int_type underflow() override {
        if (left_ == 0) return traits_type::eof();
        const auto now =
            static_cast<std::size_t>(std::min<std::int64_t>(left_, static_cast<std::int64_t>(block_.size())));
        left_ -= static_cast<std::int64_t>(now);
        setg(block_.data(), block_.data(), block_.data() + now);
        return traits_type::to_int_type(block_[0]);
    }

  private:
    std::int64_t left_;
    std::string line_, block_;
};

struct Stored {
    store::MessageRow row;
    std::string start;
};

Stored stored(tests::Gateway& gateway, MessageId id) {
    Stored found;
    gateway.withStore([&](store::Store& store) {
        const Result<void> read = store.read([&](store::ReadSession& session) -> Result<void> {
            POSTERN_LET(row, store::readMessage(session, id));
            POSTERN_LET(body, store::openBody(session, store.folder(), id));
            found.row = row;
            found.start.resize(400);
            POSTERN_LET(got, body->readAt(0, found.start.data(), found.start.size()));
            found.start.resize(got);
            return {};
        });
        EXPECT_TRUE(read.ok()) << read.error().text;
    });
    return found;
}

class Submit : public testing::TestWithParam<bool> {
  protected:
    Submit() {
        if (GetParam()) gateway.up();
    }
    tests::Gateway gateway;
};

TEST_P(Submit, StoresTheMailBehindAReceivedLineWithCrLf) {
    const auto ran = gateway.run({"submit", "--from", "a@example.org", "u@legacy.example"},
                                 "Subject: one\n two\nMessage-ID: <x@y>\n\nbody\r\n.\nlast");
    ASSERT_EQ(ran.exit, 0) << ran.err;
    const Stored mail = stored(gateway, MessageId{1});
    EXPECT_EQ(mail.row.sender, "a@example.org");
    EXPECT_EQ(mail.row.source, "submit");
    EXPECT_EQ(mail.row.protocol, "local");
    EXPECT_EQ(mail.row.headerId, "<x@y>");
    EXPECT_EQ(mail.row.subject, "one two");
    EXPECT_TRUE(mail.start.starts_with("Received: by gw.example.org (Postern, from user ")) << mail.start;
    EXPECT_TRUE(
        mail.start.ends_with("\r\nSubject: one\r\n two\r\nMessage-ID: <x@y>\r\n\r\nbody\r\n.\r\nlast"))
        << mail.start;
}

TEST_P(Submit, ALargeMailStreamsAndATooLargeOneIsRefused) {
    constexpr std::int64_t kSize = 72 * 500'000;
    Lines lines(kSize);
    std::istream input(&lines);
    const auto ran = gateway.run({"submit", "u@legacy.example"}, input);
    ASSERT_EQ(ran.exit, 0) << ran.err;
    const std::int64_t size = stored(gateway, MessageId{1}).row.size;
    EXPECT_GT(size, kSize + 500'000) << "each LF became CR LF";
    EXPECT_LT(size, kSize + 500'000 + 300);
    Lines more(110'000'000);
    std::istream tooMuch(&more);
    const auto refused = gateway.run({"submit", "u@legacy.example"}, tooMuch);
    EXPECT_EQ(refused.exit, 65);
    EXPECT_EQ(refused.err, "postern: the mail is larger than 100 MiB\n");
}

// What comes from a pipe that breaks must not be stored as if it were whole.
TEST_P(Submit, InputThatCanNotBeReadStoresNothingAndSaysTryAgain) {
    std::istringstream input("Subject: x\n\nx\n");
    input.setstate(std::ios::badbit);
    const auto ran = gateway.run({"submit", "u@legacy.example"}, input);
    EXPECT_EQ(ran.exit, 75) << ran.err;
    EXPECT_EQ(gateway.run({"queue", "list", "--all"}).out, "");
}

INSTANTIATE_TEST_SUITE_P(Cli, Submit, testing::Bool(), [](const auto& each) {
    return each.param ? std::string("up") : std::string("down");
});

// A store made by whoever calls first would be his and not the service's.
TEST(SubmitDown, WithoutAStoreNoneIsMade) {
    tests::Gateway gateway;
    const std::string store = gateway.folder / "store";
    std::filesystem::remove_all(store);
    std::filesystem::create_directory(store);
    const auto ran = gateway.run({"submit", "u@legacy.example"}, "x\n");
    EXPECT_EQ(ran.exit, 75);
    EXPECT_EQ(ran.err, "postern: there is no store in " + store + " yet: start posternd once\n");
    EXPECT_EQ(gateway.run({"status"}).exit, 69);
    EXPECT_EQ(gateway.run({"queue", "list"}).exit, 69);
    EXPECT_EQ(gateway.run({"queue", "hold", "1"}).exit, 69);
    EXPECT_FALSE(pathExists(store + "/postern.db"));
}

TEST(SubmitDown, WhileAnotherHoldsTheStoreIsTriedAgainLater) {
    tests::Gateway gateway;
    gateway.withStore([&](store::Store&) {
        const auto ran = gateway.run({"submit", "u@legacy.example"}, "x\n");
        EXPECT_EQ(ran.exit, 75);
        EXPECT_NE(ran.err.find("no service answers on"), std::string::npos) << ran.err;
        EXPECT_EQ(gateway.run({"queue", "hold", "1"}).exit, 75);
        EXPECT_EQ(gateway.run({"queue", "list"}).exit, 0) << "looking needs no lock";
    });
}

}  // namespace
}  // namespace postern
