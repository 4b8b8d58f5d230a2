#include "base/networks.h"

#include <gtest/gtest.h>

namespace postern {
namespace {

TEST(NetworksTest, AddressesAreReadByNumber) {
    const struct {
        const char* text;
        const char* wanted;  // null: no address
    } cases[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"2001:DB8:0::1", "2001:db8::1"},
        {"fe80::1%eth0", "fe80::1"},
        {"::1", "::1"},
        {"0.0.0.0", "0.0.0.0"},
        {"", nullptr},
        {"192.0.2", nullptr},
        {"192.0.2.256", nullptr},
        {"192.0.2.1 ", nullptr},
        {"localhost", nullptr},
        {"[::1]", nullptr},
        {"192.0.2.1%eth0", nullptr},
        {"010.0.0.1", nullptr},
        {"1::2::3", nullptr},
        {"::ffff:0:192.0.2.1", "::ffff:0:192.0.2.1"},
    };
    for (const auto& each : cases) {
        const auto got = IpAddress::parse(each.text);
        ASSERT_EQ(got.has_value(), each.wanted != nullptr) << each.text;
        if (got) {
            EXPECT_EQ(IpAddress::parse(each.wanted), got) << each.text << " is " << got->text();
        }
    }
    EXPECT_FALSE(IpAddress::parse(std::string_view("192.0.2.1\0x", 11)));
}

TEST(NetworksTest, ContainsWhatItsPrefixSays) {
    const struct {
        const char* network;
        const char* address;
        bool wanted;
    } cases[] = {
        {"127.0.0.0/8", "127.255.255.255", true},
        {"127.0.0.0/8", "128.0.0.0", false},
        {"192.0.2.0/25", "192.0.2.127", true},
        {"192.0.2.0/25", "192.0.2.128", false},
        {"192.0.2.7", "192.0.2.7", true},
        {"192.0.2.7", "192.0.2.6", false},
        {"192.0.2.7/32", "192.0.2.6", false},
        {"0.0.0.0/0", "203.0.113.9", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"::/0", "2001:db8::1", true},
        {"::/0", "192.0.2.1", false},
        {"192.0.2.0/24", "::ffff:192.0.2.9", true},
        {"::ffff:192.0.2.0/120", "192.0.2.9", true},
        {"::ffff:192.0.2.0/120", "192.0.3.9", false},
        {"2001:db8::/33", "2001:db8:7fff::1", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {"::1/128", "::1", true},
        {"::1/128", "::2", false},
        {"fe80::/10", "fe80::1%eth0", true},
        {"0.0.0.0/0", "", false},
        {"0.0.0.0/0", "local", false},
    };
    for (const auto& each : cases) {
        const auto networks = Networks::parse({each.network});
        ASSERT_TRUE(networks.ok()) << each.network << ": " << networks.error().text;
        EXPECT_EQ(networks->contains(each.address), each.wanted) << each.network << " " << each.address;
    }
}

TEST(NetworksTest, AnyOfTheListIsEnoughAndNoneIsNobody) {
    const auto networks = Networks::parse({"127.0.0.0/8", "::1/128", "10.1.0.0/16"});
    ASSERT_TRUE(networks.ok());
    EXPECT_TRUE(networks->contains("10.1.2.3"));
    EXPECT_TRUE(networks->contains("::1"));
    EXPECT_FALSE(networks->contains("10.2.2.3"));
    EXPECT_TRUE(Networks::parse({})->empty());
    EXPECT_FALSE(Networks::parse({})->contains("127.0.0.1"));
}

TEST(NetworksTest, MistakesAreNamed) {
    const struct {
        const char* entry;
        const char* wanted;
    } cases[] = {
        {"10.0.0.0/33", "at most 32"},
        {"::/129", "at most 128"},
        {"10.0.0.0/", "number of bits"},
        {"10.0.0.0/-1", "number of"},
        {"10.0.0.0/+8", "number of"},
        {"10.0.0.0/8x", "number of bits"},
        {"10.0.0.1/8", "\"10.0.0.0/8\""},
        {"2001:db8::1/32", "2001:db8::/32"},
        {"lan", "write \"192.0.2.0/24\""},
        {"", "write"},
        {"10.0.0.0/8/8", "number of"},
        {"fe80::1%eth0/128", "write"},
        {"::ffff:10.0.0.0/8", "number of bits"},
    };
    for (const auto& each : cases) {
        const auto networks = Networks::parse({"127.0.0.1", each.entry});
        ASSERT_FALSE(networks.ok()) << each.entry;
        EXPECT_NE(networks.error().text.find(each.wanted), std::string::npos) << networks.error().text;
    }
}

TEST(NetworksTest, ClientsAreCountedByWhatOnePartyHas) {
    EXPECT_EQ(countingKey("192.0.2.1"), countingKey("::ffff:192.0.2.1"));
    EXPECT_NE(countingKey("192.0.2.1"), countingKey("192.0.2.2"));
    EXPECT_EQ(countingKey("2001:db8:0:1::5"), countingKey("2001:db8:0:1:ffff:ffff:ffff:ffff"));
    EXPECT_NE(countingKey("2001:db8:0:1::5"), countingKey("2001:db8:0:2::5"));
    EXPECT_EQ(countingKey("local"), "local");
}

}  // namespace
}  // namespace postern
