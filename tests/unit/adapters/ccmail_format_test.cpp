#include "adapters/ccmail/ccmail_format.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/text.h"
#include "mail/charset.h"
#include "tests/ccmail_reader.h"
#include "tests/kit/variables.h"

namespace postern::adapters::ccmail {

namespace {

Options atPo1() {
    Options options;
    options.postOffice = "PO1";
    options.gateway = "GATEWAY";
    return options;
}

WallTime at(int year, unsigned month, unsigned day, int hour, int minute) {
    return std::chrono::sys_days(std::chrono::year(year) / std::chrono::month(month) /
                                 std::chrono::day(day)) +
           std::chrono::hours(hour) + std::chrono::minutes(minute);
}

std::string senderOf(const mail::Mailbox& author, const std::string& envelope, const Options& options) {
    mail::Readable message;
    message.from = {senderName(author, options), author.address};
    const auto converted = mail::convert(message, {envelope, WallTime()}, options.profile);
    EXPECT_TRUE(converted.ok());
    return senderText(converted->fromName, converted->fromAddress, options);
}

struct SubjectLine {
    std::string bytes;
    mail::Converted body;
    bool noted(const char* part) const {
        return std::any_of(body.notes.begin(), body.notes.end(),
                           [&](const std::string& note) { return note.find(part) != std::string::npos; });
    }
};

SubjectLine subjectOf(const std::string& subject, const Options& options = atPo1()) {
    mail::Readable message;
    message.from.address = "a@x";
    message.subject = subject;
    Delivery delivery;
    delivery.recipients = {{1, "bob@x", "Bob"}};
    auto document = makeDocument(delivery, message, options);
    EXPECT_TRUE(document.ok()) << subject;
    const std::string label = "Subject: ";
    std::string line = document->header.substr(document->header.find(label) + label.size());
    EXPECT_TRUE(line.ends_with("\r\n"));
    line.resize(line.size() - 2);
    return {line, std::move(document->body)};
}

}  // namespace

TEST(CcmailRecipient, IsWrittenWithItsPostOffice) {
    const std::vector<std::tuple<std::string, std::string, std::string>> cases = {
        {"bob@x", "Sysop, Bob", "Sysop, Bob at PO1"},
        {"bob@x", "Sysop, Bob at PO2", "Sysop, Bob at PO2"},
        {"bob@x", "", "bob at PO1"},
        {"bob@x", "  Bob   Smith ", "Bob Smith at PO1"},
        {"bob@x", "Doe, John Q.", "Doe, John Q. at PO1"},
        {"bob@x", "bob [x]", "bob (x) at PO1"},
        {"bob@x", "#Board", "#Board at PO1"},
        {"bob@x", "user@dom at internet", "user@dom at internet"},
        {"bob@x", "J\xc3\xbcrgen", "J\x81rgen at PO1"},
        {"bob@x", "Pat O'Brien", "Pat O'Brien at PO1"},
        {"bob@x", "Bob AT PO2", "Bob AT PO2"},
        {"bob@x", "Attila", "Attila at PO1"},
    };
    for (const auto& [address, legacy, wanted] : cases) {
        const auto got = recipientText({1, address, legacy}, atPo1());
        ASSERT_TRUE(got.ok()) << legacy << ": " << got.error().text;
        EXPECT_EQ(*got, wanted) << legacy;
    }
}

TEST(CcmailRecipient, Q171214_NamesMayBeLeftToThePostOffice) {
    Options options = atPo1();
    options.resolveNames = true;
    EXPECT_EQ(recipientText({1, "a@x", "Admin at HUBPO2"}, options).value(), "Admin");
    EXPECT_EQ(recipientText({1, "a@x", "Admin"}, options).value(), "Admin");
    options = atPo1();
    EXPECT_EQ(recipientText({1, "a@x", "Admin at HUBPO2"}, options).value(), "Admin at HUBPO2");
    options.postOffice.clear();
    EXPECT_EQ(recipientText({1, "a@x", "Admin"}, options).value(), "Admin");
}

TEST(CcmailRecipient, Q249133_WhatIsNoNameIsRefused) {
    for (const std::string& legacy :
         {std::string(" at PO1"), std::string("at PO1"), std::string(" "), std::string("a\r\nTo: eve"),
          std::string("a\0b", 3), std::string(300, 'x'), std::string("\xd0\x91\xd0\xbe\xd0\xb1")})
        EXPECT_FALSE(recipientText({1, "@x", legacy}, atPo1()).ok()) << testing::PrintToString(legacy);
    EXPECT_FALSE(recipientText({1, "@x", ""}, atPo1()).ok());
    EXPECT_NE(recipientText({1, "@x", " at PO1"}, atPo1()).error().text.find("no name"), std::string::npos);
}

// The post office is what stands behind " at ", so it must stand there once, and be no stranger's.
TEST(CcmailRecipient, NobodyOutsideChoosesAPostOffice) {
    for (const char* legacy : {"bob at PO9 at PO1", "bob at at PO1", "bob AT PO9 at PO1"}) {
        const auto got = recipientText({1, "bob@x", legacy}, atPo1());
        ASSERT_FALSE(got.ok()) << legacy << ": " << *got;
        EXPECT_NE(got.error().text.find("twice"), std::string::npos) << got.error().text;
    }
    EXPECT_FALSE(recipientText({1, "\"bob at PO9\"@x", ""}, atPo1()).ok());
    EXPECT_FALSE(recipientText({1, "bob at PO9@x", ""}, atPo1()).ok());
    Options resolving = atPo1();
    resolving.resolveNames = true;
    EXPECT_FALSE(recipientText({1, "bob@x", "bob at PO9 at PO1"}, resolving).ok());
}

TEST(CcmailSender, ANameIsNoPostOffice) {
    EXPECT_EQ(senderOf({"Support at Acme AT Home", "s@acme"}, "", atPo1()),
              "Support @ Acme @ Home (SMTP:s@acme) at GATEWAY");
    EXPECT_EQ(senderOf({"x at at y", "s@acme"}, "", atPo1()), "x @ @ y (SMTP:s@acme) at GATEWAY");
    EXPECT_EQ(senderOf({"", "\"bob at PO1\"@acme"}, "", atPo1()), "\"bob @ PO1\"@acme at GATEWAY");
    EXPECT_EQ(senderOf({"Matt Atwood", "m@x"}, "", atPo1()), "Matt Atwood (SMTP:m@x) at GATEWAY");
}

TEST(CcmailSender, Q232687_HasNoSquareBracketsAndIsNeverEmpty) {
    struct Case {
        mail::Mailbox author;
        std::string envelope;
        std::string wanted;
    };
    const std::vector<Case> cases = {
        {{"Alice Example", "alice@example.org"},
         "bounce@list",
         "Alice Example (SMTP:alice@example.org) at GATEWAY"},
        {{"", "alice@example.org"}, "", "alice@example.org at GATEWAY"},
        {{"", ""}, "env@example.org", "env@example.org at GATEWAY"},
        {{"", ""}, "", "Postmaster at GATEWAY"},
        {{"x [SMTP:x@y]", "x@y"}, "", "x (SMTP:x@y) (SMTP:x@y) at GATEWAY"},
        {{"", "u@[192.0.2.1]"}, "", "u@(192.0.2.1) at GATEWAY"},
        {{"Doe, John Q.", "j@x"}, "", "Doe, John Q. (SMTP:j@x) at GATEWAY"},
        {{"John  Smith", "j@x"}, "", "John Smith (SMTP:j@x) at GATEWAY"},
        {{"J\xc3\xbcrgen", "j@x"}, "", "J\x81rgen (SMTP:j@x) at GATEWAY"},
        {{"a:b", "x@y"}, "", "a:b (SMTP:x@y) at GATEWAY"},
        {{std::string(200, 'n'), "x@y"}, "", std::string(61, 'n') + "... (SMTP:x@y) at GATEWAY"},
    };
    for (const Case& c : cases) EXPECT_EQ(senderOf(c.author, c.envelope, atPo1()), c.wanted);
}

TEST(CcmailSender, Q179677_QuotedFormForRelease8) {
    Options options = atPo1();
    options.quoteSender = true;
    options.senderForm = SenderForm::Name;
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"Test User", "\"Test User\" at GATEWAY"}, {"User, Test", "\"User; Test\" at GATEWAY"},
        {"Test", "\"Test\" at GATEWAY"},           {"\"Test\"", "\"Test\" at GATEWAY"},
        {", User", "\"; User\" at GATEWAY"},
    };
    for (const auto& [name, wanted] : cases) EXPECT_EQ(senderOf({name, "t@x"}, "", options), wanted);
    options.senderForm = SenderForm::Address;
    EXPECT_EQ(senderOf({"Test User", "t@x"}, "", options), "t@x at GATEWAY");
}

