#include "adapters/command/exit_status.h"

#include <gtest/gtest.h>

namespace postern::adapters {

namespace {

ProcessEnd exitedWith(int code, const std::string& output = "") {
    ProcessEnd end;
    end.how = ProcessEnd::How::Exited;
    end.code = code;
    end.output = output;
    return end;
}

std::string shown(const Outcome& outcome) {
    static constexpr const char* kNames[] = {"exported", "deferred", "rejected", "unknown"};
    return std::string(kNames[static_cast<int>(outcome.verdict)]) +
           (outcome.adapterUnusable ? " unusable" : "") +
           (outcome.status.empty() ? "" : " " + outcome.status);
}

}  // namespace

TEST(ExitStatus, EveryCodeOfBothDialects) {
    struct Case {
        int code;
        const char* sysexits;
        const char* qmail;
    };
    const Case cases[] = {
        {0, "exported", "exported"},        {1, "deferred", "deferred"},
        {2, "deferred", "deferred"},        {63, "deferred", "deferred"},
        {64, "rejected 5.3.0", "rejected"}, {65, "rejected 5.6.0", "rejected"},
        {66, "rejected 5.3.0", "deferred"}, {67, "rejected 5.1.1", "deferred"},
        {68, "rejected 5.1.2", "deferred"}, {69, "rejected 5.3.0", "deferred"},
        {70, "rejected 5.3.0", "rejected"}, {71, "deferred 4.3.0", "deferred"},
        {72, "rejected 5.3.0", "deferred"}, {73, "rejected 5.2.0", "deferred"},
        {74, "rejected 5.3.0", "deferred"}, {75, "deferred 4.3.0", "deferred"},
        {76, "rejected 5.5.6", "rejected"}, {77, "rejected 5.7.0", "rejected"},
        {78, "rejected 5.3.5", "rejected"}, {79, "deferred", "deferred"},
        {99, "deferred", "exported"},       {100, "deferred", "rejected"},
        {111, "deferred", "deferred"},      {112, "deferred", "rejected"},
        {126, "deferred", "deferred"},      {127, "deferred", "deferred"},
        {255, "deferred", "deferred"},
    };
    for (const Case& each : cases) {
        const ProcessEnd end = exitedWith(each.code);
        EXPECT_EQ(shown(judgeEnd(end, ExitDialect::Sysexits, "x")), each.sysexits) << each.code;
        EXPECT_EQ(shown(judgeEnd(end, ExitDialect::Qmail, "x")), each.qmail) << each.code;
    }
}

TEST(ExitStatus, TheReasonHasTheCommandItsEndAndAllThatItSaid) {
    const Outcome outcome = judgeEnd(exitedWith(75, "gate: busy\n\n  line 3 of 4 \x1b[1m\r\n"),
                                     ExitDialect::Sysexits, "/usr/bin/gate");
    EXPECT_TRUE(outcome.reason.starts_with("/usr/bin/gate ")) << outcome.reason;
    EXPECT_TRUE(outcome.reason.ends_with("75 (temporary failure): gate: busy / line 3 of 4 \\x1b[1m"))
        << outcome.reason;
    ProcessEnd much = exitedWith(1, std::string(4096, 'x'));
    much.outputCut = true;
    const std::string reason = judgeEnd(much, ExitDialect::Qmail, "x").reason;
    EXPECT_LE(reason.size(), 2100u);
    EXPECT_TRUE(reason.ends_with("x... (and more)")) << reason.substr(reason.size() - 40);
}

TEST(ExitStatus, AProgramThatOnlyQueuesJudgesNoMail) {
    for (const int code : {66, 67, 68, 69, 71, 72, 73, 74, 75, 76, 77, 78})
        EXPECT_EQ(shown(judgeEnd(exitedWith(code, "5.1.1 x"), ExitDialect::Queuer, "uux")),
                  "deferred unusable")
            << code;
    for (const int code : {1, 2, 64, 65, 70, 99, 100, 126, 127, 255})
        EXPECT_EQ(shown(judgeEnd(exitedWith(code, "5.1.1 x"), ExitDialect::Queuer, "uux")), "deferred")
            << code;
    EXPECT_EQ(shown(judgeEnd(exitedWith(0), ExitDialect::Queuer, "uux")), "exported");
}

TEST(ExitStatus, WhatTheCommandSaysCountsMoreThanItsCode) {
    struct Case {
        int code;
        const char* output;
        const char* wanted;
    };
    const Case cases[] = {
        {1, "5.1.1 no such user\n", "rejected 5.1.1"}, {67, "4.2.1 not now\n", "deferred 4.2.1"},
        {127, "5.7.1 refused\n", "rejected 5.7.1"},    {1, "\n  5.2.2 over quota\n", "rejected 5.2.2"},
        {75, "2.0.0 ok\n", "deferred 4.3.0"},          {75, "5.1 no status\n", "deferred 4.3.0"},
        {75, "5.1.1x no status\n", "deferred 4.3.0"},  {75, "5.1.1111 no status\n", "deferred 4.3.0"},
        {75, "error 5.1.1\n", "deferred 4.3.0"},       {0, "5.1.1 but it ended well\n", "exported"},
    };
    for (const Case& each : cases)
        EXPECT_EQ(shown(judgeEnd(exitedWith(each.code, each.output), ExitDialect::Sysexits, "x")),
                  each.wanted)
            << each.output;
}

TEST(ExitStatus, WhoWasEndedMayHaveDoneItsWork) {
    ProcessEnd end;
    end.how = ProcessEnd::How::Signalled;
    end.code = 9;
    EXPECT_EQ(shown(judgeEnd(end, ExitDialect::Qmail, "x")), "unknown");
    end.how = ProcessEnd::How::TimedOut;
    EXPECT_EQ(shown(judgeEnd(end, ExitDialect::Sysexits, "x")), "unknown");
    end.how = ProcessEnd::How::NotStarted;
    end.trouble = fail(Errc::NotFound, "/bin/x: No such file");
    const Outcome outcome = judgeEnd(end, ExitDialect::Sysexits, "/bin/x");
    EXPECT_EQ(shown(outcome), "deferred unusable");
    EXPECT_NE(outcome.reason.find("No such file"), std::string::npos) << outcome.reason;
}

TEST(ExitStatus, TheReasonIsOneSafeLine) {
    const Outcome outcome =
        judgeEnd(exitedWith(67, "\x1b[2Jno such user\nsecond line\n"), ExitDialect::Sysexits, "/bin/x");
    EXPECT_EQ(outcome.reason,
              "/bin/x ended with exit code 67 (user unknown): \\x1b[2Jno such user / second line");
    const Outcome cut = judgeEnd(exitedWith(1, std::string(5000, 'y')), ExitDialect::Sysexits, "x");
    EXPECT_LT(cut.reason.size(), 2100u);
}

}  // namespace postern::adapters
