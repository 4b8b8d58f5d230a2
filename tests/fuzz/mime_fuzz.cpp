// A message read, converted for profiles of every kind, and rewritten for carriers. Whatever it is: memory,
// depth and time are bounded, what is written fits, and the same message gives the same bytes.
//
// Input: one byte that chooses the carrier and the profile, then the message.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "mail/convert.h"
#include "mail/downgrade.h"
#include "mail/line_facts.h"
#include "mail/plain_message.h"

namespace postern::mail {
namespace {

void mustHold(bool holds, const char* what, std::string_view text) {
    if (holds) return;
    std::fprintf(stderr, "%s: %.*s\n", what, static_cast<int>(text.size()), text.data());
    std::abort();
}

// Gives a few bytes at a time, and is never in memory.
class DripSource final : public ByteSource {
  public:
    explicit DripSource(std::string_view bytes) : bytes_(bytes) {}
    std::int64_t size() const override { return static_cast<std::int64_t>(bytes_.size()); }
    Result<std::size_t> readAt(std::int64_t offset, char* into, std::size_t size) override {
        return bytes_.substr(static_cast<std::size_t>(offset)).copy(into, std::min<std::size_t>(size, 13));
    }

  private:
    std::string_view bytes_;
};

Sink into(std::string& bytes) {
    return [&bytes](std::string_view piece) -> Result<void> {
        bytes += piece;
        return {};
    };
}

Carrier carrierFor(std::uint8_t choice) {
    Carrier carrier;
    carrier.eightBit = (choice & 1) != 0;
    carrier.utf8Header = carrier.eightBit && (choice & 2) != 0;
    carrier.binary = false;
    carrier.lineLimit = (choice & 4) != 0 ? 998 : 200;
    carrier.headerLimit = (choice & 8) != 0 ? 2000 : 0;
    carrier.preferBase64 = (choice & 16) != 0;
    if ((choice & 32) != 0) carrier.charset = "iso-8859-1";
    return carrier;
}

Profile profileFor(std::uint8_t choice) {
    static constexpr const char* kCharsets[] = {"us-ascii", "cp437", "utf-8", "shift_jis"};
    Profile profile;
    profile.charset = kCharsets[choice & 3];
    profile.crlf = (choice & 4) != 0;
    profile.columns = (choice & 8) != 0 ? 40 : 0;
    profile.textLimit = (choice & 16) != 0 ? 512 : 0;
    profile.longText = (choice & 32) != 0 ? LongText::Split : LongText::Attach;
    profile.attachments = static_cast<AttachmentMode>(choice >> 6);
    profile.fileNames = (choice & 32) != 0 ? FileNames::Dos : FileNames::Long;
    profile.subjectLimit = 40;
    return profile;
}

std::string read(ByteSource& source, const Profile& profile, Readable& message) {
    auto done = readMessage(source, readingFor(profile));
    mustHold(done.ok(), "a message can not be read", done.ok() ? "" : done.error().text);
    message = std::move(*done);
    std::string all = message.subject + "|" + message.text;
    for (const Attachment& attachment : message.attachments) {
        std::string bytes;
        mustHold(attachment.writeTo(into(bytes)).ok(), "an attachment fails", attachment.name);
        mustHold(static_cast<std::int64_t>(bytes.size()) == attachment.size, "another size", attachment.name);
        mustHold(!attachment.name.empty(), "no name", attachment.type);
        all += "|" + attachment.name + "|" + bytes;
    }
    return all;
}

void convertFor(const Readable& message, const Profile& profile, std::size_t size) {
    auto done = convert(message, {"a@b", WallTime()}, profile);
    if (!done.ok()) return mustHold(done.error().code == Errc::Invalid, "an error", done.error().text);
    std::string texts, plain, again;
    mustHold(done->writeTexts(into(texts)).ok(), "texts fail", "");
    std::int64_t sum = 0;
    for (const std::int64_t one : done->textSizes()) sum += one;
    mustHold(sum == static_cast<std::int64_t>(texts.size()), "texts have another size", "");
    mustHold(texts.size() <= 200 * size + 100'000, "the texts explode", "");
    const PlainLimits limits;
    const auto header = plainHeader(message, profile, limits, {}, *done);
    if (!header.ok()) return mustHold(header.error().code == Errc::Invalid, "an error", header.error().text);
    mustHold(writePlainMessage(*header, *done, profile, limits, into(plain)).ok(), "plain fails", "");
    mustHold(writePlainMessage(*header, *done, profile, limits, into(again)).ok(), "plain fails", "");
    mustHold(plain == again, "plain differs", "");
    const LineFacts facts = lineFacts(plain);
    mustHold(facts.longest <= 998 && !facts.bareCr && !facts.bareLf, "plain has no lines", plain);
}

void downgradeFor(std::string_view bytes, const Carrier& carrier) {
    StringSource source{std::string(bytes)};
    DripSource drip(bytes);
    const auto made = Downgraded::make(source, carrier);
    const auto dripped = Downgraded::make(drip, carrier);
    mustHold(made.ok() == dripped.ok(), "pieces matter", "");
    if (!made.ok()) return mustHold(made.error().code == Errc::Invalid, "an error", made.error().text);
    std::string out, other;
    mustHold(made->writeTo(into(out)).ok(), "writing fails", "");
    mustHold(dripped->writeTo(into(other)).ok(), "writing fails", "");
    mustHold(out == other, "pieces give other bytes", out);
    const LineFacts facts = lineFacts(out);
    mustHold(carrier.eightBit || !facts.eightBit, "8-bit bytes", out);
    mustHold(!facts.binary(), "NUL, or CR or LF alone", out);
    mustHold(facts.longest <= carrier.lineLimit, "a long line", out);
    mustHold(made->eightBit() || made->utf8Header() || !facts.eightBit, "8-bit bytes unsaid", out);
    if (made->unchanged()) mustHold(out == bytes, "changed after all", out);
    StringSource result(out);
    const auto second = Downgraded::make(result, carrier);
    mustHold(second.ok(), "what was rewritten can not be carried", out);
}

}  // namespace
}  // namespace postern::mail

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern;
    using namespace postern::mail;
    if (size < 3 || size > 100'000) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
    StringSource source{std::string(bytes)};
    DripSource drip(bytes);
    Readable message, other;
    const Profile profile = profileFor(data[0]);
    const std::string whole = read(source, profile, message);
    mustHold(whole == read(drip, profile, other), "pieces are read in another way", whole);
    mustHold(whole.size() <= 100 * size + 100'000, "reading explodes", "");
    convertFor(message, profile, size);
    downgradeFor(bytes, carrierFor(data[1]));
    return 0;
}
