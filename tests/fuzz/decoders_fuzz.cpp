// The readers of old containers and texts: TNEF, RTF, BinHex, AppleSingle, MacBinary, uuencode, HTML.
//
// Input: one byte that chooses the reader, then its bytes.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text.h"
#include "mail/charset.h"
#include "mail/encoding.h"
#include "mail/mac.h"
#include "mail/rtf.h"
#include "mail/text.h"
#include "mail/tnef.h"
#include "mail/uuencode.h"

namespace postern::mail {
namespace {

void mustHold(bool holds, const char* what, std::string_view text) {
    if (holds) return;
    std::fprintf(stderr, "%s: %.*s\n", what, static_cast<int>(text.size()), text.data());
    std::abort();
}

void checkText(std::string_view text, std::size_t size) {
    mustHold(validUtf8(text), "text is no UTF-8", text);
    mustHold(text.size() <= 64 * size + 4096, "text explodes", "");
}

void checkFile(const Result<UnpackedFile>& file, std::size_t size) {
    if (!file.ok()) return;
    mustHold(file->bytes.end >= file->bytes.begin, "a file ends before it begins", file->name);
    mustHold(file->bytes.end <= file->bytes.memory->size(), "a file is outside", file->name);
    mustHold(file->bytes.view().size() <= 4 * size + 2048, "a file explodes", file->name);
    checkText(file->name, size);
}

void checkTnef(const TnefMessage& message, std::size_t size) {
    checkText(message.subject, size);
    checkText(message.text, 16 * size);
    for (const UnpackedFile& file : message.files) checkFile(file, size);
    for (const TnefMessage& inner : message.messages) checkTnef(inner, size);
}

void checkUuencode(std::string_view bytes) {
    StringSource source{std::string(bytes)};
    const auto files = findUuencoded(source, 0, source.size(), 1000);
    mustHold(files.ok(), "searching fails", "");
    std::int64_t behind = 0;
    for (const UuencodedFile& file : *files) {
        mustHold(file.begin >= behind && file.dataBegin >= file.begin && file.dataEnd >= file.dataBegin &&
                     file.end >= file.dataEnd && file.end <= source.size(),
                 "files overlap", file.name);
        behind = file.end;
        std::size_t size = 0;
        const EncodedRange range{&source, file.dataBegin, file.dataEnd, TransferEncoding::Uuencode};
        mustHold(decodeRange(range,
                             [&](std::string_view piece) -> Result<void> {
                                 size += piece.size();
                                 return {};
                             })
                     .ok(),
                 "decoding fails", file.name);
        mustHold(size <= 64 * bytes.size(), "uuencode explodes", file.name);
    }
}

}  // namespace
}  // namespace postern::mail

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern;
    using namespace postern::mail;
    if (size < 2 || size > 100'000) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto memory = std::make_shared<const std::string>(bytes);
    switch (data[0] % 8) {
        case 0:
            if (const auto tnef = readTnef(memory); tnef.ok()) checkTnef(*tnef, size);
            break;
        case 1: checkText(rtfToText(bytes), size); break;
        case 2:
            if (const auto rtf = decompressRtf(bytes, 1 << 20); rtf.ok())
                checkText(rtfToText(*rtf), 20 * size);
            break;
        case 3: checkFile(readBinHex(bytes, 1 << 20), size); break;
        case 4:
            checkFile(readAppleSingle(memory), size);
            if (const auto name = readAppleDoubleHeader(bytes); name.ok()) checkText(*name, size);
            break;
        case 5: checkFile(readMacBinary(memory), size); break;
        case 6: checkUuencode(bytes); break;
        default: {
            static const TextTarget kTargets[] = {{}, {"cp437", 40}, {"shift_jis", 64}, {"us-ascii", 0}};
            checkText(htmlToText(toUtf8(bytes, "utf-8"), kTargets[data[0] / 8 % 4]), 3 * size);
            break;
        }
    }
    return 0;
}