TEST(CcmailSubject, Q234350_OnlyThePairOfBracketsIsRewritten) {
    const std::vector<std::tuple<std::string, std::string, bool>> cases = {
        {"[a]", "(a)", true},
        {"[", "[", false},
        {"]", "]", false},
        {"][", ")(", true},
        {"plain", "plain", false},
        {"  led", "  led", false},
        {"Re[3]: x", "Re(3): x", true},
        {"a\r\nTo: eve", "a  To: eve", false},
    };
    for (const auto& [in, wanted, bracketed] : cases) {
        const SubjectLine got = subjectOf(in);
        EXPECT_EQ(got.bytes, wanted) << in;
        EXPECT_EQ(got.noted("square brackets"), bracketed) << in;
        EXPECT_FALSE(got.noted("was cut")) << in;
    }
}

// What cp850 lacks is written with brackets, quotes and commas: those count as well.
TEST(CcmailSubject, Q234350_BracketsThatConversionMakesAreRewritten) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"\xe2\x9c\x94 Done", "(x) Done"},
        {"\xe3\x80\x90new\xe3\x80\x91 offer", "(new) offer"},
        {"\xe2\x98\x90 milk", "( ) milk"},
        {"[a\xe3\x80\x91", "(a)"},
    };
    for (const auto& [in, wanted] : cases) {
        const SubjectLine got = subjectOf(in);
        EXPECT_EQ(got.bytes, wanted) << in;
        EXPECT_TRUE(got.noted("square brackets")) << in;
    }
}

