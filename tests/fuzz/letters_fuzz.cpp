// Mail of any bytes as the letters of old systems, read back by the strict readers, which are written from
// the descriptions and not from the writers. Whatever it is, it is one letter, or is refused with a reason:
// nobody's text is another one's command.
//
// Input: one byte that chooses the letter, then the mail.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/spool/staged_file.h"
#include "base/temporary_file.h"
#include "tests/adapter_rig.h"
#include "tests/bsmtp_reader.h"
#include "tests/ccmail_reader.h"
#include "tests/legacy_readers.h"

namespace postern::tests {
namespace {

using adapters::Job;
using adapters::StagedFile;

template <class Read>
std::string faultOf(const Read& read) {
    return read.ok() ? "" : read.error().text;
}

template <class Several>
std::string faultOfOne(const Several& read, std::size_t count) {
    if (!read.fault.empty()) return read.fault;
    return count == 1 ? "" : std::to_string(count) + " letters";
}

std::string batchFault(std::string_view bytes, std::string_view end) {
    const BsmtpBatch batch = readBsmtp(bytes, end);
    return faultOfOne(batch, batch.mails.size());
}

std::string boxFault(std::string_view bytes) {
    const MboxFile box = readMbox(bytes);
    return faultOfOne(box, box.messages.size());
}

std::string boardFault(std::string_view bytes) {
    const FbbFile file = readFbb(bytes);
    return faultOfOne(file, file.messages.size());
}

struct Letter {
    const char* kind;
    SettingMap settings;
    std::string (*fault)(std::string_view bytes);
};

const std::vector<Letter>& letters() {
    static const std::vector<Letter> all = {
        {"ccmail", {{"post_office", "PO1"}}, [](auto bytes) { return faultOf(readCcmail(bytes)); }},
        {"ccmail",
         {{"post_office", "PO1"}, {"charset", "shift_jis"}},
         [](auto bytes) { return faultOf(readCcmail(bytes)); }},
        {"b2f", {{"call", "N0AAA"}, {"wrap", "40"}}, [](auto bytes) { return faultOf(readB2f(bytes)); }},
        {"b2f",
         {{"call", "N0AAA"}, {"charset", "us-ascii"}, {"sender", "smtp"}},
         [](auto bytes) { return faultOf(readB2f(bytes)); }},
        {"fbb", {{"call", "N0GW"}, {"attachments", "uuencode"}}, boardFault},
        {"fbb", {{"call", "N0GW"}, {"charset", "cp850"}}, boardFault},
        {"mhs", {{"author", "comment"}}, [](auto bytes) { return faultOf(readSmf(bytes)); }},
        {"mhs",
         {{"charset", "shift_jis"}, {"format", "smf-71"}},
         [](auto bytes) { return faultOf(readSmf(bytes)); }},
        {"mmff", {{"line_ends", "cr"}}, [](auto bytes) { return faultOf(readMmff(bytes, "\r")); }},
        {"mmff", {{"line_ends", "crlf"}}, [](auto bytes) { return faultOf(readMmff(bytes, "\r\n")); }},
        {"gwapi", {}, [](auto bytes) { return faultOf(readGwApi(bytes)); }},
        {"bsmtp", {}, [](auto bytes) { return batchFault(bytes, "\r\n"); }},
        {"bsmtp", {{"line_ends", "lf"}}, [](auto bytes) { return batchFault(bytes, "\n"); }},
        {"mbox", {}, boxFault},
    };
    return all;
}

// The rigs are kept: to convert leaves nothing behind in them.
AdapterRig& rigOf(std::size_t letter) {
    static std::vector<std::unique_ptr<AdapterRig>> rigs(letters().size());
    if (!rigs[letter])
        rigs[letter] = std::make_unique<AdapterRig>(letters()[letter].kind, letters()[letter].settings);
    return *rigs[letter];
}

std::string written(StagedFile& staged, const Letter& letter) {
    if (const auto flushed = staged.flush(); !flushed.ok()) return flushed.error().text;
    std::string bytes(static_cast<std::size_t>(staged.position()), '\0');
    File file = staged.takeFile();
    if (const auto got = file.readAt(0, bytes.data(), bytes.size()); !got.ok() || *got != bytes.size())
        return "it can not be read";
    return letter.fault(bytes);
}

void check(std::size_t which, std::string mail) {
    const Letter& letter = letters()[which];
    AdapterRig& rig = rigOf(which);
    JobMaker maker;
    Job job = maker.make(1, 1, rig.bob(), std::move(mail));
    std::string buffer;
    const std::function<void()> beat = [] {};
    StagedFile staged(temporaryFile().value(), buffer, beat);
    const auto outcome = rig.adapter().convert(job, staged);
    std::string fault;
    if (!outcome.ok()) {
        fault = "an error of its own: " + outcome.error().text;
    } else if (*outcome) {
        if ((*outcome)->verdict != adapters::Verdict::Rejected || (*outcome)->reason.empty())
            fault = "refused, but neither for good nor with a reason";
    } else {
        fault = written(staged, letter);
    }
    if (fault.empty()) return;
    std::fprintf(stderr, "%s: %s\n", letter.kind, fault.c_str());
    std::abort();
}

}  // namespace
}  // namespace postern::tests

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    postern::tests::check(data[0] % postern::tests::letters().size(),
                          std::string(reinterpret_cast<const char*>(data) + 1, size - 1));
    return 0;
}
