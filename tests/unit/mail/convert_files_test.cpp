// The files of a converted message: native, uuencoded, left out; their names; people in a list.

#include <gtest/gtest.h>

#include "mail/convert_uuencode.h"
#include "tests/unit/mail/converting.h"

namespace postern::mail {
namespace {

using tests::converted;
using tests::joined;

struct File {
    std::string name, bytes;
};

std::string base64(std::string_view bytes) {
    static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        unsigned group = 0;
        for (std::size_t k = 0; k < 3; ++k)
            group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        for (std::size_t k = 0; k < 4; ++k)
            out += i + k > bytes.size() ? '=' : kDigits[(group >> (18 - 6 * k)) & 63];
        if (i / 3 % 19 == 18) out += "\n";
    }
    return out + "\n";
}

std::string mailWith(const std::vector<File>& files, const std::string& text = "See the files.") {
    std::string mail =
        "From: a@x\nDate: Tue, 2 Jun 1998 08:39:00 +0000\nSubject: x\nMIME-Version: 1.0\n"
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\n" +
        text + "\n";
    for (const File& file : files)
        mail +=
            "--b\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n"
            "Content-Disposition: attachment; filename=\"" +
            file.name + "\"\n\n" + base64(file.bytes);
    return mail + "--b--\n";
}

std::string bytesOf(std::size_t size) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(i * 7 + i / 256);
    return bytes;
}

std::string contentOf(const ConvertedFile& file) {
    std::string all;
    EXPECT_TRUE(file.writeTo([&](std::string_view bytes) -> Result<void> {
                        all += bytes;
                        return {};
                    })
                    .ok());
    return all;
}

// As the uudecode of sharutils reads it, written from the description: strict.
std::vector<File> uudecoded(std::string_view text, std::string_view lineEnd) {
    std::vector<File> files;
    bool inside = false, ended = false;
    while (!text.empty()) {
        const auto end = text.find(lineEnd);
        if (end == std::string_view::npos) {
            ADD_FAILURE() << "a line without its end: " << text;
            return files;
        }
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end + lineEnd.size());
        if (line.starts_with("begin 644 ")) {
            files.push_back({std::string(line.substr(10)), ""});
            inside = true;
            ended = false;
        } else if (inside && ended) {
            EXPECT_EQ(line, "end");
            inside = false;
        } else if (inside) {
            const auto value = [](char c) { return static_cast<unsigned>(c - ' ') & 63; };
            const std::size_t size = value(line.front());
            EXPECT_EQ(line.size(), 1 + (size + 2) / 3 * 4) << line;
            ended = size == 0;
            std::string bytes;
            for (std::size_t i = 1; i + 3 < line.size(); i += 4) {
                const unsigned group = value(line[i]) << 18 | value(line[i + 1]) << 12 |
                                       value(line[i + 2]) << 6 | value(line[i + 3]);
                for (const unsigned shift : {16U, 8U, 0U}) bytes += static_cast<char>(group >> shift & 255);
            }
            files.back().bytes += bytes.substr(0, size);
        }
    }
    EXPECT_FALSE(inside);
    return files;
}

