#include "connector/cli/output.h"

#include <sstream>

#include <gtest/gtest.h>

#include "connector/cli/width.h"
#include "tests/fake_clock.h"

namespace postern::cli {
namespace {

using admin::Record;
using admin::Value;

std::string printed(Form form, int width, const std::vector<Record>& records, bool colour = false,
                    bool fit = false) {
    std::istringstream in;
    std::ostringstream out, err;
    tests::FakeClock clock;
    Console console{in, out, err, clock};
    console.width = width;
    console.colour = colour;
    {
        Output output(console, form);
        output.whenEmpty("Nothing.");
        if (fit) output.fitScreen();
        for (const Record& record : records) EXPECT_TRUE(output.row(record).ok());
    }
    return out.str();
}

Record sample(std::int64_t id, const std::string& text) {
    tests::FakeClock clock;
    return Record()
        .add("id", id)
        .add("state", id == 1 ? "failed" : "ready")
        .add("received", clock.now() - Millis(180'000))
        .add("due", id == 1 ? std::optional<WallTime>() : clock.now() + Millis(7'200'000))
        .add("size", Value::size(1536))
        .add("text", text);
}

TEST(Output, ATableIsAlignedAndHumane) {
    EXPECT_EQ(printed(Form::Table, 80, {sample(1, "short"), sample(12, "a bit longer")}),
              "ID  STATE   RECEIVED  DUE       SIZE  TEXT\n"
              " 1  failed  3m ago    -      1.5 KiB  short\n"
              "12  ready   3m ago    in 2h  1.5 KiB  a bit longer\n");
}

TEST(Output, AnOverviewIsCutWhereItIsWidestADetailNever) {
    const std::vector<Record> long_row = {sample(1, std::string(100, 'x'))};
    EXPECT_EQ(printed(Form::Table, 50, long_row, false, true),
              "ID  STATE   RECEIVED  DUE     SIZE  TEXT\n"
              " 1  failed  3m ago    -    1.5 KiB  xxxxxxxxxxxxx\u2026\n");
    EXPECT_NE(printed(Form::Table, 50, long_row).find(std::string(100, 'x')), std::string::npos);
}

TEST(Output, AReasonStandsBelowItsRowWhereTheLineIsTooLong) {
    const auto table = [](int width, const std::string& address, const std::string& reason) {
        std::istringstream in;
        std::ostringstream out, err;
        tests::FakeClock clock;
        Console console{in, out, err, clock};
        console.width = width;
        {
            Output output(console, Form::Table);
            output.fitScreen();
            output.below("reason");
            for (const char* id : {"1", "2"})
                EXPECT_TRUE(
                    output
                        .row(
                            Record().add("id", id).add("to", address).add("reason", *id == '1' ? reason : ""))
                        .ok());
        }
        return out.str();
    };
    EXPECT_EQ(table(40, "bob@old.example", "disk full"),
              "ID  TO               REASON\n"
              "1   bob@old.example  disk full\n"
              "2   bob@old.example\n");
    EXPECT_EQ(table(40, "bob@old.example", "old.example[192.0.2.1]:25: 452 4.2.2 the mailbox is full"),
              "ID  TO\n"
              "1   bob@old.example\n"
              "    old.example[192.0.2.1]:25: 452 4.2.2\n"
              "    the mailbox is full\n"
              "2   bob@old.example\n");
    EXPECT_EQ(table(24, std::string(40, 'x'), std::string(50, 'y')),
              "ID  TO\n"
              "1   " +
                  std::string(19, 'x') + "\u2026\n    " + std::string(20, 'y') + "\n    " +
                  std::string(20, 'y') + "\n    " + std::string(10, 'y') +
                  "\n"
                  "2   " +
                  std::string(19, 'x') + "\u2026\n");
}

TEST(Output, TabsHaveOneLineARowWithExactValues) {
    EXPECT_EQ(printed(Form::Tabs, 80, {sample(1, "a\tb\nc")}),
              "1\tfailed\t2023-11-14T22:10:20Z\t\t1536\ta\\x09b\\x0ac\n");
}

TEST(Output, JsonHasOneObjectALine) {
    EXPECT_EQ(
        printed(Form::Json, 80, {sample(1, "a\t\"b\"\n\xff")}),
        "{\"id\":1,\"state\":\"failed\",\"received\":\"2023-11-14T22:10:20Z\",\"due\":null,\"size\":1536,"
        "\"text\":\"a\\\\x09\\\"b\\\"\\\\x0a\\\\xff\"}\n");
}

// KB Q264341: double-byte subjects were unreadable, and a subject must not command the terminal.
TEST(Output, Q264341_SubjectsAreShownInTheirLettersAndNeverObeyed) {
    const Record japanese = Record().add("subject", "\u4f1a\u8b70\u306e\u4ef6").add("next", "x");
    const Record hostile = Record().add("subject", "\x1b[2J\x07\u009b").add("next", "x");
    EXPECT_EQ(printed(Form::Table, 80, {japanese, hostile}),
              "SUBJECT              NEXT\n"
              "\u4f1a\u8b70\u306e\u4ef6             x\n"
              "\\x1b[2J\\x07\\xc2\\x9b  x\n");
    for (const Form form : {Form::Table, Form::Tabs, Form::Json})
        EXPECT_EQ(printed(form, 80, {hostile}).find('\x1b'), std::string::npos);
}

TEST(Output, AnotherShapeBeginsAnotherTable) {
    EXPECT_EQ(printed(Form::Table, 80, {Record().add("a", "1"), Record().add("b", "2")}), "A\n1\nB\n2\n");
    EXPECT_EQ(printed(Form::Table, 80, {}), "Nothing.\n");
    EXPECT_EQ(printed(Form::Tabs, 80, {}), "");
}

TEST(Output, ColoursOnlyWhenAsked) {
    EXPECT_EQ(printed(Form::Table, 80, {sample(1, "x")}).find('\x1b'), std::string::npos);
    const std::string text = printed(Form::Table, 80, {sample(1, "x")}, true);
    EXPECT_NE(text.find("\x1b[31mfailed\x1b[0m"), std::string::npos) << text;
}

TEST(Output, AClosedOutputStopsTheList) {
    std::istringstream in;
    std::ostringstream out, err;
    tests::FakeClock clock;
    Console console{in, out, err, clock};
    out.setstate(std::ios::badbit);
    Output output(console, Form::Tabs);
    EXPECT_FALSE(output.row(sample(1, "x")).ok());
}

TEST(Width, WideLettersTakeTwoColumnsAndMarksNone) {
    EXPECT_EQ(displayWidth("abc"), 3);
    EXPECT_EQ(displayWidth("\u00e5\u00df"), 2);
    EXPECT_EQ(displayWidth("a\u0301"), 1);
    EXPECT_EQ(displayWidth("\u6f22\u5b57"), 4);
    EXPECT_EQ(displayWidth("\U0001F600"), 2);
    EXPECT_EQ(displayWidth("\uac00\u3042"), 4);
    EXPECT_EQ(displayWidth("\u0436\u03b1\u05d0"), 3);
    EXPECT_EQ(displayWidth(""), 0);
}

TEST(Width, WhatDoesNotFitIsCutOnAWholeLetter) {
    EXPECT_EQ(fitWidth("abcdef", 6), "abcdef");
    EXPECT_EQ(fitWidth("abcdef", 4), "abc\u2026");
    EXPECT_EQ(fitWidth("\u6f22\u5b57\u6f22", 4), "\u6f22\u2026");
    EXPECT_EQ(fitWidth("abc", 1), "\u2026");
}

TEST(Age, IsSaidInOneUnit) {
    const WallTime now = fromMillis(1'700'000'000'000);
    const auto ago = [&](std::int64_t seconds) { return ageText(now - Millis(seconds * 1000), now); };
    EXPECT_EQ(ago(0), "now");
    EXPECT_EQ(ago(59), "59s ago");
    EXPECT_EQ(ago(3599), "59m ago");
    EXPECT_EQ(ago(86'400), "24h ago");
    EXPECT_EQ(ago(200'000), "2d ago");
    EXPECT_EQ(ago(-90), "in 1m");
}

}  // namespace
}  // namespace postern::cli
