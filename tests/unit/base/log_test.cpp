#include "base/log.h"

#include <algorithm>
#include <regex>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/text.h"

namespace postern {
namespace {

class LogTest : public testing::Test {
  protected:
    void SetUp() override {
        setLogLevel(Severity::Debug);
        setLogSink([this](Severity severity, std::string_view line) {
            severities.push_back(severity);
            lines.emplace_back(line);
        });
    }
    void TearDown() override {
        setLogSink({});
        setLogLevel(Severity::Info);
    }
    std::string only() const {
        return lines.size() == 1 ? lines[0] : "lines: " + std::to_string(lines.size());
    }

    std::vector<std::string> lines;
    std::vector<Severity> severities;
};

TEST_F(LogTest, TheItemComesFirst) {
    LogLine(LogEvent::ItemExported, ItemId{42}).with("adapter", "museum").with("size", 4096);
    EXPECT_EQ(only(), "42 item.exported adapter=museum size=4096");
    EXPECT_EQ(severities.at(0), Severity::Info);
}

TEST_F(LogTest, WithoutAnItemStandsADash) {
    LogLine(LogEvent::ServiceReady).with("pid", -7);
    EXPECT_EQ(only(), "- service.ready pid=-7");
}

TEST_F(LogTest, ValuesThatAreNotOnePlainWordAreQuoted) {
    const struct {
        std::string value, wanted;
    } cases[] = {
        {"plain/word@example.org", "k=plain/word@example.org"},
        {"", "k=\"\""},
        {"two words", "k=\"two words\""},
        {"a=b", "k=\"a=b\""},
        {"say \"hi\"", "k=\"say \\\"hi\\\"\""},
        {"back\\slash", "k=\"back\\\\slash\""},
        {"ends in \\", "k=\"ends in \\\\\""},
        {"\xc3\xa9t\xc3\xa9", "k=\xc3\xa9t\xc3\xa9"},
    };
    for (const auto& c : cases) {
        lines.clear();
        LogLine(LogEvent::ServiceReady).with("k", c.value);
        EXPECT_EQ(only(), "- service.ready " + c.wanted);
    }
}

// KB Q282275: a name with a certain substring crashed the tracking code. A value is data: whatever it holds,
// one record stays one line, and a reader that undoes the quoting gets one value back.
TEST_F(LogTest, Q282275_AHostileNameStaysOneValueOnOneLine) {
    const std::string names[] = {
        "DDA:SMTP=a(a)b;",      "DDA:TYPE=\"x\"",       "a\r\n1 item.exported adapter=forged",
        "x\" event=\"forged",   "x\\\" event=\"forged", std::string("nul\0inside", 10),
        "\x1b]0;title\x07",     "\xc2\x85next line",    "\xff\xfe broken",
        std::string(5000, '"'),
    };
    const std::regex oneValue("- recipient\\.refused address=(\"([^\"\\\\]|\\\\.)*\"|[^ \"=]+)");
    for (const std::string& name : names) {
        lines.clear();
        LogLine(LogEvent::RecipientRefused).with("address", name);
        const std::string line = only();
        EXPECT_TRUE(std::regex_match(line, oneValue)) << line;
        EXPECT_TRUE(validUtf8(line)) << line;
        for (const char c : line) EXPECT_TRUE(static_cast<unsigned char>(c) >= ' ' && c != '\x7f') << line;
    }
}

// KB Q152894: a log entry of about 32 KB crashed the store.
TEST_F(LogTest, Q152894_AValueOf64KilobytesIsCutWithAMark) {
    LogLine(LogEvent::MessageRefused).with("header", std::string(65536, 'x')).with("after", "still here");
    EXPECT_LT(only().size(), 2000u);
    EXPECT_NE(only().find("xxx..."), std::string::npos);
    EXPECT_NE(only().find("after=\"still here\""), std::string::npos) << "one long value hides no other";
}

TEST_F(LogTest, ManyLongValuesDoNotMakeAnEndlessLine) {
    {
        LogLine line(LogEvent::MessageRefused);
        for (int i = 0; i < 1000; ++i) line.with("key", std::string(10'000, 'y'));
    }
    EXPECT_LT(only().size(), 8192u);
}

TEST_F(LogTest, Q195894_ACutValueIsStillValidUtf8) {
    for (std::size_t shift = 0; shift < 4; ++shift) {
        std::string text(shift, 'a');
        while (text.size() < 3000) text += "\xf0\x9f\x98\x80";
        lines.clear();
        LogLine(LogEvent::MessageRefused).with("subject", text);
        EXPECT_TRUE(validUtf8(only())) << shift;
    }
}

// KB Q177543: what stands below the level must not be written, not even partly.
TEST_F(LogTest, Q177543_NothingBelowTheLevelIsWritten) {
    const Severity all[] = {Severity::Error, Severity::Warning, Severity::Notice, Severity::Info,
                            Severity::Debug};
    for (const Severity level : all) {
        lines.clear();
        severities.clear();
        setLogLevel(level);
        EXPECT_EQ(logLevel(), level);
        int wanted = 0;
        for (int i = 0; i < logEventCount(); ++i) {
            wanted += logEventInfo(static_cast<LogEvent>(i)).severity <= level ? 1 : 0;
            LogLine(static_cast<LogEvent>(i)).with("marker", "value");
        }
        EXPECT_EQ(static_cast<int>(lines.size()), wanted);
        EXPECT_TRUE(
            std::all_of(severities.begin(), severities.end(), [&](Severity s) { return s <= level; }));
    }
}

TEST_F(LogTest, EveryEventHasItsOwnIdAndAnAdvice) {
    std::set<std::string_view> ids;
    const std::regex form("[a-z_]+(\\.[a-z_]+)+");
    for (int i = 0; i < logEventCount(); ++i) {
        const LogEventInfo& info = logEventInfo(static_cast<LogEvent>(i));
        EXPECT_TRUE(ids.insert(info.id).second) << info.id;
        EXPECT_TRUE(std::regex_match(std::string(info.id), form)) << info.id;
        EXPECT_FALSE(info.advice.empty()) << info.id;
        EXPECT_EQ(info.advice.back(), '.') << info.id;
    }
}

TEST_F(LogTest, LinesOfManyThreadsAreWhole) {
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 8; ++t)
            threads.emplace_back([] {
                for (int i = 0; i < 100; ++i)
                    LogLine(LogEvent::ItemExported, ItemId{7}).with("target", "a b");
            });
    }
    EXPECT_EQ(lines.size(), 800u);
    EXPECT_TRUE(std::all_of(lines.begin(), lines.end(),
                            [](const std::string& l) { return l == "7 item.exported target=\"a b\""; }));
}

TEST_F(LogTest, WithoutASinkLinesGoToStandardError) {
    setLogSink({});
    testing::internal::CaptureStderr();
    LogLine(LogEvent::ServiceReady).with("port", 25);
    const std::string written = testing::internal::GetCapturedStderr();
    const std::regex form(
        "(<5>|\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ notice )- service\\.ready port=25\n");
    EXPECT_TRUE(std::regex_match(written, form)) << written;
}

}  // namespace
}  // namespace postern
