// Many threads convert at once and each gets what one alone gets (KB Q214685).

#include <thread>

#include <gtest/gtest.h>

#include "tests/unit/mail/converting.h"

namespace postern::mail {
namespace {

std::vector<Profile> profiles() {
    return {
        {},
        {.charset = "cp437", .columns = 79, .subjectLimit = 20, .fileNames = FileNames::Dos},
        {.charset = "us-ascii", .crlf = true, .textLimit = 300, .attachments = AttachmentMode::Uuencode},
        {.charset = "shift_jis", .textLimit = 256, .attachments = AttachmentMode::Drop},
        {.charset = "iso-2022-jp",
         .columns = 40,
         .zone = TimeZone::fromRule("x", "CET-1CEST,M3.5.0,M10.5.0/3").value()},
        {.charset = "koi8-r", .textLimit = 200, .expandTabs = true},
    };
}

// Everything that a format could write of it.
std::string everything(const std::string& mail, const Profile& profile) {
    StringSource source(mail);
    const auto read = readMessage(source);
    if (!read.ok()) return "error: " + read.error().text;
    const auto out = convert(*read, {"envelope@example.org", fromMillis(0)}, profile);
    if (!out.ok()) return "error: " + out.error().text;
    std::string all = out->fromName.bytes + "\n" + out->fromAddress + "\n" + out->subject.bytes + "\n" +
                      formatUtc(profile.zone.local(out->date)) + "\n";
    const Sink sink = [&](std::string_view bytes) -> Result<void> {
        all += bytes;
        return {};
    };
    const auto begin = [&](std::int64_t size) -> Result<void> {
        all += "text " + std::to_string(size) + "\n";
        return {};
    };
    if (!out->writeTexts(sink, begin).ok()) return "error";
    for (const ConvertedFile& file : out->files) {
        all += "file " + file.name + "\n";
        if (!file.writeTo(sink).ok()) return "error";
    }
    for (const std::string& note : out->notes) all += "note " + note + "\n";
    return all + std::to_string(out->lost) + " " + std::to_string(out->changed);
}

std::vector<std::string> convertAll(const std::vector<std::string>& mails) {
    std::vector<std::string> all;
    for (const std::string& mail : mails)
        for (const Profile& profile : profiles()) all.push_back(everything(mail, profile));
    return all;
}

TEST(ConvertThreads, Q214685_SixteenAtOnceGiveWhatOneGives) {
    std::vector<std::string> mails;
    for (const std::string& name : tests::corpusNames())
        mails.push_back(tests::wire(tests::corpusMail(name)));
    ASSERT_GE(mails.size(), 12U);
    constexpr std::size_t kThreads = 16;
    std::vector<std::vector<std::string>> got(kThreads);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < kThreads; ++i)
        threads.emplace_back([&, i] {
            // Each begins elsewhere, so that first uses of a charset meet.
            std::vector<std::string> own(mails);
            std::rotate(own.begin(), own.begin() + static_cast<std::ptrdiff_t>(i % own.size()), own.end());
            got[i] = convertAll(own);
        });
    for (std::thread& thread : threads) thread.join();
    const std::vector<std::string> alone = convertAll(mails);
    const std::size_t each = profiles().size();
    for (std::size_t i = 0; i < kThreads; ++i) {
        ASSERT_EQ(got[i].size(), alone.size());
        for (std::size_t k = 0; k < alone.size(); ++k)
            EXPECT_EQ(got[i][k], alone[(k + i % mails.size() * each) % alone.size()]) << i << " " << k;
    }
    for (const std::string& one : alone) EXPECT_FALSE(one.starts_with("error")) << one;
}

}  // namespace
}  // namespace postern::mail
