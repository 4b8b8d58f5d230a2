// What import programs and commands leave behind, and our own records of their runs after a crash: read from
// bytes that may be anything, also cut off; what is taken is the same when it is written and read again.
//
// Input: one byte that chooses the reader and the character set, then its bytes.

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "adapters/ccmail/ccmail_run.h"
#include "adapters/ccmail/ccmail_und.h"
#include "adapters/command/runner.h"
#include "base/text.h"
#include "mail/charset.h"

namespace postern::adapters {
namespace {

void mustHold(bool holds, const char* what, std::string_view text) {
    if (holds) return;
    std::fprintf(stderr, "%s: %.*s\n", what, static_cast<int>(text.size()), text.data());
    std::abort();
}

void checkUndeliverable(std::string_view bytes, const std::string& charset) {
    const auto given = ccmail::readUndeliverable(bytes, charset);
    const std::string reason = ccmail::reasonOf(given);
    mustHold(!reason.empty() && validUtf8(reason), "a reason that can not be shown", reason);
    mustHold(reason.find_first_of("\r\n") == std::string::npos, "a reason of two lines", reason);
    static const std::array<Recipient, 3> kRecipients = {
        Recipient{1, "ann@x.example", "Ann", "", ""}, Recipient{2, "bob@x.example", "Bob at PO1", "", ""},
        Recipient{3, "c@y.example", "C\xc3\xa9line", "", ""}};
    const auto verdicts = ccmail::givenBack(given, kRecipients, {});
    mustHold(!verdicts.empty(), "something was given back, and nobody hears of it", bytes);
    int last = 0;
    for (const RecipientVerdict& each : verdicts) {
        mustHold(each.ordinal > last && each.ordinal <= 3, "a recipient that is none, or twice", bytes);
        mustHold(!each.reason.empty() && validUtf8(each.reason), "a recipient without a reason", each.reason);
        last = each.ordinal;
    }
}

void checkRecords(std::string_view bytes) {
    if (const auto run = ccmail::parseRun(bytes)) {
        const std::string written = ccmail::formatRun(*run);
        const auto again = ccmail::parseRun(written);
        mustHold(again && ccmail::formatRun(*again) == written, "a run changes when read again", written);
    }
    if (const auto end = ccmail::parseRunEnd(bytes)) {
        const std::string written = ccmail::formatRunEnd(*end);
        const auto again = ccmail::parseRunEnd(written);
        mustHold(again && ccmail::formatRunEnd(*again) == written, "a run's end changes when read again",
                 written);
    }
    if (const auto result = parseResult(bytes)) {
        const std::string written = formatResult(*result);
        const auto again = parseResult(written);
        // Words of a trouble that are too many are cut each time they are written.
        mustHold(again && again->how == result->how && again->code == result->code &&
                     again->inputLeft == result->inputLeft && again->outputCut == result->outputCut &&
                     again->trouble.code == result->trouble.code && again->output == result->output,
                 "a result changes when read again", written);
    }
    if (const auto item = ccmail::itemOfName(bytes)) {
        const auto epoch = ccmail::epochOfName(bytes);
        const std::string name = epoch ? ccmail::attemptName(*item, *epoch) : ccmail::importName(*item);
        mustHold(ccmail::itemOfName(name) == item && ccmail::epochOfName(name) == epoch,
                 "another item's name", bytes);
        mustHold(ccmail::importedName(name) == ccmail::importName(*item), "a name that DOS can not read",
                 name);
    }
}

}  // namespace
}  // namespace postern::adapters

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern::adapters;
    static const std::array<std::string, 4> kCharsets = {"cp850", "utf-8", "us-ascii", "cp932"};
    if (size == 0) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    if ((data[0] & 1) != 0)
        checkRecords(bytes);
    else
        checkUndeliverable(bytes, kCharsets[data[0] / 2 % kCharsets.size()]);
    return 0;
}