TEST(ConvertFiles, NativeOnesKeepEveryByteAndTheirOrder) {
    const std::vector<File> files = {
        {"a.bin", bytesOf(1000)}, {"empty.dat", ""}, {"b.bin", bytesOf(200'000)}};
    const auto got = converted(mailWith(files), {});
    ASSERT_EQ(got.out.files.size(), 3U);
    for (std::size_t i = 0; i < files.size(); ++i) {
        EXPECT_EQ(got.out.files[i].name, files[i].name);
        EXPECT_EQ(got.out.files[i].size(), static_cast<std::int64_t>(files[i].bytes.size()));
        EXPECT_TRUE(contentOf(got.out.files[i]) == files[i].bytes) << files[i].name;
    }
    EXPECT_EQ(joined(got.out), "See the files.\n");
    EXPECT_TRUE(got.out.notes.empty());
}

TEST(ConvertFiles, UuencodedOnesAreReadBackFromTheText) {
    for (const bool crlf : {false, true})
        for (const std::size_t size : {0U, 1U, 2U, 3U, 44U, 45U, 46U, 89U, 90U, 91U, 65'536U, 200'001U}) {
            const std::vector<File> files = {{"one.bin", bytesOf(size)}, {"two.bin", bytesOf(size / 2)}};
            const auto got =
                converted(mailWith(files), {.crlf = crlf, .attachments = AttachmentMode::Uuencode});
            EXPECT_TRUE(got.out.files.empty());
            const std::string text = joined(got.out);
            EXPECT_TRUE(text.starts_with(crlf ? "See the files.\r\n\r\nbegin 644 one.bin\r\n"
                                              : "See the files.\n\nbegin 644 one.bin\n"));
            EXPECT_EQ(got.out.textSizes(), std::vector<std::int64_t>{static_cast<std::int64_t>(text.size())});
            const auto read = uudecoded(text, crlf ? "\r\n" : "\n");
            ASSERT_EQ(read.size(), 2U);
            for (std::size_t i = 0; i < 2; ++i) {
                EXPECT_EQ(read[i].name, files[i].name);
                EXPECT_TRUE(read[i].bytes == files[i].bytes) << size;
            }
        }
}

TEST(ConvertFiles, UuencodedLinesAreAsUnixWroteThem) {
    std::string out;
    appendUuLine("Cat", out);
    EXPECT_EQ(out, "#0V%T");
    out.clear();
    appendUuLine(std::string_view("\0\0\0", 3), out);
    EXPECT_EQ(out, "#````");
    out.clear();
    appendUuLine("", out);
    EXPECT_EQ(out, "`");
}

// Uuencoded lines fill texts up to the limit; sizes are told before the bytes.
TEST(ConvertFiles, UuencodedOnesAreSplitBetweenLinesAtTheLimit) {
    const std::vector<File> files = {{"one.bin", bytesOf(5000)}};
    for (const std::int64_t limit : {255, 256, 257, 1000, 6980, 7000, 7001}) {
        const auto got = converted(
            mailWith(files), {.crlf = true, .textLimit = limit, .attachments = AttachmentMode::Uuencode});
        std::vector<std::int64_t> announced;
        std::vector<std::string> texts;
        ASSERT_TRUE(got.out
                        .writeTexts(
                            [&](std::string_view bytes) -> Result<void> {
                                texts.back() += bytes;
                                return {};
                            },
                            [&](std::int64_t size) -> Result<void> {
                                announced.push_back(size);
                                texts.emplace_back();
                                return {};
                            })
                        .ok());
        EXPECT_EQ(announced, got.out.textSizes());
        ASSERT_EQ(announced.size(), texts.size());
        std::string all;
        for (std::size_t i = 0; i < texts.size(); ++i) {
            EXPECT_EQ(static_cast<std::int64_t>(texts[i].size()), announced[i]) << limit;
            EXPECT_LE(announced[i], limit);
            EXPECT_TRUE(texts[i].ends_with("\r\n"));
            all += texts[i];
        }
        EXPECT_TRUE(uudecoded(all, "\r\n").at(0).bytes == files[0].bytes) << limit;
    }
}

TEST(ConvertFiles, AFailureOfTheSinkEndsTheWriting) {
    const auto got =
        converted(mailWith({{"one.bin", bytesOf(1'000'000)}}), {.attachments = AttachmentMode::Uuencode});
    int calls = 0;
    const auto written = got.out.writeTexts([&](std::string_view) -> Result<void> {
        return ++calls == 3 ? Result<void>(fail(Errc::NoSpace, "full")) : Result<void>();
    });
    ASSERT_FALSE(written.ok());
    EXPECT_EQ(written.error().code, Errc::NoSpace);
    EXPECT_EQ(calls, 3);
    const auto begun = got.out.writeTexts([](std::string_view) { return Result<void>(); },
                                          [](std::int64_t) { return Result<void>(fail(Errc::Io, "gone")); });
    ASSERT_FALSE(begun.ok());
    EXPECT_EQ(begun.error().code, Errc::Io);
}

TEST(ConvertFiles, DroppedAndTooLargeOnesAreNamedWithTheirSize) {
    const std::vector<File> files = {{"big.iso", bytesOf(4097)}, {"small.txt", bytesOf(4096)}};
    const auto dropped = converted(mailWith(files), {.attachments = AttachmentMode::Drop});
    EXPECT_TRUE(dropped.out.files.empty());
    EXPECT_EQ(joined(dropped.out),
              "See the files.\n\n[Postern: the file 'big.iso' (4.0 KiB) was left out;\n"
              " the file 'small.txt' (4 KiB) was left out]\n");
    EXPECT_EQ(dropped.out.notes.size(), 2U);
    for (const auto mode : {AttachmentMode::Native, AttachmentMode::Mime, AttachmentMode::Uuencode}) {
        const auto got = converted(mailWith(files), {.attachments = mode, .attachmentLimit = 4096});
        const auto& kept = mode == AttachmentMode::Uuencode ? got.out.encoded : got.out.files;
        ASSERT_EQ(kept.size(), 1U);
        EXPECT_EQ(kept[0].name, "small.txt");
        EXPECT_NE(joined(got.out).find("'big.iso' (4.0 KiB) was left out: the limit is 4 KiB"),
                  std::string::npos)
            << joined(got.out);
    }
}

TEST(ConvertFiles, NoTextBecomesAFileWhereNoneAreHeld) {
    const std::string mail = mailWith({}, std::string(2000, 'x'));
    for (const auto mode : {AttachmentMode::Uuencode, AttachmentMode::Drop}) {
        const auto got = converted(mail, {.textLimit = 1000, .attachments = mode});
        EXPECT_TRUE(got.out.files.empty());
        EXPECT_GT(got.out.texts.size(), 1U);
    }
}

TEST(ConvertFiles, Q190297_NamesForDosAreUniqueAndTheOldOnesAreTold) {
    const auto got = converted(mailWith({{"Longfilename1.txt", "1"},
                                         {"Longfilename2.txt", "2"},
                                         {"short.txt", "3"},
                                         {"unnamed.txt", "4"}},
                                        std::string(2000, 'x')),
                               {.textLimit = 1000, .fileNames = FileNames::Dos});
    std::vector<std::string> names;
    for (const ConvertedFile& file : got.out.files) names.push_back(file.name);
    EXPECT_EQ(names, (std::vector<std::string>{"UNNAMED.TXT", "LONGFILE.TXT", "LONGFI~1.TXT", "SHORT.TXT",
                                               "UNNAME~1.TXT"}));
    EXPECT_EQ(got.out.files[2].shown, "Longfilename2.txt");
    const std::string& text = got.out.files[0].bytes;
    EXPECT_NE(text.find("LONGFILE.TXT was 'Longfilename1.txt';\n LONGFI~1.TXT was 'Longfilename2.txt'"),
              std::string::npos);
    EXPECT_EQ(text.find("short.txt"), std::string::npos) << "another case is no other name";
    EXPECT_EQ(got.out.notes.size(), 5U);
}

TEST(ConvertFiles, Q190557_ForbiddenCharactersAndTheCharsetHold) {
    const auto got = converted(mailWith({{"a[1];b.txt", "1"},
                                         {"\xc5\x81\xc3\xb3"
                                          "d\xc5\xba.txt",
                                          "2"}}),
                               {.charset = "cp437", .fileNameLimit = 16, .forbiddenInNames = "[];"});
    ASSERT_EQ(got.out.files.size(), 2U);
    EXPECT_EQ(got.out.files[0].name, "a_1__b.txt");
    EXPECT_EQ(got.out.files[1].name,
              "L\xa2"
              "dz.txt");
    EXPECT_EQ(got.out.lost, 0);
}

TEST(ConvertFiles, LettersOfNamesThatAreLostCount) {
    const std::string mail = mailWith({{"a.txt", "1"}, {"\xe8\xb5\x84.txt", "2"}});
    const auto got = converted(mail, {.charset = "cp437"});
    EXPECT_EQ(got.out.lost, 1);
    EXPECT_EQ(got.out.files[1].name, "_.txt");
    EXPECT_EQ(converted(mail, {.charset = "cp437", .attachments = AttachmentMode::Drop}).out.lost, 0)
        << "no name is written";
    const auto refused = tests::conversion(mail, {.charset = "cp437", .lossy = Lossy::Bounce});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().text,
              "1 character of the message can not be written here (not in cp437: U+8D44)");
}

// Who reads cp437 sees both names alike: a note would tell them nothing. The history tells what it was.
TEST(ConvertFiles, ANameThatTheTargetWritesTheSameIsNotTold) {
    const auto got =
        converted(mailWith({{"Ksi\xc4\x85\xc5\xbcka.txt", "1"}, {"CON.txt", "2"}}), {.charset = "cp437"});
    EXPECT_EQ(got.out.files[0].name, "Ksiazka.txt");
    EXPECT_EQ(got.out.texts[0].find("was 'Ksi"), std::string::npos) << got.out.texts[0];
    EXPECT_NE(got.out.texts[0].find("_CON.txt was 'CON.txt'"), std::string::npos) << got.out.texts[0];
    EXPECT_EQ(got.out.notes[0], "the file 'Ksi\xc4\x85\xc5\xbcka.txt' is named 'Ksiazka.txt'");
}

TEST(ShownRecipients, Q193035_ALongListIsCutWithHowManyMore) {
    std::vector<Mailbox> people = {{"Ann Lee", "ann@x"}, {"", "bob@x"}, {"Undisclosed", ""}};
    EXPECT_EQ(shownRecipients({}, 32), "");
    EXPECT_EQ(shownRecipients(people, 100), "Ann Lee <ann@x>, bob@x, Undisclosed");
    EXPECT_EQ(shownRecipients(people, 35), "Ann Lee <ann@x>, bob@x, Undisclosed");
    EXPECT_EQ(shownRecipients(people, 34), "Ann Lee <ann@x>, bob@x, and 1 more");
    EXPECT_EQ(shownRecipients(people, 33), "Ann Lee <ann@x>, and 2 more");
    for (int i = 0; i < 9998; ++i) people.push_back({"Somebody", "s@x"});
    const std::string shown = shownRecipients(people, 200);
    EXPECT_LE(shown.size(), 200U);
    EXPECT_NE(shown.find(" more"), std::string::npos) << shown;
    people = {{std::string(500, 'n'), "n@x"}, {"", "bob@x"}};
    EXPECT_EQ(shownRecipients(people, 32), std::string(17, 'n') + "..., and 1 more");
}

}  // namespace
}  // namespace postern::mail
