#include <algorithm>

#include "mail/mime.h"
#include "mail/window.h"

namespace postern::mail {

Result<void> decodeRange(const EncodedRange& range, const std::function<Result<void>(std::string_view)>& sink,
                         bool* damaged) {
    constexpr std::size_t kPiece = 60 * 1024;  // what a decoder held back may come on top
    Window window(*range.source, range.end - range.begin);
    TransferDecoder decoder(range.encoding);
    std::string decoded;
    for (std::int64_t at = range.begin; at < range.end;) {
        POSTERN_LET(view, window.at(at, 1));
        const auto left = static_cast<std::size_t>(range.end - at);
        const std::string_view piece = view.substr(0, std::min({view.size(), left, kPiece}));
        at += static_cast<std::int64_t>(piece.size());
        if (range.encoding == TransferEncoding::Identity) {
            POSTERN_TRY(sink(piece));
            continue;
        }
        decoded.clear();
        decoder.decode(piece, decoded);
        if (!decoded.empty()) POSTERN_TRY(sink(decoded));
    }
    decoded.clear();
    decoder.finish(decoded);
    if (damaged != nullptr) *damaged = decoder.damaged();
    return decoded.empty() ? Result<void>() : sink(decoded);
}

Result<void> Attachment::measure() {
    size = range_.end - range_.begin;
    if (memory_ || range_.encoding == TransferEncoding::Identity) return {};
    size = 0;
    return decodeRange(
        range_,
        [this](std::string_view piece) -> Result<void> {
            size += static_cast<std::int64_t>(piece.size());
            return {};
        },
        &damaged);
}

Result<void> Attachment::writeTo(const std::function<Result<void>(std::string_view)>& sink) const {
    if (!memory_) return decodeRange(range_, sink, nullptr);
    constexpr std::int64_t kPiece = 64 * 1024;
    const std::string_view all = *memory_;
    for (std::int64_t at = range_.begin; at < range_.end; at += kPiece) {
        const auto length = static_cast<std::size_t>(std::min(kPiece, range_.end - at));
        POSTERN_TRY(sink(all.substr(static_cast<std::size_t>(at), length)));
    }
    return {};
}

Result<std::string> Attachment::read(std::size_t limit) const {
    std::string out;
    POSTERN_TRY(writeTo([&](std::string_view piece) -> Result<void> {
        if (out.size() + piece.size() > limit)
            return fail(Errc::NoSpace, "the attachment is longer than " + std::to_string(limit) + " bytes");
        out += piece;
        return {};
    }));
    return out;
}

}  // namespace postern::mail
