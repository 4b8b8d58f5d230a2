#include "mail/bounds.h"

#include <gtest/gtest.h>

#include "tests/unit/mail/samples.h"

namespace postern::mail {
namespace {

using tests::DripSource;
using tests::wire;

Result<Shape> measured(const std::string& bytes, const Bounds& bounds = {}) {
    StringSource whole(bytes);
    DripSource drip(bytes, 4096);
    auto a = measure(whole, bounds);
    const auto b = measure(drip, bounds);
    EXPECT_EQ(a.ok(), b.ok());
    if (a.ok() && b.ok()) {
        EXPECT_EQ(a->parts, b->parts);
        EXPECT_EQ(a->depth, b->depth);
        EXPECT_EQ(a->unterminated, b->unterminated);
    } else if (!a.ok() && !b.ok()) {
        EXPECT_EQ(a.error().text, b.error().text);
    }
    return a;
}

std::string nested(int depth) {
    std::string text;
    for (int i = 0; i < depth; ++i) {
        const std::string b = std::to_string(i);
        text += "Content-Type: multipart/mixed; boundary=b" + b + "\n\n--b" + b + "\n";
    }
    return wire(text + "Content-Type: text/plain\n\nx\n");
}

std::string flat(int parts) {
    std::string text = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
    for (int i = 0; i < parts; ++i) text += "--b\r\n\r\nx\r\n";
    return text + "--b--\r\n";
}

TEST(Bounds, Shape) {
    const auto plain = measured("Subject: x\r\n\r\nbody\r\n");
    ASSERT_TRUE(plain.ok());
    EXPECT_EQ(plain->bytes, 20);
    EXPECT_EQ(plain->headerBytes, 12);
    EXPECT_EQ(plain->headers, 1);
    EXPECT_EQ(plain->parts, 1);
    EXPECT_EQ(plain->depth, 1);
    EXPECT_FALSE(plain->unterminated);

    const auto two = measured(flat(2));
    ASSERT_TRUE(two.ok());
    EXPECT_EQ(two->parts, 3);
    EXPECT_EQ(two->depth, 2);
    EXPECT_FALSE(two->unterminated);

    const auto open = measured("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n");
    ASSERT_TRUE(open.ok());
    EXPECT_TRUE(open->unterminated);
    EXPECT_TRUE(measured("").ok());
}

// Each bound at its limit and one over it; the answer names it with both numbers.
TEST(Bounds, EachIsExactAndNamed) {
    Bounds small;
    small.headerBlock = 600;
    small.header = 200;
    small.headers = 5;
    small.groupDepth = 2;
    small.depth = 4;
    small.parts = 10;
    small.boundary = 20;
    small.parameterPieces = 3;
    const auto header = [](std::size_t bytes) { return "X: " + std::string(bytes - 5, 'x') + "\r\n"; };
    const auto repeat = [](const std::string& text, int times) {
        std::string out;
        for (int i = 0; i < times; ++i) out += text;
        return out;
    };
    struct Case {
        const char* what;
        std::string fits, over;
        const char* found;
        const char* limit;
    };
    const Case cases[] = {
        {"bytes of one header", header(200), header(201), "201", "200"},
        {"bytes of headers", repeat(header(200), 3), repeat(header(200), 3) + "X: y\r\n", "606", "600"},
        {"headers", repeat("X: y\r\n", 5), repeat("X: y\r\n", 6), "6", "5"},
        {"groups", "To: a:b:c@d\r\n", "To: a:b:c:c@d\r\n", "3", "2"},
        {"parts inside", nested(3), nested(4), "5", "4"},
        {"parts", flat(9), flat(10), "11", "10"},
        {"boundary", "Content-Type: multipart/mixed; boundary=" + std::string(20, 'b') + "\r\n\r\n",
         "Content-Type: multipart/mixed; boundary=" + std::string(21, 'b') + "\r\n\r\n", "21", "20"},
        {"pieces", "Content-Type: a/b; n*0=x; n*1=x; n*2=x\r\n",
         "Content-Type: a/b; n*0=x; n*1=x; n*2=x; n*3=x\r\n", "4", "3"},
    };
    for (const Case& c : cases) {
        const auto fits = measured(c.fits, small);
        EXPECT_TRUE(fits.ok()) << c.what << ": " << (fits.ok() ? "" : fits.error().text);
        const auto over = measured(c.over, small);
        ASSERT_FALSE(over.ok()) << c.what;
        EXPECT_EQ(over.error().code, Errc::Invalid);
        for (const char* part : {c.what, c.found, c.limit})
            EXPECT_NE(over.error().text.find(part), std::string::npos)
                << over.error().text << " lacks " << part;
    }
}

TEST(Bounds, DefaultsAreThoseOfTheDesign) {
    EXPECT_TRUE(measured(nested(47)).ok());
    EXPECT_FALSE(measured(nested(48)).ok());
    EXPECT_TRUE(measured(flat(999)).ok());
    EXPECT_FALSE(measured(flat(1000)).ok());
    EXPECT_FALSE(measured("X: " + std::string(200 * 1024, 'x') + "\r\n\r\n").ok());
}

TEST(Bounds, ErrorsOfTheSourceArePassedOn) {
    class Broken final : public ByteSource {
      public:
        std::int64_t size() const override { return 1000; }
        Result<std::size_t> readAt(std::int64_t, char*, std::size_t) override {
            return fail(Errc::Io, "disk");
        }
    } broken;
    EXPECT_EQ(measure(broken).error().code, Errc::Io);
    EXPECT_EQ(readMessage(broken).error().code, Errc::Io);
}

}  // namespace
}  // namespace postern::mail
