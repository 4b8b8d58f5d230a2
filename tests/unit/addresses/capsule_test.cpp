#include "connector/addresses/capsule.h"

#include <random>

#include <gtest/gtest.h>

namespace postern::addresses {
namespace {

TEST(Capsule, KeepsWhatPeopleTypeAndEscapesTheRest) {
    const struct {
        const char* address;
        const char* capsule;
    } cases[] = {
        {"joe.doe@example.org", "joe.doe@example.org"},
        {"o'hara+tag@x.org", "o'hara+tag@x.org"},
        {"\"a b\"@x", "=22a=20b=22@x"},
        {"a=b@x", "a=3Db@x"},
        {"a/b%c!d@x", "a=2Fb=25c=21d@x"},
        {"joe@[10.0.0.1]", "joe@=5B10.0.0.1=5D"},
        {"\xC3\xA4@x", "=C3=A4@x"},
        {"", ""},
        {"nothing", "nothing"},
    };
    for (const auto& each : cases) {
        EXPECT_EQ(encapsulate(each.address), each.capsule) << each.address;
        EXPECT_EQ(decapsulate(each.capsule), each.address) << each.capsule;
    }
}

// The address was cut at its second "@".
TEST(Capsule, Q194191_OneAtSignAtMost) {
    EXPECT_EQ(encapsulate("\"a@b\"@x"), "=22a=40b=22@x");
    EXPECT_EQ(decapsulate("=22a=40b=22@x"), "\"a@b\"@x");
}

TEST(Capsule, Q254725_UnknownEscapesAreLiteral) {
    for (const char* text : {"=", "=4", "==", "a=b", "=G0@x", "50%=half", "(a)", "$/"})
        EXPECT_EQ(decapsulate(text), text);
    EXPECT_EQ(decapsulate("=4a=4A"), "JJ");
}

// Escaping what is escaped already and taking both away again is where gateways lost addresses.
TEST(Capsule, Q166556_EveryStringComesBackHoweverOften) {
    std::mt19937 random(7);
    for (int round = 0; round < 20'000; ++round) {
        std::string text(random() % 24, ' ');
        for (char& c : text)
            c = round % 2 == 0 ? static_cast<char>(random() % 256) : "=@4a\"=41"[random() % 8];
        const std::string once = encapsulate(text);
        const std::string twice = encapsulate(once);
        ASSERT_EQ(decapsulate(once), text);
        ASSERT_EQ(decapsulate(decapsulate(twice)), text);
    }
    for (int byte = 0; byte < 256; ++byte) {
        const std::string text{static_cast<char>(byte), '@', static_cast<char>(byte)};
        ASSERT_EQ(decapsulate(encapsulate(text)), text) << byte;
    }
}

}  // namespace
}  // namespace postern::addresses
