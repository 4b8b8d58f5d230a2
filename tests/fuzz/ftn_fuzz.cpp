// Mail of any bytes as FidoNet netmail, and addresses of any letters.
//
// Input: one byte that chooses the network's settings, then the mail; its first line is taken for a name as
// well.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "adapters/ftn/ftn_message.h"
#include "adapters/ftn/ftn_text.h"
#include "base/source.h"
#include "tests/ftn_reader.h"

namespace postern::adapters::ftn {
namespace {

constexpr const char* kCharsets[] = {"cp437", "cp866", "utf-8", "shift_jis", "iso-2022-jp", "windows-1250"};

void mustHold(bool holds, const char* what, std::string_view text) {
    if (holds) return;
    std::fprintf(stderr, "%s: %.*s\n", what, static_cast<int>(text.size()), text.data());
    std::abort();
}

Options optionsFor(unsigned choice) {
    Options options;
    options.profile = netmailProfile();
    options.profile.charset = kCharsets[choice % std::size(kCharsets)];
    options.profile.textLimit = choice & 0x40 ? 256 : 15000;
    options.senderLine = (choice & 0x80) != 0;
    options.here = {2, 999, 1, static_cast<int>(choice & 0x20)};
    options.link = {2, 999, 2, 0};
    options.addresses = {"fidonet.org", options.link};
    options.softCr = softCrSubstitute(options.profile.charset);
    options.storeId = "fuzz";
    return options;
}

void checkMail(std::string_view bytes, const Options& options) {
    StringSource source{std::string(bytes)};
    Job job;
    job.delivery.key = {ItemId{1}, Epoch{1}};
    job.delivery.sender = "alice@example.org";
    job.delivery.recipients = {{1, "bob@legacy.example", "Bob Sysop"},
                               {2, "ann@legacy.example", "Ann@1:2/3.4"}};
    job.delivery.message = &source;
    std::string packet = headFor(job.delivery, options.link, options);
    const auto written = writeNetmail(job, options, [&](std::string_view piece) -> Result<void> {
        packet += piece;
        return {};
    });
    mustHold(written.ok(), "an error of its own", written.ok() ? "" : written.error().text);
    if (written->has_value()) return;
    packet += packetEnd();
    const auto read = tests::readFtnPacket(packet);
    mustHold(read.ok(), "no packet", read.ok() ? "" : read.error().text);
    for (const tests::FtnMessage& message : read->messages)
        mustHold(options.softCr == 0 || message.text.find('\x8d') == std::string::npos, "a soft CR",
                 message.text);
}

void checkName(std::string_view name) {
    const auto person = addressee({1, std::string(name), std::string(name)}, {"fidonet.org", {2, 999, 2, 0}});
    if (!person.ok()) return;
    mustHold(person->name.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos, "a name", name);
    // As a route names him he is the same person.
    const auto named = addressee({1, "x@example.org", person->name + "@" + nodeText(person->node)},
                                 {"fidonet.org", {1, 1, 1, 0}});
    mustHold(named.ok() && *named == *person, "another person", person->name);
}

}  // namespace
}  // namespace postern::adapters::ftn

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern::adapters::ftn;
    if (size == 0) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    checkName(bytes.substr(0, bytes.find('\n')));
    checkMail(bytes, optionsFor(data[0]));
    return 0;
}
