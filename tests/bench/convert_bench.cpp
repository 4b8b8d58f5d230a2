// What reading and converting a message costs, in MB/s of the message's bytes on one core: readMessage(),
// convert(), and everything written into nothing. Processor time, so that a busy machine does not decide;
// the median and the best of the rounds.
//
//     tests/bench/convert [SECONDS]      for each case, 1 when not said

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

#include "mail/convert.h"

namespace postern::mail {
namespace {

struct Case {
    const char* name;
    std::string message;
    Profile profile;
    double target;  // MB/s; 0: none is set
};

// Prose of letters and blanks in lines of about 70.
std::string prose(std::size_t size) {
    static constexpr const char* kWords[] = {
        "the",    "gateway", "takes", "each",   "message", "and", "its",  "parts",   "apart,", "then",
        "writes", "what",    "a",     "reader", "of",      "old", "mail", "systems", "can",    "hold."};
    std::string out;
    std::size_t column = 0;
    for (unsigned i = 0; out.size() < size; ++i) {
        const std::string_view word = kWords[(i * 7 + i / 13) % std::size(kWords)];
        out.append(word).append(column > 62 ? "\r\n" : " ");
        column = column > 62 ? 0 : column + word.size() + 1;
    }
    return out + "\r\n";
}

std::string head(const std::string& type) {
    return "Received: from mx.example.org by gateway.example; Tue, 14 Nov 2023 22:13:20 +0000\r\n"
           "From: Alice Example <alice@example.org>\r\nTo: Bob <bob@legacy.example>\r\n"
           "Subject: Figures for the meeting\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
           "Message-ID: <1@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: " +
           type + "\r\n\r\n";
}

std::string base64Lines(std::size_t size) {
    static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    std::uint64_t state = 1;
    while (out.size() < size) {
        for (int i = 0; i < 76; ++i) {
            state = state * 6364136223846793005U + 1442695040888963407U;
            out += kDigits[state >> 58];
        }
        out += "\r\n";
    }
    return out;
}

std::string multipart(std::size_t size, int files) {
    std::string out = head("multipart/mixed; boundary=\"----=_Next.000\"") +
                      "------=_Next.000\r\nContent-Type: text/plain\r\n\r\n" + prose(4000);
    for (int i = 0; i < files; ++i)
        out +=
            "\r\n------=_Next.000\r\nContent-Type: application/octet-stream\r\n"
            "Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"figures " +
            std::to_string(i) + ".bin\"\r\n\r\n" + base64Lines(size / static_cast<std::size_t>(files));
    return out + "------=_Next.000--\r\n";
}

void check(const Result<void>& result) {
    if (result.ok()) return;
    std::fprintf(stderr, "convert_bench: %s\n", result.error().text.c_str());
    std::exit(1);
}

std::size_t runOnce(StringSource& source, const Profile& profile) {
    std::size_t written = 0;
    const Sink sink = [&](std::string_view bytes) -> Result<void> {
        written += bytes.size();
        return {};
    };
    auto read = readMessage(source, readingFor(profile));
    check(read.ok() ? Result<void>() : read.error());
    const auto converted = convert(*read, {"alice@example.org", WallTime()}, profile);
    check(converted.ok() ? Result<void>() : converted.error());
    check(converted->writeTexts(sink));
    for (const ConvertedFile& file : converted->files) check(file.writeTo(sink));
    return written;
}

double processorSeconds() {
    return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

void run(const Case& each, double seconds) {
    StringSource source(each.message);
    constexpr double kRound = 0.1;
    std::vector<double> rates;
    std::size_t written = 0;
    for (const double begin = processorSeconds(); processorSeconds() - begin < seconds;) {
        const double start = processorSeconds();
        std::size_t bytes = 0;
        double used = 0;
        for (; used < kRound; used = processorSeconds() - start) {
            written = runOnce(source, each.profile);
            bytes += each.message.size();
        }
        rates.push_back(static_cast<double>(bytes) / used / 1e6);
    }
    std::sort(rates.begin(), rates.end());
    const double median = rates[rates.size() / 2];
    std::printf("%-44s %9zu bytes in, %9zu out: median %6.0f, best %6.0f MB/s", each.name,
                each.message.size(), written, median, rates.back());
    if (each.target > 0)
        std::printf(", target %.0f: %s", each.target, median >= each.target ? "met" : "MISSED");
    std::printf("\n");
}

std::vector<Case> cases() {
    const std::string small = head("text/plain; charset=us-ascii") + prose(20'000);
    const std::string large = head("text/plain; charset=us-ascii") + prose(1'000'000);
    const Profile dos{.charset = "cp437", .crlf = true, .columns = 79};
    const std::string files = multipart(5'000'000, 3);
    return {
        {"plain 20 KB, cp850", small, {.charset = "cp850"}, 300},
        {"plain 20 KB, utf-8", small, {}, 300},
        {"plain 20 KB, shift_jis", small, {.charset = "shift_jis"}, 300},
        {"plain 20 KB, cp437, 79 columns, CRLF", small, dos, 300},
        {"plain 1 MB, cp850", large, {.charset = "cp850"}, 300},
        {"plain 1 MB, utf-8", large, {}, 300},
        {"plain 1 MB, cp437, 79 columns, CRLF", large, dos, 300},
        {"plain 1 MB, split at 20,000 bytes",
         large,
         {.charset = "cp850", .crlf = true, .textLimit = 20'000, .longText = LongText::Split},
         0},
        {"multipart 5 MB, 3 files in base64", files, {.charset = "cp850"}, 100},
        {"multipart 5 MB, the files uuencoded",
         files,
         {.charset = "us-ascii", .attachments = AttachmentMode::Uuencode},
         0},
        {"multipart 5 MB, the files left out",
         files,
         {.charset = "cp850", .attachments = AttachmentMode::Drop},
         0},
    };
}

}  // namespace
}  // namespace postern::mail

int main(int count, char** words) {
    const double seconds = count > 1 ? std::atof(words[1]) : 1;
    for (const auto& each : postern::mail::cases()) postern::mail::run(each, seconds);
    return 0;
}
