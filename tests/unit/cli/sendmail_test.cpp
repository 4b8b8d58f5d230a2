#include "connector/cli/sendmail.h"

#include <sstream>
#include <streambuf>

#include <gtest/gtest.h>

#include "base/source.h"
#include "base/text.h"
#include "connector/cli/input.h"
#include "queue/inspect.h"
#include "store/messages.h"
#include "tests/unit/cli/gateway.h"

namespace postern {
namespace {

std::string upToDot(const std::string& text, std::size_t piece) {
    std::istringstream in(text);
    cli::InputUpToDot bytes(in);
    std::string out, buffer(piece, '\0');
    for (;;) {
        const auto got = bytes.read(buffer.data(), piece);
        if (!got.ok() || *got == 0) return out;
        out.append(buffer, 0, *got);
    }
}

TEST(InputUpToDot, EndsAtALineWithADotOnly) {
    const std::pair<std::string, std::string> cases[] = {
        {"a\n.\nb\n", "a\n"},           {"a\r\n.\r\nb", "a\r\n"}, {".\nb\n", ""},           {"a\n.", "a\n"},
        {"a\n..\n.b\n", "a\n..\n.b\n"}, {"a.\n.\n", "a.\n"},      {"a\n. \nb", "a\n. \nb"}, {"", ""},
    };
    for (const auto& [text, wanted] : cases)
        for (const std::size_t piece : {1, 3, 4096}) EXPECT_EQ(upToDot(text, piece), wanted) << text << piece;
}

TEST(Kept, HoldsInputsOfAnySizeUpToItsMost) {
    for (const std::size_t size : {0, 1, 70'000, 1 << 20, (1 << 20) + 1, 3'000'000}) {
        std::string text;
        for (std::size_t i = 0; i < size; ++i) text += static_cast<char>('a' + i % 23);
        std::istringstream in(text);
        cli::InputBytes bytes(in);
        const auto kept = cli::Kept::all(bytes, 3'000'000);
        ASSERT_TRUE(kept.ok()) << kept.error().text;
        std::string out, buffer(10'000, '\0');
        for (std::size_t got = 1; got > 0; out.append(buffer, 0, got)) {
            const auto some = (*kept)->read(buffer.data(), buffer.size());
            ASSERT_TRUE(some.ok());
            got = *some;
        }
        EXPECT_TRUE(out == text) << size << " became " << out.size();
    }
    std::istringstream in("12345");
    cli::InputBytes bytes(in);
    EXPECT_EQ(cli::Kept::all(bytes, 4).error().code, Errc::Invalid);
}

// Cron writes as long as its job runs: nobody is kept waiting for it, and the service may come up meanwhile.
class SlowProgram final : public std::streambuf {
  public:
    explicit SlowProgram(tests::Gateway& gateway) : gateway_(gateway) {}

  private:
    int_type underflow() override {
        if (gptr() != nullptr) return traits_type::eof();
        gateway_.up();
        setg(text_.data(), text_.data(), text_.data() + text_.size());
        return traits_type::to_int_type(text_.front());
    }
    tests::Gateway& gateway_;
    std::string text_ = "Subject: s\n\nlate\n";
};

TEST(SendmailInput, IsReadBeforeAnybodyIsAsked) {
    tests::Gateway gateway;
    SlowProgram program(gateway);
    std::istream in(&program);
    std::ostringstream out, err;
    cli::Console console{in, out, err, gateway.clock};
    EXPECT_EQ(cli::runSendmail("sendmail", {"-C", gateway.configPath, "u@legacy.example"}, console), 0)
        << err.str();
}

class Sendmail : public testing::TestWithParam<bool> {
  protected:
    Sendmail() {
        if (GetParam()) gateway.up();
    }
    tests::Ran run(std::vector<std::string> words, const std::string& input,
                   const std::string& program = "sendmail") {
        std::istringstream in(input);
        std::ostringstream out, err;
        cli::Console console{in, out, err, gateway.clock};
        words.insert(words.begin(), {"-C", gateway.configPath});
        tests::Ran ran;
        ran.exit = cli::runSendmail(program, words, console);
        ran.out = out.str();
        ran.err = err.str();
        return ran;
    }
    // "sender | recipients | text behind our Received field"
    std::string stored(std::int64_t id) {
        std::string text;
        gateway.withStore([&](store::Store& store) {
            const auto read = store.read([&](store::ReadSession& session) -> Result<void> {
                POSTERN_LET(row, store::readMessage(session, MessageId{id}));
                POSTERN_LET(body, store::openBody(session, store.folder(), MessageId{id}));
                POSTERN_LET(bytes, readAll(*body, 1 << 20));
                queue::Filter filter;
                filter.message = MessageId{id};
                text = row.sender + " |";
                std::vector<ItemId> items;
                POSTERN_TRY(queue::listItems(session, filter, [&](const queue::ItemRow& item) {
                    items.push_back(item.id);
                    return true;
                }));
                for (const ItemId item : items) {
                    POSTERN_LET(recipients, queue::readRecipients(session, item));
                    for (const auto& each : recipients)
                        text += " " + each.address + (each.notify.empty() ? "" : "=" + each.notify);
                }
                const auto end = bytes.find("\r\n", bytes.find("\r\nPostern-Trace: ") + 2);
                text += " | ret=" + row.ret + " id=" + row.envelopeId + " | " + bytes.substr(end + 2);
                return {};
            });
            if (!read.ok()) text = "none: " + read.error().text;
        });
        return text;
    }
    tests::Gateway gateway;
};

TEST_P(Sendmail, TakesRecipientsFromTheHeaderAndRemovesBcc) {
    const auto ran =
        run({"-t", "-i", "-f", "a@x.org", "extra@legacy.example"},
            "Date: d\nMessage-ID: <m@x>\nFrom: Me <a@x.org>\nTo: One (first) <one@legacy.example>,\n"
            " group: two@legacy.example, \"three\"@legacy.example;\nBcc: hidden@legacy.example\n"
            "Subject: s\n\nbody\n.\nlast\n");
    ASSERT_EQ(ran.exit, 0) << ran.err;
    EXPECT_EQ(ran.out, "");
    EXPECT_EQ(
        stored(1),
        "a@x.org | extra@legacy.example one@legacy.example two@legacy.example three@legacy.example "
        "hidden@legacy.example | ret= id= | Date: d\r\nMessage-ID: <m@x>\r\nFrom: Me <a@x.org>\r\n"
        "To: One (first) <one@legacy.example>,\r\n group: two@legacy.example, \"three\"@legacy.example;\r\n"
        "Subject: s\r\n\r\nbody\r\n.\r\nlast\r\n");
}

TEST_P(Sendmail, AddsWhatIsMissingAndEndsAtTheDot) {
    const auto ran = run({"-F", "Cron \"D\"", "-f", "root", "-N", "failure,delay", "-R", "hdrs", "-V", "e1",
                          "u@legacy.example"},
                         "no header\n.\nnever read\n");
    ASSERT_EQ(ran.exit, 0) << ran.err;
    const std::string mail = stored(1);
    EXPECT_TRUE(
        mail.starts_with("root@gw.example.org | u@legacy.example=failure,delay | ret=hdrs id=e1 | "
                         "From: \"Cron \\\"D\\\"\" <root@gw.example.org>\r\nDate: "))
        << mail;
    EXPECT_TRUE(mail.ends_with("@gw.example.org>\r\n\r\nno header\r\n")) << mail;
}

// Of 'postern submit', which adds no fields: the text must not run on in those that tell of the way.
TEST_P(Sendmail, TextWithoutAHeaderIsNoFieldOfOurs) {
    ASSERT_EQ(gateway.run({"submit", "--from", "a@x.org", "u@legacy.example"}, " no header\n").exit, 0);
    EXPECT_EQ(stored(1), "a@x.org | u@legacy.example | ret= id= | \r\n no header\r\n");
}

TEST_P(Sendmail, RefusalsStoreNothingAndSayWhy) {
    struct Case {
        std::vector<std::string> words;
        const char* input;
        int exit;
        const char* said;
    };
    const Case cases[] = {
        {{"u@legacy.example", "u@nowhere.example"},
         "x\n",
         67,
         "postern-sendmail: <u@nowhere.example>: no route takes this address\n"},
        {{"-t"},
         "To: root\n\nx\n",
         67,
         "postern-sendmail: <root@gw.example.org>: no route takes this address\n"},
        {{"-t"}, "Subject: s\n\nx\n", 65, "postern-sendmail: no recipient is named\n"},
        {{"-t"},
         "To: a@x.org b@x.org\n\nx\n",
         65,
         "postern-sendmail: To: \"a@x.org <b@x.org>\": is not one address: a comma or a bracket is "
         "missing\n"},
        {{"a b@legacy.example"},
         "x\n",
         65,
         "postern-sendmail: \"a <b@legacy.example>\": is not one address: a comma or a bracket is missing\n"},
        {{"-N", "always", "u@legacy.example"},
         "x\n",
         65,
         "postern-sendmail: \"always\": say never, or success, failure and delay with commas\n"},
        {{"u@legacy.example"}, "", 65, "postern-sendmail: the mail is empty\n"},
        {{"-Z"},
         "",
         64,
         "postern-sendmail: there is no option -Z (in \"-Z\"; see postern-sendmail --help)\n"},
    };
    for (const Case& each : cases) {
        const auto ran = run(each.words, each.input);
        EXPECT_EQ(ran.exit, each.exit) << each.said;
        EXPECT_EQ(ran.err, each.said);
    }
    EXPECT_TRUE(stored(1).starts_with("none")) << stored(1);
}

TEST_P(Sendmail, SpeaksSmtp) {
    const auto ran =
        run({"-bs"},
            "EHLO me\nMAIL FROM:<a@x.org>\nRCPT TO:<u@legacy.example>\nDATA\nSubject: s\n\n..x\n.\nQUIT\n");
    EXPECT_EQ(ran.exit, 0) << ran.err;
    EXPECT_TRUE(ran.out.starts_with("220 gw.example.org")) << ran.out;
    EXPECT_NE(ran.out.find("\r\n354 "), std::string::npos) << ran.out;
    EXPECT_NE(ran.out.find("\r\n221 "), std::string::npos) << ran.out;
    EXPECT_NE(stored(1).find(".x\r\n"), std::string::npos) << stored(1);
}

TEST_P(Sendmail, ListsTheQueueAndHasNoAliases) {
    EXPECT_EQ(run({}, "", "mailq").out, "Mail queue is empty\n");
    ASSERT_EQ(run({"-f", "a@x.org", "u@legacy.example", "v@legacy.example"}, "x\n").exit, 0);
    const auto ran = run({"-bp"}, "");
    EXPECT_EQ(ran.exit, 0);
    EXPECT_NE(ran.out.find("2023-11-14T22:13:20Z  a@x.org\n"), std::string::npos) << ran.out;
    EXPECT_NE(ran.out.find("u@legacy.example and 1 more\n"), std::string::npos) << ran.out;
    EXPECT_NE(ran.out.find(" in 1 item.\n"), std::string::npos) << ran.out;
    EXPECT_EQ(run({}, "", "newaliases").exit, 0);
}

INSTANTIATE_TEST_SUITE_P(Cli, Sendmail, testing::Bool(), [](const auto& each) {
    return each.param ? std::string("up") : std::string("down");
});

TEST(SendmailDown, WhatCanNotBeStoredNowIsTriedAgainLater) {
    tests::Gateway gateway;
    std::istringstream in("x\n");
    std::ostringstream out, err;
    cli::Console console{in, out, err, gateway.clock};
    gateway.withStore([&](store::Store&) {
        EXPECT_EQ(cli::runSendmail("sendmail", {"-C", gateway.configPath, "u@legacy.example"}, console), 75);
        EXPECT_EQ(cli::runSendmail("sendmail", {"-C", gateway.configPath, "-bs"}, console), 75);
        EXPECT_TRUE(out.str().starts_with("421 ")) << out.str();
    });
    EXPECT_EQ(cli::runSendmail("sendmail", {"-C", "/nowhere/postern.toml", "u@legacy.example"}, console), 75);
}

}  // namespace
}  // namespace postern
