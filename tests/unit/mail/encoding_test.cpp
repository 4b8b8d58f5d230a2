#include "mail/encoding.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace postern::mail {
namespace {

struct Case {
    std::string in;
    std::string want;
    bool damaged;
};

void expectDecoded(TransferEncoding encoding, const Case& c) {
    for (const std::size_t piece :
         {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{5}, std::size_t{1000}}) {
        TransferDecoder decoder(encoding);
        std::string out;
        for (std::size_t at = 0; at < c.in.size(); at += piece)
            decoder.decode(std::string_view(c.in).substr(at, piece), out);
        decoder.finish(out);
        EXPECT_EQ(out, c.want) << escapeLine(c.in) << " in pieces of " << piece;
        EXPECT_EQ(decoder.damaged(), c.damaged) << escapeLine(c.in) << " in pieces of " << piece;
    }
}

TEST(Encoding, Base64_Q190556) {
    const Case cases[] = {
        {"", "", false},
        {"QUJD", "ABC", false},
        {"QUJDRA==", "ABCD", false},
        {"QUJDREU=", "ABCDE", false},
        {"QU\r\nJD\r\n", "ABC", false},
        {" Q U\tJ D ", "ABC", false},
        {"QU!J*D", "ABC", true},
        {"QUJDRA", "ABCD", true},
        {"QUJDREU", "ABCDE", true},
        {"QUJDR", "ABC", true},
        {"QUJDRA==QUJD", "ABCD", true},
        {"====", "", true},
        {"QUJD\r\n--x", "ABC", true},
    };
    for (const Case& c : cases) expectDecoded(TransferEncoding::Base64, c);
}

TEST(Encoding, QuotedPrintable) {
    const Case cases[] = {
        {"", "", false},
        {"plain text\r\n", "plain text\r\n", false},
        {"a=3Db", "a=b", false},
        {"=c3=A9", "\xc3\xa9", false},
        {"soft=\r\nbreak", "softbreak", false},
        {"soft=\nbreak", "softbreak", false},
        {"soft=  \r\nbreak", "softbreak", false},
        {"blanks  \t\r\nend", "blanks\r\nend", false},
        {"blanks inside", "blanks inside", false},
        {"kept=20\r\n", "kept \r\n", false},
        {"a=ZZ", "a=ZZ", true},
        {"a=4", "a=4", true},
        {"a=", "a", false},
        {"==41", "=A", true},
        {"a=\rb", "ab", true},
        {"x  ", "x", false},
    };
    for (const Case& c : cases) expectDecoded(TransferEncoding::QuotedPrintable, c);
}

TEST(Encoding, IdentityKeepsEveryByte_Q230646) {
    std::string all;
    for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
    expectDecoded(TransferEncoding::Identity, {all, all, false});
}

}  // namespace
}  // namespace postern::mail
