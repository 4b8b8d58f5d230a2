// Input made to break a reader: each ends as text with a note, or as a reason; none crashes, hangs, or holds
// more memory than a message is allowed to (issue "bad input"; RELIABILITY 4.4).

#include <atomic>
#include <chrono>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "base/text.h"
#include "mail/address.h"
#include "mail/charset.h"
#include "mail/mailboxes.h"
#include "mail/text.h"
#include "tests/kit/peak.h"
#include "tests/temp_folder.h"
#include "tests/unit/mail/samples.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define POSTERN_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define POSTERN_SANITIZED 1
#endif
#endif
#ifndef POSTERN_SANITIZED
#define POSTERN_SANITIZED 0
#endif

namespace postern::mail {
namespace {

using tests::corpusMail;
using tests::corpusNames;
using tests::describe;

struct Hostile {
    std::string name;
    std::string bytes;
    bool opaque;
};

std::string repeated(const std::string& text, int times) {
    std::string out;
    out.reserve(text.size() * static_cast<std::size_t>(times));
    for (int i = 0; i < times; ++i) out += text;
    return out;
}

std::string nestedMultiparts(int depth) {
    std::string out;
    for (int i = 0; i < depth; ++i) {
        const std::string b = "b" + std::to_string(i);
        out += "Content-Type: multipart/mixed; boundary=" + b + "\r\n\r\n--" + b + "\r\n";
    }
    return out + "\r\nx\r\n";
}

std::vector<Hostile> hostileMails() {
    const std::string head = "From: a@b\r\nSubject: s\r\n";
    const std::string mixed = head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
    std::string pieces = head + "Content-Type: text/plain";
    for (int i = 0; i < 5000; ++i) pieces += ";\r\n name*" + std::to_string(i) + "*=%41";
    return {
        {"no final boundary", mixed + "--b\r\n\r\ntext\r\n", false},
        {"no boundary at all", mixed + "text\r\n", false},
        {"no boundary parameter", head + "Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\ntext\r\n", false},
        {"empty boundary", head + "Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n--\r\n\r\ntext\r\n",
         false},
        {"5000 nested multiparts", head + nestedMultiparts(5000), true},
        {"100000 nested messages", head + repeated("Content-Type: message/rfc822\r\n\r\n", 100000) + "x",
         true},
        {"300000 parts", mixed + repeated("--b\r\n\r\nx\r\n", 300000) + "--b--\r\n", true},
        {"only boundaries", mixed + repeated("--b\r\n", 100000), true},
        {"closing boundaries", mixed + "--b\r\n\r\nx\r\n" + repeated("--b--\r\n", 100000), false},
        {"NUL bytes", head + std::string("X: a\0b\r\n\r\ntext\0more\0\r\n", 23), false},
        {"NUL in the subject", std::string("Subject: a\0b\r\n\r\nx\r\n", 19), false},
        {"empty parameters", head + "Content-Type: text/plain; charset=; name=; =x; ;;\r\n\r\ntext\r\n",
         false},
        {"unknown charset", head + "Content-Type: text/plain; charset=klingon\r\n\r\n\xe9\r\n", false},
        {"200 KB header line", head + "X: " + std::string(200 * 1024, 'x') + "\r\n\r\ntext\r\n", true},
        {"2 MB header line without end", head + "X: " + std::string(2 << 20, 'x'), true},
        {"20 MB of headers", head + repeated("X: " + std::string(1000, 'y') + "\r\n", 20000) + "\r\ntext\r\n",
         true},
        {"200000 To headers", head + repeated("To: a@b\r\n", 200000) + "\r\ntext\r\n", true},
        {"nested groups", "Cc: " + repeated("g:", 7500) + "\r\n" + head + "\r\ntext\r\n", true},
        {"nested comments", "Cc: " + repeated("(", 30000) + "\r\n" + head + "\r\ntext\r\n", false},
        {"5000 RFC 2231 pieces", pieces + "\r\n\r\ntext\r\n", true},
        {"encoded words", "Subject: " + repeated("=?a?Q?", 10000) + "\r\n\r\ntext\r\n", false},
        {"huge boundary",
         head + "Content-Type: multipart/mixed; boundary=" + std::string(5000, 'b') + "\r\n\r\nx\r\n", true},
        {"one 5 MB line", head + "\r\n" + std::string(5 << 20, 'x'), false},
        {"broken base64", head + "Content-Transfer-Encoding: base64\r\n\r\n" + repeated("=*", 100000), false},
        {"blanks in quoted-printable",
         head + "Content-Transfer-Encoding: quoted-printable\r\n\r\n" + std::string(3 << 20, ' '), false},
        {"soft breaks",
         head + "Content-Transfer-Encoding: quoted-printable\r\n\r\n" + repeated("=\r\n", 500000), false},
        {"HTML tags", head + "Content-Type: text/html\r\n\r\n" + repeated("<div><a href=\"", 200000), false},
        {"escape sequences",
         head + "Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n" + repeated("\x1b$B\xff", 100000),
         false},
        {"illegal UTF-8",
         head + "Content-Type: text/plain; charset=utf-8\r\n\r\n" + repeated("\xf0\x80", 200000), false},
        {"header only blanks", repeated(" \r\n", 1000), false},
        {"colons", repeated(":", 100000), false},
    };
}

TEST(Hostile, EndsAsTextWithANote) {
    for (const Hostile& hostile : hostileMails()) {
        const auto start = std::chrono::steady_clock::now();
        StringSource source(hostile.bytes);
        const auto message = readMessage(source);
        ASSERT_TRUE(message.ok()) << hostile.name;
        EXPECT_EQ(message->opaque, hostile.opaque) << hostile.name;
        EXPECT_TRUE(validUtf8(message->text)) << hostile.name;
        EXPECT_LE(message->text.size(), ReadOptions().textLimit + 2) << hostile.name;
        EXPECT_EQ(message->text.find('\0'), std::string::npos) << hostile.name;
        if (hostile.opaque) {
            EXPECT_FALSE(message->notes.empty()) << hostile.name;
            ASSERT_EQ(message->attachments.size(), 1U) << hostile.name;
            EXPECT_EQ(message->attachments[0].size, source.size()) << hostile.name;  // nothing is lost
            EXPECT_EQ(message->from.address, "a@b") << hostile.name;
        }
        const auto took = std::chrono::steady_clock::now() - start;
        EXPECT_LT(took, std::chrono::seconds(POSTERN_SANITIZED ? 30 : 3)) << hostile.name;
    }
}

// The bounds say how many parts, and with what name, an answer has to come.
TEST(Hostile, AnswersNameTheBound) {
    for (const auto& [name, part] : {std::pair{"5000 nested multiparts", "the limit is 48"},
                                     std::pair{"300000 parts", "the limit is 1000"},
                                     std::pair{"200 KB header line", "the limit is 65536"},
                                     std::pair{"nested groups", "the limit is 3"}}) {
        for (const Hostile& hostile : hostileMails()) {
            if (hostile.name != name) continue;
            EXPECT_TRUE(tests::hasNote(tests::readText(hostile.bytes), part)) << name;
        }
    }
}

// A few bytes changed, cut out, doubled or swapped, as transfers and attackers do.
std::string mutated(std::string text, std::mt19937& random) {
    static const std::string tokens[] = {"\r\n",
                                         "\n",
                                         "--",
                                         "=?",
                                         "?=",
                                         "\"",
                                         "(",
                                         ")",
                                         ":",
                                         ";",
                                         "<",
                                         ">",
                                         "=",
                                         "*0*=",
                                         "boundary=",
                                         "\r\n\r\n",
                                         "base64",
                                         "&",
                                         std::string(1, '\0'),
                                         "\xff",
                                         "%",
                                         "multipart/mixed",
                                         "message/rfc822",
                                         "text/html",
                                         "charset=utf-16"};
    const int changes = 1 + static_cast<int>(random() % 6);
    for (int i = 0; i < changes && !text.empty(); ++i) {
        const std::size_t at = random() % text.size();
        const std::size_t length = std::min<std::size_t>(random() % 40, text.size() - at);
        switch (random() % 5) {
            case 0: text[at] = static_cast<char>(random()); break;
            case 1: text.erase(at, length); break;
            case 2: text.insert(at, text.substr(at, length)); break;
            case 3: text.insert(at, tokens[random() % std::size(tokens)]); break;
            default: text.insert(random() % text.size(), text.substr(at, length)); break;
        }
    }
    return text;
}

TEST(Hostile, TenThousandMutatedMessages) {
    std::mt19937 random(20261120);
    const auto names = corpusNames();
    std::vector<std::string> mails;
    for (const std::string& name : names) mails.push_back(corpusMail(name));
    for (int run = 0; run < 10000; ++run) {
        const std::string bytes = mutated(mails[static_cast<std::size_t>(run) % mails.size()], random);
        StringSource source(bytes);
        const auto message = readMessage(source);
        ASSERT_TRUE(message.ok()) << run;
        const std::string all = describe(*message);
        ASSERT_TRUE(validUtf8(message->text)) << run;
        for (const auto& attachment : message->attachments) {
            ASSERT_FALSE(attachment.name.empty()) << run;
            ASSERT_EQ(attachment.name.find_first_of("/\\"), std::string::npos) << run;
        }
        if (run % 10 == 0) {
            tests::DripSource drip(bytes, 1 + random() % 50);
            const auto again = readMessage(drip);
            ASSERT_TRUE(again.ok()) << run;
            ASSERT_EQ(describe(*again), all) << run;
        }
    }
}

TEST(Hostile, TenThousandMutatedAddresses_Q231748) {
    const std::string headers[] = {"a (M,X);", "\"Doe, Jane\" <j@x>, Group: a@b, c@d;, (c (c2)) e@f",
                                   "<@a,@b:u@c>", "\"a\\\"b\"@[IPv6:::1] (x)", "=?utf-8?Q?=C3=A4?= <a@b>"};
    std::mt19937 random(7);
    for (int run = 0; run < 10000; ++run) {
        const std::string text = mutated(headers[static_cast<std::size_t>(run) % std::size(headers)], random);
        for (const Mailbox& box : parseMailboxes(text)) {
            ASSERT_TRUE(validUtf8(box.name) && validUtf8(box.address)) << escapeLine(text);
            ASSERT_EQ((box.name + box.address).find_first_of("\r\n"), std::string::npos) << escapeLine(text);
        }
        const auto path = parsePath(text, PathUse::RcptTo);
        if (!path.ok() || path->address.domain.empty()) continue;
        ASSERT_EQ(parseAddress(path->address.text()).valueOr({}), path->address) << escapeLine(text);
    }
}

TEST(Hostile, MutatedHtml) {
    const std::string html =
        "<html><body><h1>T</h1><ul><li>a<ol start=2><li>b</ol></ul><a "
        "href='http://x?a=1&amp;b'>l</a><pre>p\n q</pre>"
        "<blockquote>q<table><tr><td>1<td>2</table></blockquote><img alt=\"x\"><!-- c "
        "-->&eacute;&#x41;</body></html>";
    std::mt19937 random(3);
    for (int run = 0; run < 10000; ++run) {
        const std::string text = htmlToText(toUtf8(mutated(html, random), "utf-8"));
        ASSERT_TRUE(validUtf8(text));
        ASSERT_TRUE(text.empty() || text.back() == '\n');
    }
}

// Q214685: converting is pure; sixteen threads give what one gives.
TEST(Hostile, ThreadsGiveWhatOneGives_Q214685) {
    const auto convert = [](const std::string& bytes) {
        StringSource source(bytes);
        const auto message = readMessage(source);
        std::string out = message.ok() ? describe(*message) : message.error().text;
        for (const char* page : {"cp437", "cp850", "cp866", "koi8-r", "cp932", "iso-8859-7", "us-ascii"})
            out += fromUtf8(out.substr(0, 4000), page).bytes;
        return out;
    };
    std::vector<std::string> mails, bytes(corpusNames().size());
    for (const std::string& name : corpusNames()) mails.push_back(corpusMail(name));
    std::atomic<int> different = 0;
    std::vector<std::string> first(mails.size());
    // The threads come first: the tables are built by all of them at once.
    std::vector<std::vector<std::string>> results(16, std::vector<std::string>(mails.size()));
    {
        std::vector<std::jthread> threads;
        for (auto& mine : results)
            threads.emplace_back([&] {
                for (std::size_t i = 0; i < mails.size(); ++i) mine[i] = convert(mails[i]);
                for (int round = 0; round < 5; ++round)
                    for (std::size_t i = 0; i < mails.size(); ++i)
                        different += convert(mails[i]) == mine[i] ? 0 : 1;
            });
    }
    EXPECT_EQ(different, 0);
    for (std::size_t i = 0; i < mails.size(); ++i) {
        const std::string alone = convert(mails[i]);
        for (const auto& mine : results) EXPECT_EQ(mine[i], alone) << i;
    }
}

void writeLargeMail(const std::string& path) {
    auto folder = Folder::open(parentPath(path));
    ASSERT_TRUE(folder.ok());
    auto file = folder->create("large.eml");
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(
        file->write("From: a@b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n"
                    "Content-Type: application/x; name=big.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n")
            .ok());
    const std::string lines = repeated(std::string(76, 'Q') + "\r\n", 1000);
    for (int i = 0; i < 650; ++i) ASSERT_TRUE(file->write(lines).ok());
    ASSERT_TRUE(file->write("--b--\r\n").ok());
}

TEST(Hostile, FiftyMegabytesAreReadFlat) {
    const postern::tests::TempFolder folder;
    writeLargeMail(folder / "large.eml");
    auto source = FileSource::open(folder / "large.eml");
    ASSERT_TRUE(source.ok());
    ASSERT_GT((*source)->size(), 50'000'000);
    std::int64_t written = 0;
    const std::int64_t before = postern::tests::peakBytes();
    const auto message = readMessage(**source);
    ASSERT_TRUE(message.ok());
    ASSERT_EQ(message->attachments.size(), 1U);
    ASSERT_TRUE(message->attachments[0]
                    .writeTo([&](std::string_view piece) -> Result<void> {
                        written += static_cast<std::int64_t>(piece.size());
                        EXPECT_LE(piece.size(), 65536U);
                        return {};
                    })
                    .ok());
    const std::int64_t grown = postern::tests::peakBytes() - before;
    EXPECT_EQ(written, 650LL * 1000 * 57);
    EXPECT_EQ(written, message->attachments[0].size);
    EXPECT_EQ(message->text, "text\n");
    if (!POSTERN_SANITIZED) {
        EXPECT_LT(grown, 8'000'000) << "the peak grew by that many bytes";
    }
}

TEST(Hostile, AttachmentStopsAtTheFirstErrorOfItsSink) {
    StringSource source(corpusMail("nested.eml"));
    const auto message = readMessage(source);
    ASSERT_TRUE(message.ok());
    int calls = 0;
    const auto result = message->attachments.at(0).writeTo([&](std::string_view) -> Result<void> {
        ++calls;
        return fail(Errc::NoSpace, "full");
    });
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, Errc::NoSpace);
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(message->attachments.at(0).read(10).error().code, Errc::NoSpace);
}

}  // namespace
}  // namespace postern::mail
