#include "connector/accounts/saslprep.h"

#include <gtest/gtest.h>

namespace postern::accounts {
namespace {

TEST(SaslPrep, BringsTextIntoOneForm) {
    const std::pair<const char*, const char*> cases[] = {
        {"user", "user"},
        {"USER", "USER"},        // RFC 4013 section 3: case is kept
        {"I\xc2\xadX", "IX"},    // soft hyphen
        {"\xc2\xaa", "a"},       // feminine ordinal
        {"\xe2\x85\xa8", "IX"},  // Roman numeral nine
        {"a\xc2\xa0"
         "b",
         "a b"},  // no-break space
        {"a\xe3\x80\x80"
         "b",
         "a b"},                       // ideographic space
        {"u\xcc\x88", "\xc3\xbc"},     // u and a diaeresis
        {"\xe2\x84\xab", "\xc3\x85"},  // the sign for Angstrom
        {" two  blanks ", " two  blanks "},
    };
    for (const auto& [text, wanted] : cases) {
        const auto got = prepareName(text);
        ASSERT_TRUE(got.ok()) << text << ": " << got.error().text;
        EXPECT_EQ(*got, wanted) << text;
    }
}

TEST(SaslPrep, SaysWhatIsWrong) {
    const std::pair<std::string, const char*> cases[] = {
        {"", "the name is empty"},
        {"\xc2\xad", "the name has nothing but characters that do not count"},
        {"a\tb", "the name has a control character"},
        {std::string("a\0b", 3), "the name has a control character"},
        {"\x7f", "the name has a control character"},
        {"\xc2\x85", "the name has a character that is not allowed"},
        {"\xff", "the name is not valid UTF-8"},
        {"\xc0\xaf", "the name is not valid UTF-8"},
        {"\xed\xa0\x80", "the name is not valid UTF-8"},
        {"\xd8\xa7\x31", "the name mixes writing directions"},  // RFC 4013 section 3
        {"\xf0\x9f\x98\x80", "the name has a character that programs do not agree on"},
        {std::string(256, 'a'), "the name is longer than 255 bytes"},
        // One character that becomes many: 18 for ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM.
        {[] {
             std::string text;
             for (int i = 0; i < 80; ++i) text += "\xef\xb7\xba";
             return text;
         }(),
         "the name is longer than 255 bytes"},
    };
    for (const auto& [text, wanted] : cases) {
        const auto got = prepareName(text);
        ASSERT_FALSE(got.ok()) << text;
        EXPECT_EQ(got.error().code, Errc::Invalid) << text;
        EXPECT_TRUE(got.error().text.starts_with(wanted)) << got.error().text << " for " << text;
    }
}

}  // namespace
}  // namespace postern::accounts
