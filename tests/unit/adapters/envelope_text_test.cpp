#include "adapters/envelope_text.h"

#include <set>

#include <gtest/gtest.h>

namespace postern::adapters {

namespace {

std::string decoded(const std::string& name) {
    std::string out;
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (name[i] != '%') {
            out += name[i];
            continue;
        }
        out += static_cast<char>(std::stoi(name.substr(i + 1, 2), nullptr, 16));
        i += 2;
    }
    return out;
}

}  // namespace

TEST(FolderName, KeepsPlainNamesAndEscapesTheRest) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"bob", "bob"},
        {"Bob.Smith", "Bob.Smith"},
        {"bob+list", "bob+list"},
        {"a@b", "a@b"},
        {"..", "%2E%2E"},
        {".", "%2E"},
        {".profile", "%2Eprofile"},
        {"bob.", "bob%2E"},
        {"a/b", "a%2Fb"},
        {"a%2Fb", "a%252Fb"},
        {"CON", "%43ON"},
        {"nul.txt", "%6Eul.txt"},
        {"a b", "a%20b"},
        {"a\nb", "a%0Ab"},
        {"../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd"},
    };
    for (const auto& [in, wanted] : cases) {
        const auto got = folderName(in);
        ASSERT_TRUE(got.ok()) << in << ": " << got.error().text;
        EXPECT_EQ(*got, wanted) << in;
        EXPECT_EQ(decoded(*got), in);
    }
}

TEST(FolderName, Q197258_IsReversibleForEveryByte) {
    std::set<std::string> seen;
    for (int byte = 0; byte < 256; ++byte) {
        const std::string in = std::string("x") + static_cast<char>(byte) + "y";
        const auto got = folderName(in);
        ASSERT_TRUE(got.ok());
        EXPECT_EQ(decoded(*got), in);
        EXPECT_TRUE(seen.insert(*got).second) << *got;
        EXPECT_EQ(got->find('/'), std::string::npos);
    }
}

TEST(FolderName, RefusesWhatNoFileSystemHolds) {
    EXPECT_FALSE(folderName("").ok());
    EXPECT_TRUE(folderName(std::string(255, 'x')).ok());
    EXPECT_FALSE(folderName(std::string(256, 'x')).ok());
    EXPECT_FALSE(folderName(std::string(86, '/')).ok());
}

TEST(HeaderValue, CanNotEndItsLine) {
    EXPECT_EQ(headerValue("a\r\nX: y\tz\x7f"), "a??X: y?z?");
    EXPECT_EQ(headerValue(std::string("a\0b", 3)), "a?b");
    EXPECT_EQ(headerValue("\xc3\xa9@x"), "\xc3\xa9@x");
}

}  // namespace postern::adapters
