// Which texts of a mail are shown, and that none is left out without a word.
#include <gtest/gtest.h>

#include "mail/mime.h"
#include "mail/transfer_encoder.h"
#include "tests/tnef_writer.h"
#include "tests/unit/mail/samples.h"

namespace postern::mail {
namespace {

using tests::hasNote;
using tests::parts;
using tests::Read;

std::string chosenOf(const std::string& plain, const std::string& fields = "") {
    return Read(parts("multipart/alternative",
                      {"Content-Type: text/plain; charset=utf-8\n" + fields + "\n" + plain,
                       "Content-Type: text/html\n\n<p>the offer"}))
        .message.text;
}

std::string repeated(const std::string& piece, std::size_t bytes) {
    std::string out;
    while (out.size() < bytes) out += piece;
    return out;
}

TEST(Alternative, APlainTextThatShowsNothingGivesWayToHtml) {
    for (const std::size_t size : {1U, 255U, 257U, 4000U, 30'000U}) {
        for (const char* blank :
             {" ", "\n", " \t \n", "\xc2\xa0", "\xe2\x80\x8b\xe2\x80\x8c\n", "\xe2\xa0\x80"}) {
            EXPECT_EQ("the offer\n", chosenOf(repeated(blank, size))) << size << " of '" << blank << "'";
            const std::string text = chosenOf(repeated(blank, size) + "said");
            EXPECT_NE(std::string::npos, text.find("said")) << size << " of '" << blank << "'";
            EXPECT_EQ(std::string::npos, text.find("offer")) << size << " of '" << blank << "'";
        }
    }
}

TEST(Alternative, ItIsJudgedDecoded) {
    EXPECT_EQ("the offer\n",
              chosenOf(repeated("=20=C2=A0=\n", 1000), "Content-Transfer-Encoding: quoted-printable\n"));
    EXPECT_EQ("the offer\n", chosenOf(repeated("ICAgIMKg\n", 1000), "Content-Transfer-Encoding: base64\n"));
    EXPECT_EQ("said\n", chosenOf("c2FpZA==", "Content-Transfer-Encoding: base64\n"));
}

// More blanks than are judged: it counts as text.
TEST(Alternative, HowMuchIsJudgedIsBounded) {
    EXPECT_EQ(std::string::npos, chosenOf(repeated(" \n", 1'000'000)).find("offer"));
    EXPECT_NE(std::string::npos, chosenOf(repeated(" \n", 200'000) + "said").find("said"));
}

TEST(HtmlNotes, HiddenTextAndLinksThatAreLeftOut) {
    const Read hidden(
        parts("multipart/mixed", {"Content-Type: text/html\n\n<p style='display:none'>said</p>"}));
    EXPECT_EQ("said\n", hidden.message.text);
    EXPECT_TRUE(hasNote(hidden.message, "all text of the HTML is hidden"));
    std::string links;
    for (int i = 0; i < 1003; ++i) links += "<a href=http://x/" + std::to_string(i) + ">t</a>\n";
    const Read many(parts("multipart/mixed", {"Content-Type: text/html\n\n" + links}));
    EXPECT_TRUE(hasNote(many.message, "3 addresses of links in the HTML are left out"));
}

std::string tnefWith(const std::string& text) {
    postern::tests::PropertyWriter body;
    body.text(0x1000, text);
    TransferEncoder encoder(TransferEncoding::Base64, 76);
    std::string encoded;
    encoder.encode(postern::tests::TnefWriter().messageProperties(body).bytes(), encoded);
    encoder.finish(encoded);
    return "Content-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\n" +
           encoded;
}

// Of one mail: a text and winmail.dat.
Read beside(const std::string& own, const std::string& inTnef) {
    return Read(
        parts("multipart/mixed", {"Content-Type: text/plain; charset=utf-8\n\n" + own, tnefWith(inTnef)}));
}

constexpr const char* kDiffers = "the text inside of winmail.dat";

TEST(TnefText, TheSameTextIsShownOnce) {
    const Read same = beside("Dear Bob,\nthe offer * stands.", "Dear Bob,\r\n\r\nthe offer stands.\r\n");
    EXPECT_EQ("Dear Bob,\nthe offer * stands.\n", same.message.text);
    EXPECT_FALSE(hasNote(same.message, kDiffers));
    // What a mailing list put behind it does not make it another one.
    EXPECT_EQ("Dear Bob\n--\nlist footer\n", beside("Dear Bob\n--\nlist footer", "Dear Bob").message.text);
}

TEST(TnefText, AnotherTextIsShownToo) {
    const Read other = beside("This mail was scanned.", "Pay 12 EUR.");
    EXPECT_EQ("This mail was scanned.\n\n----- Text of winmail.dat -----\n\nPay 12 EUR.\n",
              other.message.text);
    EXPECT_TRUE(hasNote(other.message, kDiffers));
    const Read longer = beside("Pay 12 EUR", "Pay 12 EUR to account 5.");
    EXPECT_NE(std::string::npos, longer.message.text.find("account 5")) << longer.message.text;
    EXPECT_TRUE(hasNote(beside("text", "!!!").message, kDiffers));
}

TEST(TnefText, WhereTheMailSaysNothingItIsTheText) {
    for (const char* own : {"", " \n \n", "\xc2\xa0"}) {
        const Read alone = beside(own, "Pay 12 EUR.");
        EXPECT_NE(std::string::npos, alone.message.text.find("Pay 12 EUR.\n"));
        EXPECT_EQ(std::string::npos, alone.message.text.find("-----")) << alone.message.text;
        EXPECT_FALSE(hasNote(alone.message, kDiffers));
    }
}

// A forwarded message has its own text, whatever the one around it says.
TEST(TnefText, IsComparedWithItsOwnMessage) {
    const std::string inner =
        "Content-Type: message/rfc822\n\nFrom: c@d\nMIME-Version: 1.0\n"
        "Content-Type: multipart/mixed; boundary=CC\n\n--CC\n" +
        tnefWith("Pay 12 EUR.") + "\n--CC--\n";
    const Read forwarded(parts("multipart/mixed", {"Content-Type: text/plain\n\nSee below.", inner}));
    EXPECT_NE(std::string::npos, forwarded.message.text.find("Pay 12 EUR.")) << forwarded.message.text;
    const Read same(parts("multipart/mixed", {"Content-Type: text/plain\n\nPay 12 EUR.", inner}));
    EXPECT_NE(same.message.text.find("Pay 12 EUR."), same.message.text.rfind("Pay 12 EUR."))
        << same.message.text;
}

TEST(TnefText, BeyondTheLimitItIsAttached) {
    ReadOptions options;
    options.textLimit = 1000;
    const Read cut(
        parts("multipart/mixed", {"Content-Type: text/plain\n\nown", tnefWith(std::string(2000, 'x'))}),
        options);
    ASSERT_EQ(1U, cut.message.attachments.size());
    EXPECT_EQ("message.txt", cut.message.attachments[0].name);
    EXPECT_TRUE(hasNote(cut.message, "is attached"));
}

TEST(Notes, ThoseBeyondTheMostAreCounted) {
    std::string text;
    for (int i = 0; i < 107; ++i)
        text +=
            "--BB\nContent-Type: text/plain\nContent-Transfer-Encoding: odd" + std::to_string(i) + "\n\nx\n";
    const Read many(
        tests::wire("MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=BB\n\n" + text + "--BB--\n"));
    ASSERT_EQ(101U, many.message.notes.size());
    // Two of them are about the header: there is no From and no Date.
    EXPECT_EQ("and 9 more notes like these", many.message.notes.back());
}

}  // namespace
}  // namespace postern::mail