TEST(CcmailSender, Q232687_WhatConversionMakesIsNoBracketQuoteOrComma) {
    Options options = atPo1();
    EXPECT_EQ(senderOf({"\xe2\x9c\x94 \xe3\x80\x90"
                        "Bob\xe3\x80\x91",
                        "b@x"},
                       "", options),
              "(x) (Bob) (SMTP:b@x) at GATEWAY");
    EXPECT_EQ(senderOf({"", "\xe2\x9c\x94@x"}, "", options), "(x)@x at GATEWAY");
    options.profile.charset = "cp932";  // its second bytes may be those of brackets
    EXPECT_EQ(senderOf({"\xe3\x83\xbc\xe3\x82\xbe [x]", "b@x"}, "", options),
              "\x81\x5b\x83\x5d (x) (SMTP:b@x) at GATEWAY");
    options = atPo1();
    options.quoteSender = true;
    options.senderForm = SenderForm::Name;
    EXPECT_EQ(senderOf({"\xe2\x80\x9c"
                        "Bob\xe2\x80\x9d Lee",
                        "b@x"},
                       "", options),
              "\"Bob Lee\" at GATEWAY");
    EXPECT_EQ(senderOf({"Lee\xef\xbc\x8c"
                        "Bob",
                        "b@x"},
                       "", options),
              "\"Lee;Bob\" at GATEWAY");
    EXPECT_EQ(senderOf({"\xe2\x80\x9c\xe2\x80\x9d", "b@x"}, "", options), "b@x at GATEWAY");
}

