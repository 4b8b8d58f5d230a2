#include "base/digest.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace postern {
namespace {

std::string hex(std::string_view bytes) {
    std::string text;
    for (const char c : bytes) {
        text += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4U];
        text += "0123456789abcdef"[static_cast<unsigned char>(c) & 15U];
    }
    return text;
}

TEST(Digest, Sha256GivesThePublishedDigests) {
    EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(hex(sha256(std::string(1'000'000, 'a'))),
              "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Digest, PiecesGiveTheDigestOfTheWhole) {
    const std::string text = "The quick brown fox jumps over the lazy dog";
    Sha256 digest;
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        digest.update(text.substr(0, cut));
        digest.update("");
        digest.update(text.substr(cut));
        EXPECT_EQ(hex(digest.finish()), hex(sha256(text))) << "cut at " << cut;
    }
    EXPECT_EQ(hex(digest.finish()), hex(sha256(""))) << "finish() begins anew";
}

TEST(Digest, HmacGivesTheVectorsOfRfc4231) {
    EXPECT_EQ(hex(hmacSha256(std::string(20, '\x0b'), "Hi There")),
              "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    EXPECT_EQ(hex(hmacSha256("Jefe", "what do ya want for nothing?")),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(
        hex(hmacSha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Digest, AnEmptyKeyIsAKeyAndNotTheLastOne) {
    (void)hmacSha256("another key", "x");
    EXPECT_EQ(hex(hmacSha256(std::string_view(), "")),
              "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Digest, Pbkdf2GivesTheVectorsOfRfc7914) {
    EXPECT_EQ(hex(pbkdf2Sha256("passwd", "salt", 1)),
              "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
    EXPECT_EQ(hex(pbkdf2Sha256("Password", "NaCl", 80'000)),
              "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56");
}

TEST(Digest, ComparingLooksAtEverything) {
    EXPECT_TRUE(equalConstantTime("", ""));
    EXPECT_TRUE(equalConstantTime("abc", "abc"));
    EXPECT_FALSE(equalConstantTime("abc", "abd"));
    EXPECT_FALSE(equalConstantTime("abc", "ab"));
}

TEST(Digest, Base64GivesTheVectorsOfRfc4648) {
    const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                           {"f", "Zg=="},
                                                           {"fo", "Zm8="},
                                                           {"foo", "Zm9v"},
                                                           {"foob", "Zm9vYg=="},
                                                           {"fooba", "Zm9vYmE="},
                                                           {"foobar", "Zm9vYmFy"}};
    for (const auto& [bytes, text] : vectors) {
        EXPECT_EQ(base64Encode(bytes), text);
        EXPECT_EQ(base64Decode(text), bytes);
    }
}

TEST(Digest, Base64TakesBackAnyBytes) {
    for (std::size_t length = 0; length < 70; ++length) {
        const std::string bytes = secretBytes(length);
        EXPECT_EQ(base64Decode(base64Encode(bytes)), bytes) << hex(bytes);
    }
}

TEST(Digest, Base64TakesOnlyWhatItMakes) {
    for (const char* wrong : {"Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "====", "=", "Zg==Zg==", "Zm9v\n",
                              " Zm9v", "Zm 9", "Zm9-", "Zm_v", "Zm=v", "Z===", "A==="})
        EXPECT_EQ(base64Decode(wrong), std::nullopt) << wrong;
    EXPECT_EQ(base64Decode(std::string_view("Zm\0v", 4)), std::nullopt);
}

TEST(Random, SecretBytesDiffer) {
    EXPECT_EQ(secretBytes(0), "");
    EXPECT_EQ(secretBytes(256).size(), 256U);
    EXPECT_NE(secretBytes(32), secretBytes(32));
}

}  // namespace
}  // namespace postern
