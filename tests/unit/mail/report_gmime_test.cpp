// Delivery reports as GMime reads them: a second opinion, also of hostile facts.

#include <random>

#include <gmime/gmime.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "mail/report_lines.h"
#include "tests/unit/mail/sample_reports.h"

namespace postern::mail {
namespace {

using tests::base;
using tests::goldenReports;
using tests::kHeader;

struct Seen {
    std::vector<std::string> types;
    std::vector<std::string> recipients, actions;
};

std::string contentOf(GMimePart* part) {
    GMimeStream* stream = g_mime_stream_mem_new();
    g_mime_data_wrapper_write_to_stream(g_mime_part_get_content(part), stream);
    const GByteArray* bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
    std::string text(reinterpret_cast<const char*>(bytes->data), bytes->len);
    g_object_unref(stream);
    return text;
}

// What GMime finds in it.
Seen byGMime(const std::string& bytes) {
    static const bool started = [] { return g_mime_init(), true; }();
    (void)started;
    Seen seen;
    GMimeStream* stream = g_mime_stream_mem_new_with_buffer(bytes.data(), bytes.size());
    GMimeParser* parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage* message = g_mime_parser_construct_message(parser, nullptr);
    GMimeObject* top = g_mime_message_get_mime_part(message);
    if (GMIME_IS_MULTIPART(top)) {
        for (int i = 0; i < g_mime_multipart_get_count(GMIME_MULTIPART(top)); ++i) {
            GMimeObject* part = g_mime_multipart_get_part(GMIME_MULTIPART(top), i);
            char* type = g_mime_content_type_get_mime_type(g_mime_object_get_content_type(part));
            seen.types.emplace_back(type);
            g_free(type);
            if (i != 1 || !GMIME_IS_PART(part)) continue;
            const std::string content = contentOf(GMIME_PART(part));
            for (const std::string_view line : split(content, '\n')) {
                if (line.starts_with("Final-Recipient: "))
                    seen.recipients.emplace_back(trim(line.substr(line.find(';') + 1)));
                if (line.starts_with("Action: ")) seen.actions.emplace_back(trim(line.substr(8)));
            }
        }
    }
    g_object_unref(message);
    g_object_unref(parser);
    g_object_unref(stream);
    return seen;
}

void expectSound(const Report& report, const std::string& name) {
    const WrittenReport written = writeReport(report);
    const Seen seen = byGMime(written.bytes);
    ASSERT_GE(seen.types.size(), 2u) << name;
    EXPECT_LE(seen.types.size(), 3u) << name;
    EXPECT_EQ(seen.types[0], "text/plain") << name;
    std::vector<std::string> wanted;
    for (const ReportedRecipient& each : report.recipients) wanted.push_back(each.address);
    EXPECT_EQ(seen.recipients, wanted) << name;
    EXPECT_EQ(seen.actions.size(), wanted.size()) << name;
    EXPECT_TRUE(isLines(written.bytes)) << name;
    EXPECT_EQ(written.eightBit, !isAscii(written.bytes)) << name;
}

TEST(Report, GMimeFindsThePartsAndTheRecipients) {
    for (const auto& [name, report] : goldenReports()) expectSound(report, name);
}

// Q193761
TEST(Report, Q193761_without_content_has_two_parts) {
    Report report = base();
    report.header.clear();
    EXPECT_EQ(byGMime(writeReport(report).bytes).types.size(), 2u);
}

TEST(Report, AContentThatIsNoLinesComesBackAsItsHeader) {
    const std::string bodies[] = {std::string("a\0b\r\n", 5), "bare\nline\r\n", "bare\rreturn\r\n",
                                  std::string(999, 'x') + "\r\n"};
    for (const std::string& body : bodies) {
        Report report = base();
        report.body = body;
        const Seen seen = byGMime(writeReport(report).bytes);
        ASSERT_EQ(seen.types.size(), 3u);
        EXPECT_EQ(seen.types[2], "text/rfc822-headers");
    }
}

TEST(Report, AnyFactsMakeASoundReport) {
    std::mt19937 random(3);
    const std::string alphabet = std::string("\0\r\n\t =?-_;:.<>\"\\ab9", 20) + "\xc3\xa4\xff\x80\x1b--=_";
    const auto anything = [&](std::size_t most) {
        std::string text;
        for (std::size_t left = random() % (most + 1); left > 0; --left)
            text += alphabet[random() % alphabet.size()];
        return text;
    };
    for (int run = 0; run < 2000; ++run) {
        Report report = base(static_cast<ReportKind>(random() % 4));
        report.returned = static_cast<Returned>(random() % 3);
        report.remark = anything(200);
        report.envelopeId = anything(100);
        report.header = random() % 4 == 0 ? anything(2000) : kHeader + "Subject: " + anything(100) + "\r\n";
        report.body = anything(3000);
        report.recipients.clear();
        for (unsigned i = 0; i < 1 + random() % 5; ++i)
            report.recipients.push_back(
                {"user" + std::to_string(i) + "@x.example", anything(60), anything(8), anything(1500)});
        expectSound(report, "run " + std::to_string(run));
        if (HasFailure()) return;
    }
}

}  // namespace
}  // namespace postern::mail
