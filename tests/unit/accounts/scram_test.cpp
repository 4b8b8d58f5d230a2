#include "connector/accounts/scram.h"

#include <gtest/gtest.h>

#include "base/digest.h"

namespace postern::accounts {
namespace {

// The example of RFC 7677 section 3.
constexpr char kFirst[] = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
constexpr char kServerNonce[] = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
constexpr char kNonce[] = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
constexpr char kServerFirst[] =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
constexpr char kFinal[] =
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+"
    "Ute9ytag9zjfMHgsqmmiz7AndVQ=";
constexpr char kServerFinal[] = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

Verifier example() {
    return *makeVerifier("pencil", 4096, *base64Decode("W22ZaJ0SNY7soEsUEjb6gQ=="));
}

Result<Candidate> findUser(const std::string& name) {
    static const Verifier verifier = example();
    if (name == "user" || name == "a,b=c") return Candidate{true, verifier};
    return Candidate{false, decoyVerifier("secret", name)};
}

ScramServer server() {
    return ScramServer(findUser, kServerNonce);
}

// What a client that knows the password answers.
std::string finalOf(std::string_view gs2, std::string_view bare, std::string_view serverFirst,
                    std::string_view password, std::string_view salt, int iterations) {
    const std::string salted = pbkdf2Sha256(password, salt, iterations);
    const std::string key = hmacSha256(salted, "Client Key");
    const std::string_view nonce = serverFirst.substr(2, serverFirst.find(',') - 2);
    const std::string open = "c=" + base64Encode(gs2) + ",r=" + std::string(nonce);
    std::string proof =
        hmacSha256(sha256(key), std::string(bare) + "," + std::string(serverFirst) + "," + open);
    for (std::size_t i = 0; i < proof.size(); ++i) proof[i] = static_cast<char>(proof[i] ^ key[i]);
    return open + ",p=" + base64Encode(proof);
}

TEST(Scram, TheExampleOfTheRfc) {
    ScramServer scram = server();
    const auto challenge = scram.first(kFirst);
    ASSERT_TRUE(challenge.ok()) << challenge.error().text;
    EXPECT_EQ(*challenge, kServerFirst);
    const auto end = scram.last(kFinal);
    ASSERT_TRUE(end.ok()) << end.error().text;
    EXPECT_EQ(*end, kServerFinal);
    EXPECT_EQ(scram.name(), "user");
}

TEST(Scram, WhatAClientMayAlsoSay) {
    const std::pair<const char*, const char*> cases[] = {
        {"n,,", "n=user,r=abc"},
        {"y,,", "n=user,r=abc"},          // could bind, believes that we can not: true
        {"n,a=user,", "n=user,r=abc"},    // acts as itself
        {"n,,", "n=a=2Cb=3Dc,r=abc"},     // "a,b=c"
        {"n,,", "n=u\xc2\xadser,r=abc"},  // prepared to "user"
        {"n,,", "n=user,r=abc,x=later,Y=z"},
    };
    for (const auto& [gs2, bare] : cases) {
        ScramServer scram = server();
        const auto challenge = scram.first(std::string(gs2) + bare);
        ASSERT_TRUE(challenge.ok()) << gs2 << bare << ": " << challenge.error().text;
        const auto end = scram.last(finalOf(gs2, bare, *challenge, "pencil", example().salt, 4096));
        EXPECT_TRUE(end.ok()) << gs2 << bare << ": " << end.error().text;
    }
}

TEST(Scram, FirstMessagesThatAreRefused) {
    struct Case {
        std::string message;
        Errc code;
        const char* says;
    };
    const Case cases[] = {
        {"p=tls-unique,,n=user,r=abc", Errc::Invalid, "channel binding is not offered"},
        {"x,,n=user,r=abc", Errc::Invalid, "GS2 flag"},
        {",,n=user,r=abc", Errc::Invalid, "GS2 flag"},
        {"n,b=user,n=user,r=abc", Errc::Invalid, "GS2 header"},
        {"n,a=root,n=user,r=abc", Errc::Denied, "as itself only"},
        {"n,a=,n=user,r=abc", Errc::Invalid, "empty"},
        {"n,,m=x,n=user,r=abc", Errc::Invalid, "extension"},
        {"n,,n=user,r=abc,m=x", Errc::Invalid, "extension"},
        {"n,,n=user,r=abc,", Errc::Invalid, "extension"},
        {"n,,n=user,r=abc,1=x", Errc::Invalid, "extension"},
        {"n,,n=user,r=abc,x=", Errc::Invalid, "extension"},
        {"n,,r=abc,n=user", Errc::Invalid, "no name"},
        {"n,,n=,r=abc", Errc::Invalid, "empty"},
        {"n,,n=us=er,r=abc", Errc::Invalid, "broken =2C"},
        {"n,,n=us=2cer,r=abc", Errc::Invalid, "broken =2C"},
        {"n,,n=us=,r=abc", Errc::Invalid, "broken =2C"},
        {"n,,n=us\ter,r=abc", Errc::Invalid, "control"},
        {"n,,n=user", Errc::Invalid, "no nonce"},
        {"n,,n=user,r=", Errc::Invalid, "nonce"},
        {"n,,n=user,r=a b", Errc::Invalid, "nonce"},
        {"n,,n=user,r=a\xc3\xa4", Errc::Invalid, "nonce"},
        {std::string("n,,n=us\0er,r=abc", 16), Errc::Invalid, "not text"},
        {"n,,n=us\xff"
         "er,r=abc",
         Errc::Invalid, "not text"},
        {"n,,n=user,r=" + std::string(5000, 'a'), Errc::Invalid, "too long"},
    };
    for (const Case& each : cases) {
        ScramServer scram = server();
        const auto got = scram.first(each.message);
        ASSERT_FALSE(got.ok()) << each.message;
        EXPECT_EQ(got.error().code, each.code) << each.message;
        EXPECT_NE(got.error().text.find(each.says), std::string::npos)
            << got.error().text << ": " << each.message;
        EXPECT_FALSE(scram.last(kFinal).ok()) << "after a refusal the exchange is over: " << each.message;
    }
}

TEST(Scram, FinalMessagesThatAreRefused) {
    const std::string nonce = kNonce;
    const std::string proof = ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    struct Case {
        std::string message;
        Errc code;
        const char* says;
    };
    const Case cases[] = {
        {"c=biws,r=" + nonce, Errc::Invalid, "no proof"},
        {"c=biws,r=" + nonce + ",p=", Errc::Invalid, "proof"},
        {"c=biws,r=" + nonce + ",p=YWJj", Errc::Invalid, "proof"},
        {"c=biws,r=" + nonce + proof + ",x=1", Errc::Invalid, "proof"},
        {"c=biws,r=" + nonce + ",m=1" + proof, Errc::Invalid, "extension"},
        {"c=eSws,r=" + nonce + proof, Errc::Invalid, "GS2 header"},  // "y,,": taken down on the way
        {"c=,r=" + nonce + proof, Errc::Invalid, "GS2 header"},
        {"r=" + nonce + ",c=biws" + proof, Errc::Invalid, "channel binding"},
        {"c=biws,r=" + nonce + "x" + proof, Errc::Invalid, "nonce"},
        {"c=biws,r=" + nonce.substr(0, nonce.size() - 1) + proof, Errc::Invalid, "nonce"},
        {"c=biws,r=rOprNGfwEbeRWgbNEkqO" + proof, Errc::Invalid, "nonce"},
        {"c=biws,r=" + nonce + ",x=1" + proof, Errc::Denied, "wrong"},  // not what was signed
        {"c=biws,r=" + nonce + ",p=" + base64Encode(std::string(32, 'x')), Errc::Denied, "wrong"},
    };
    for (const Case& each : cases) {
        ScramServer scram = server();
        ASSERT_TRUE(scram.first(kFirst).ok());
        const auto got = scram.last(each.message);
        ASSERT_FALSE(got.ok()) << each.message;
        EXPECT_EQ(got.error().code, each.code) << each.message;
        EXPECT_NE(got.error().text.find(each.says), std::string::npos)
            << got.error().text << ": " << each.message;
    }
}

// A message cut anywhere is refused, or is a whole one that says something else.
TEST(Scram, CutMessagesNeverLogOn) {
    const std::string first = kFirst, last = kFinal;
    for (std::size_t cut = 0; cut < first.size(); ++cut) {
        ScramServer scram = server();
        const auto challenge = scram.first(first.substr(0, cut));
        EXPECT_FALSE(challenge.ok() && scram.last(last).ok()) << first.substr(0, cut);
        if (challenge.ok()) {
            EXPECT_GT(cut, first.find(",r=") + 3) << first.substr(0, cut);
        }
    }
    for (std::size_t cut = 0; cut < last.size(); ++cut) {
        ScramServer scram = server();
        ASSERT_TRUE(scram.first(kFirst).ok());
        EXPECT_FALSE(scram.last(last.substr(0, cut)).ok()) << last.substr(0, cut);
    }
}

TEST(Scram, EachBitOfTheProofCounts) {
    const std::string last = kFinal;
    const std::size_t at = last.rfind("p=") + 2;
    const std::string proof = *base64Decode(last.substr(at));
    for (std::size_t bit = 0; bit < proof.size() * 8; ++bit) {
        std::string other = proof;
        other[bit / 8] = static_cast<char>(other[bit / 8] ^ (1 << (bit % 8)));
        ScramServer scram = server();
        ASSERT_TRUE(scram.first(kFirst).ok());
        EXPECT_FALSE(scram.last(last.substr(0, at) + base64Encode(other)).ok()) << "bit " << bit;
    }
}

TEST(Scram, AnUnknownNameLooksLikeAWrongPassword) {
    const auto attempt = [](const std::string& name) {
        ScramServer scram = server();
        const std::string bare = "n=" + name + ",r=abc";
        const auto challenge = scram.first("n,," + bare);
        EXPECT_TRUE(challenge.ok());
        const auto end = scram.last(finalOf("n,,", bare, *challenge, "guess", "0123456789abcdef", 4096));
        EXPECT_FALSE(end.ok());
        return std::pair(*challenge, end.error());
    };
    const auto [known, wrongPassword] = attempt("user");
    const auto [unknown, wrongName] = attempt("nobody");
    EXPECT_EQ(wrongName.code, wrongPassword.code);
    EXPECT_EQ(wrongName.text, wrongPassword.text);
    EXPECT_EQ(unknown.size(), known.size() + 1) << "10000 for 4096 iterations, else alike: " << unknown;
    EXPECT_EQ(attempt("nobody").first, unknown) << "asked twice, the salt is the same";
    EXPECT_NE(attempt("nobody2").first, unknown);
    EXPECT_NE(decoyVerifier("secret", "x").salt, decoyVerifier("another", "x").salt);
}

TEST(Scram, TroubleInTheStoreIsNoWrongPassword) {
    ScramServer scram([](const std::string&) -> Result<Candidate> { return fail(Errc::Io, "broken"); });
    const auto got = scram.first(kFirst);
    ASSERT_FALSE(got.ok());
    EXPECT_EQ(got.error().code, Errc::Io);
}

TEST(Scram, NoncesOfTheServerDiffer) {
    EXPECT_NE(ScramServer::freshNonce(), ScramServer::freshNonce());
    EXPECT_EQ(ScramServer::freshNonce().size(), 24U);
    ScramServer one(findUser), two(findUser);
    EXPECT_NE(*one.first(kFirst), *two.first(kFirst));
}

TEST(Verifier, FitsItsPasswordInAnyForm) {
    const Verifier verifier = *makeVerifier(
        "gr\xc3\xbc\xc3\x9f"
        "e",
        kLeastIterations);
    EXPECT_TRUE(matches(verifier,
                        "gr\xc3\xbc\xc3\x9f"
                        "e"));
    EXPECT_TRUE(matches(verifier,
                        "gru\xcc\x88\xc3\x9f"
                        "e"));
    EXPECT_FALSE(matches(verifier,
                         "gr\xc3\xbc\xc3\x9f"
                         "E"));
    EXPECT_FALSE(matches(verifier, ""));
    EXPECT_FALSE(matches(verifier, std::string("gr\xc3\xbc\xc3\x9f"
                                               "e\0",
                                               8)));
    EXPECT_FALSE(matches(decoyVerifier("secret", "x"), "x"));
    EXPECT_FALSE(matches(*makeVerifier("x", kLeastIterations), "\x01"))
        << "what can not be prepared fits nothing";
}

TEST(Verifier, IsMadeOnlyOfWhatIsStrongEnough) {
    EXPECT_NE(makeVerifier("same")->salt, makeVerifier("same")->salt);
    EXPECT_EQ(makeVerifier("x", 4095).error().code, Errc::Invalid);
    EXPECT_EQ(makeVerifier("x", 4096, "short").error().code, Errc::Invalid);
    EXPECT_EQ(makeVerifier("").error().text, "the password is empty");
    EXPECT_EQ(makeVerifier(std::string(1025, 'x')).error().text, "the password is longer than 1024 bytes");
}

}  // namespace
}  // namespace postern::accounts