TEST(CcmailFormat, TheFixedPartOfAHeaderIsNeverLargerThanReserved) {
    Options options = atPo1();
    options.profile.charset = "utf-8";
    options.profile.subjectLimit = 200;
    options.quoteSender = true;
    std::string wide;
    for (int i = 0; i < 300; ++i) wide += "\xf0\x9f\x98\x80";
    mail::Readable message;
    message.from = {wide, wide + "@x"};
    message.subject = wide;
    Delivery delivery;
    delivery.recipients = {{1, "bob@x", "Bob"}};
    const auto document = makeDocument(delivery, message, options);
    ASSERT_TRUE(document.ok());
    const std::string to = "To: Bob at PO1\r\n";
    EXPECT_LE(document->header.size() - to.size(), static_cast<std::size_t>(fixedHeaderBytes(options)));
    EXPECT_GT(document->header.size(), 1024u);
}

TEST(CcmailSubject, Q156844_CutsAreMarkedAndTheWholeKeepsItsBracketsInTheText) {
    for (const std::size_t length : {59u, 60u, 61u, 200u, 10'000u}) {
        for (const std::string letter : {"x", "\xc3\xbc"}) {
            std::string in;
            for (std::size_t i = 0; i < length; ++i) in += letter;
            const SubjectLine got = subjectOf(in);
            EXPECT_EQ(got.bytes.size(), std::min<std::size_t>(length, 60)) << length << letter;
            EXPECT_EQ(got.noted("was cut"), length > 60) << length;
            EXPECT_EQ(got.bytes.ends_with("..."), length > 60) << length;
            EXPECT_EQ(got.body.lost, 0) << length;
        }
    }
    const SubjectLine got = subjectOf("[list] " + std::string(100, 's'));
    EXPECT_EQ(got.bytes, "(list) " + std::string(50, 's') + "...");
    EXPECT_EQ(got.body.texts,
              std::vector<std::string>{"Subject: [list] " + std::string(100, 's') + "\r\n\r\n"});
}

TEST(CcmailSubject, CharactersThatBecomeManyLettersStayInTheLimit) {
    std::string in;
    for (int i = 0; i < 60; ++i) in += "\xe2\x84\xa2";  // the trade mark sign, "(TM)"
    const SubjectLine got = subjectOf(in);
    EXPECT_EQ(got.bytes.size(), 60u) << got.bytes;
    EXPECT_TRUE(got.noted("was cut"));
}

// A limit counts bytes, and no character is cut: wherever the limit falls between two bytes of one.
TEST(CcmailSubject, DoubleByteCharactersAreNotCutInTwo) {
    const std::vector<std::pair<const char*, std::string>> pages = {{"cp932", "\xe8\xb3\x87"},
                                                                    {"cp949", "\xed\x95\x9c"},
                                                                    {"cp936", "\xe4\xb8\xad"},
                                                                    {"cp950", "\xe4\xb8\xad"}};
    for (const auto& [page, letter] : pages) {
        Options options = atPo1();
        options.profile.charset = page;
        for (const std::string before : {"", "x"}) {
            std::string in = before;
            for (int i = 0; i < 80; ++i) in += letter;
            const SubjectLine got = subjectOf(in, options);
            EXPECT_LE(got.bytes.size(), 60u) << page;
            EXPECT_GE(got.bytes.size(), 58u) << page;
            ASSERT_TRUE(got.bytes.ends_with("...")) << page;
            const std::string back = mail::toUtf8(got.bytes.substr(0, got.bytes.size() - 3), page);
            EXPECT_EQ(back, in.substr(0, back.size())) << page;
            EXPECT_EQ(back.find('?'), std::string::npos) << page;
            EXPECT_TRUE(got.body.texts[0].starts_with("Subject: ")) << "the whole leads the text";
        }
    }
}

// No Ctrl-Z, which ends a DOS text, in whatever way it comes: neither the byte nor a sign whose place in a
// code page is that of a control character.
TEST(CcmailText, HasNoCtrlZAndNoOtherControlCharacter) {
    const std::string odd =
        "a\x1a"
        "b\x1a\x1a \xe2\x86\x92 \xe2\x98\xba \xe2\x96\xba \x1b[2J\x07 end";
    for (const char* page : {"cp437", "cp850", "cp866", "cp932", "cp949"}) {
        Options options = atPo1();
        options.profile.charset = page;
        mail::Readable message;
        message.from = {odd, "a@x"};
        message.subject = odd;
        message.text = odd + "\n" + std::string(30'000, 'x') + "\n";
        Delivery delivery;
        delivery.recipients = {{1, "bob@x", "Bob"}};
        for (const mail::LongText way : {mail::LongText::Attach, mail::LongText::Split}) {
            options.profile.longText = way;
            const auto document = makeDocument(delivery, message, options);
            ASSERT_TRUE(document.ok()) << document.error().text;
            std::string all = document->header;
            for (const std::string& text : document->body.texts) all += text;
            for (const mail::ConvertedFile& file : document->body.files) all += file.bytes;
            EXPECT_GT(all.size(), 30'000u);
            for (const char c : all)
                EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\r' || c == '\n')
                    << page << ": " << static_cast<int>(c);
        }
    }
}

TEST(CcmailHeader, Q166499_AHeaderOfTheLimitGoesAndOneByteMoreDoesNot) {
    mail::Readable message;
    message.from.address = "a@x";
    message.subject = "s";
    Delivery delivery;
    delivery.recipients = {{1, "bob@x", "Bob"}};
    Options options = atPo1();
    const auto size = static_cast<int>(makeDocument(delivery, message, options)->header.size());
    options.headerLimit = size;
    EXPECT_TRUE(makeDocument(delivery, message, options).ok());
    options.headerLimit = size - 1;
    const auto over = makeDocument(delivery, message, options);
    ASSERT_FALSE(over.ok());
    EXPECT_EQ(over.error().code, Errc::Invalid);
    EXPECT_NE(over.error().text.find(std::to_string(size)), std::string::npos) << over.error().text;
}

TEST(CcmailDate, Q180641_OrderIsTheSettingsAndNothingElses) {
    tests::setVariable("LC_ALL", "de_DE.UTF-8");
    tests::setVariable("TZ", "Asia/Tokyo");
    const WallTime time = at(1998, 6, 2, 8, 39);
    Options options = atPo1();
    EXPECT_EQ(dateText(time, options), "6/2/98 8:39");
    EXPECT_EQ(fileDateText(time, options), "06/02/98 8:39");
    options.dateOrder = DateOrder::Dmy;
    EXPECT_EQ(dateText(time, options), "2/6/98 8:39");
    options.dateOrder = DateOrder::Ymd;
    EXPECT_EQ(dateText(time, options), "98/6/2 8:39");
    options.fourDigitYears = true;
    EXPECT_EQ(dateText(time, options), "1998/6/2 8:39");
    tests::setVariable("LC_ALL", std::nullopt);
    tests::setVariable("TZ", std::nullopt);
}

TEST(CcmailDate, Q192595_TwoDigitYears) {
    for (int year = 2000; year <= 2099; ++year) {
        char wanted[32];
        std::snprintf(wanted, sizeof wanted, "12/31/%02d 23:59", year - 2000);
        EXPECT_EQ(dateText(at(year, 12, 31, 23, 59), atPo1()), wanted);
    }
    mail::Readable message;
    const WallTime received = at(2026, 11, 21, 12, 0);
    const std::vector<std::pair<WallTime, bool>> cases = {{at(1950, 1, 1, 0, 0), true},
                                                          {at(2049, 12, 31, 23, 59), true},
                                                          {at(1949, 12, 31, 23, 59), false},
                                                          {at(2050, 1, 1, 0, 0), false}};
    for (const auto& [date, fits] : cases) {
        message.date = date;
        EXPECT_EQ(mail::convert(message, {"", received}, postOfficeProfile())->date, fits ? date : received)
            << formatUtc(date);
    }
}

TEST(CcmailDate, ZonesMoveTheDayAndTheHour) {
    const std::vector<std::tuple<const char*, WallTime, const char*>> cases = {
        {"<+13>-13", at(1999, 12, 31, 12, 5), "1/1/00 1:05"},
        {"<-0330>3:30", at(2000, 1, 1, 0, 0), "12/31/99 20:30"},
        {"CET-1CEST,M3.5.0,M10.5.0/3", at(2026, 3, 29, 0, 59), "3/29/26 1:59"},
        {"CET-1CEST,M3.5.0,M10.5.0/3", at(2026, 3, 29, 1, 0), "3/29/26 3:00"},
        {"CET-1CEST,M3.5.0,M10.5.0/3", at(2026, 10, 25, 0, 59), "10/25/26 2:59"},
        {"CET-1CEST,M3.5.0,M10.5.0/3", at(2026, 10, 25, 1, 0), "10/25/26 2:00"},
    };
    for (const auto& [rule, time, wanted] : cases) {
        Options options = atPo1();
        options.profile.zone = TimeZone::fromRule("here", rule).value();
        EXPECT_EQ(dateText(time, options), wanted) << rule;
    }
}

TEST(CcmailReader, Q186216_TakesOneDateOffATitle) {
    for (const char* date : {"5/6/97 3:10PM", "05/06/97 3:10 PM", "9-11-1998", "06/02/98 8:39", "97/5/6",
                             "6-5-97", "1997-05-06 15:10", "5/6/97 15:10:00"})
        for (const char* name : {"Abc.wk4", "a.123", "LONGFI~1.TXT"}) {
            const auto [got, stamp] = tests::splitFileTitle(std::string(name) + " " + date);
            EXPECT_EQ(got, name) << date;
            EXPECT_EQ(stamp, date);
        }
    EXPECT_EQ(tests::splitFileTitle("report 1-2-98.txt").first, "report 1-2-98.txt");
    EXPECT_EQ(tests::splitFileTitle("5/6/97").first, "5/6/97");
}

TEST(CcmailReader, RefusesSizesThatDoNotAddUp) {
    const std::string good =
        "Message:\r\n188         \r\nFrom: Example, Alice at GATEWAY\r\nDate: 11/14/23 22:13\r\n"
        "To: Sysop, Bob at PO1\r\nSubject: Gateway test\r\nContents:\r\n62          \r\nText item:\r\n"
        "36          \r\nHello from the gateway.\r\nLine two.\r\n";
    ASSERT_EQ(good.size(), 212u) << "the sample of the format's description";
    ASSERT_TRUE(tests::readCcmail(good).ok()) << tests::readCcmail(good).error().text;
    EXPECT_EQ(tests::readCcmail(good)->text(), "Hello from the gateway.\r\nLine two.\r\n");
    for (const char* size : {"188         ", "62          ", "36          "})
        for (const int by : {-1, 1}) {
            std::string bad = good;
            std::string other = std::to_string(*parseInt(trim(size)) + by);
            other.resize(12, ' ');
            bad.replace(bad.find(size), 12, other);
            EXPECT_FALSE(tests::readCcmail(bad).ok()) << size << by;
        }
    EXPECT_FALSE(tests::readCcmail(good + "\r\n").ok());
    EXPECT_FALSE(tests::readCcmail(good, 0).ok()) << "padded sizes where none are wanted";
}

}  // namespace postern::adapters::ccmail
