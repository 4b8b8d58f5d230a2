#include "adapters/ccmail/ccmail_und.h"

#include <random>

#include <gmock/gmock.h>

namespace postern::adapters {

using ccmail::givenBack;
using ccmail::Options;
using ccmail::readUndeliverable;
using testing::ElementsAre;
using testing::IsEmpty;

namespace {

Options atPo1() {
    Options options;
    options.postOffice = "PO1";
    return options;
}

const std::vector<Recipient> kThree = {
    {1, "ann@x.example", "Ann"}, {2, "bob@x.example", "Doe, Bob at PO2"}, {3, "bo@x.example", "Bo"}};

std::vector<int> refusedBy(const std::string& bytes, const Options& options = atPo1(),
                           const std::vector<Recipient>& recipients = kThree) {
    std::vector<int> ordinals;
    for (const RecipientVerdict& verdict :
         givenBack(readUndeliverable(bytes, options.profile.charset), recipients, options)) {
        EXPECT_EQ(verdict.verdict, Verdict::Rejected);
        EXPECT_FALSE(verdict.reason.empty());
        ordinals.push_back(verdict.ordinal);
    }
    return ordinals;
}

}  // namespace

TEST(CcmailUnd, Q180641_Q193864_ReasonsStandBetweenAsterisks) {
    const auto given = readUndeliverable(
        "*** Unknown Date Format ***\r\n* Disk error in creating message item *\n"
        "***Unknown Date Format***\r\nno * reason *\r\n***\r\n* *\r\n",
        "cp850");
    EXPECT_THAT(given.reasons, ElementsAre("Unknown Date Format", "Disk error in creating message item"));
    EXPECT_EQ(ccmail::reasonOf(given),
              "the post office gave it back: Unknown Date Format; Disk error in creating message item");
    EXPECT_EQ(ccmail::reasonOf({}), "the post office gave it back without a reason");
}

TEST(CcmailUnd, Q228743_TheRoutersWordsAreAReasonAndUnknownWordsAreQuoted) {
    EXPECT_EQ(ccmail::reasonOf(readUndeliverable("Not deliverable to Bo at PO1\r\nMessage:\r\n", "cp850")),
              "the post office gave it back: Not deliverable to Bo at PO1");
    EXPECT_THAT(refusedBy("Not deliverable to Bo at PO1\r\nTo: Ann at PO1\r\n"), ElementsAre(3));
    EXPECT_EQ(ccmail::reasonOf(readUndeliverable(
                  "\r\nImport: the mailbox is full\r\n****\r\nMessage:\r\n9\r\nTo: Ann at PO1\r\n", "cp850")),
              "the post office gave it back: Import: the mailbox is full");
}

// A mail's own words are no reason, and name nobody: its sender wrote them.
TEST(CcmailUnd, WhatTheReturnedMailSaysIsNoReason) {
    const std::string text =
        "Text item:\r\n120         \r\n*** Dear Bo ***\r\nNot deliverable to Bo at PO1\r\n"
        "Message:\r\nTo: Bo at PO1\r\n*** User not found: Bo at PO1 ***\r\nContents:\r\n";
    const std::string header = "Message:\r\n300\r\nTo: Ann at PO1\r\nSubject: x\r\nContents:\r\n";
    const std::string whole = header + std::to_string(text.size()) + "         \r\n" + text;
    EXPECT_THAT(refusedBy("***error***\r\n" + whole), ElementsAre(1));
    EXPECT_THAT(refusedBy(whole + "***error***\r\n"), ElementsAre(1));
    EXPECT_THAT(readUndeliverable(whole + "***error***\r\n", "cp850").reasons, ElementsAre("error"));
    EXPECT_THAT(readUndeliverable(whole, "cp850").reasons, IsEmpty());
    const std::string large = header + "900000\r\n" + std::string(600'000, 'x') + "\r\n" + text;
    EXPECT_THAT(refusedBy(large), ElementsAre(1)) << "what is cut off is skipped to its end";
}

TEST(CcmailUnd, NamesAreThoseOfTheHeader) {
    const auto given = readUndeliverable(
        "Message:\r\n10\r\nFrom: x at Y\r\nTO:  Ann at  PO1 \r\ncc: Bo at PO1\r\nContents:\r\n5\r\nText "
        "item:\r\n"
        "To: somebody in a text\r\nMessage:\r\n10\r\nBcc: Last at PO1\r\n",
        "cp850");
    EXPECT_THAT(given.names, ElementsAre("ann at po1", "bo at po1", "last at po1"));
}

TEST(CcmailUnd, WhomAReasonNamesIsGivenBack) {
    EXPECT_THAT(refusedBy("***User not found: doe, bob at po2***\r\nTo: Ann at PO1\r\nTo: Bo at PO1\r\n"),
                ElementsAre(2));
    EXPECT_THAT(refusedBy("***Unknown user Bo***"), ElementsAre(3)) << "Bob is another";
    EXPECT_THAT(refusedBy("***Unknown user Ann at PO9***\r\nTo: Bo at PO1"), ElementsAre(3))
        << "Ann of another post office is another";
}

TEST(CcmailUnd, ElseWhomItsHeaderNames) {
    EXPECT_THAT(refusedBy("***error***\r\nTo: Ann at PO1\r\nTo: Doe, Bob at PO2\r\n"), ElementsAre(1, 2));
    EXPECT_THAT(refusedBy("To: ann\r\n"), ElementsAre(1)) << "its post office left out";
    EXPECT_THAT(refusedBy("To: Doe, Bob at PO1\r\nTo: Bo at PO1\r\n"), ElementsAre(3))
        << "Bob of another post office is another";
    Options resolving = atPo1();
    resolving.resolveNames = true;
    EXPECT_THAT(refusedBy("To: Ann at PO7\r\n", resolving), ElementsAre(1));
}

TEST(CcmailUnd, ElseEverybody) {
    EXPECT_THAT(refusedBy(""), ElementsAre(1, 2, 3));
    EXPECT_THAT(refusedBy("***Header Buffer Full***"), ElementsAre(1, 2, 3));
    EXPECT_THAT(refusedBy("To: somebody else at PO1\r\n"), ElementsAre(1, 2, 3));
}

TEST(CcmailUnd, NamesAreReadInThePostOfficesCodePage) {
    const std::vector<Recipient> one = {{1, "j@x.example", "Jörg"}, {2, "a@x.example", "Ann"}};
    EXPECT_THAT(refusedBy("To: J\x94rg at PO1\r\n", atPo1(), one), ElementsAre(1));
}

TEST(CcmailUnd, StatusSaysWhetherItIsTheName) {
    const auto status = [](const std::string& text) {
        return givenBack(readUndeliverable(text, "cp850"), kThree, atPo1()).front().status;
    };
    EXPECT_EQ(status("***User not found: Ann at PO1***"), "5.1.1");
    EXPECT_EQ(status("***Unknown Date Format***"), "5.0.0");
}

// Whatever the bytes are: it ends, and everybody is told.
TEST(CcmailUnd, AnyBytesAreRead) {
    const std::string_view letters("*To: \r\n\0\xff\x94:abcContents", 23);
    std::minstd_rand random(7);
    for (int round = 0; round < 200; ++round) {
        std::string bytes(random() % 2000, '\0');
        for (char& c : bytes) c = letters[random() % letters.size()];
        EXPECT_FALSE(refusedBy(bytes).empty());
        for (const std::string& reason : readUndeliverable(bytes, "cp850").reasons)
            EXPECT_EQ(reason.find_first_of("\r\n\t\x1b"), std::string::npos);
    }
    std::string long_;
    while (long_.size() < (4 << 20)) long_ += "To: n" + std::to_string(long_.size()) + "\r***x***\n";
    EXPECT_LE(readUndeliverable(long_, "cp850").names.size(), 10'000u);
    EXPECT_THAT(refusedBy(std::string(4 << 20, '*')), ElementsAre(1, 2, 3));
}

}  // namespace postern::adapters
