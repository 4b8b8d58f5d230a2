#include "mail/downgrade.h"

#include <algorithm>

#include "base/text.h"
#include "mail/downgrade_plan.h"
#include "mail/transfer_encoder.h"
#include "mail/window.h"

namespace postern::mail {
namespace {

using Sink = std::function<Result<void>(std::string_view)>;

// CR, LF and CRLF, in pieces cut anywhere, to CRLF.
class LineEnder {
  public:
    void add(std::string_view bytes, std::string& out) {
        for (const char c : bytes) {
            if (c == '\n' && !heldCr_) out += "\r\n";
            if (c == '\r') out += "\r\n";
            if (c != '\n' && c != '\r') out += c;
            heldCr_ = c == '\r';
        }
    }

  private:
    bool heldCr_ = false;
};

class StepWriter {
  public:
    StepWriter(ByteSource& source, const Carrier& carrier, const Sink& sink)
        : source_(source), window_(source), carrier_(carrier), sink_(sink) {}

    Result<void> write(const Step& step) {
        switch (step.kind) {
            case StepKind::Copy: return copy(step.begin, step.end);
            case StepKind::Header: return header(step);
            case StepKind::Gap: return gap(step);
            case StepKind::Fold: return fold(step);
            case StepKind::Body: return step.newCharset.empty() ? body(step) : recode(step);
        }
        return {};
    }

    // A message that was rewritten ends with a line end.
    Result<void> finish() { return last_ == '\n' ? Result<void>() : put("\r\n"); }

  private:
    Result<void> put(std::string_view bytes) {
        if (bytes.empty()) return {};
        last_ = bytes.back();
        return sink_(bytes);
    }

    Result<void> copy(std::int64_t begin, std::int64_t end) {
        constexpr std::size_t kPiece = 64 * 1024;
        while (begin < end) {
            POSTERN_LET(view, window_.at(begin, 1));
            const auto left = static_cast<std::size_t>(end - begin);
            const std::string_view piece = view.substr(0, std::min({view.size(), left, kPiece}));
            POSTERN_TRY(put(piece));
            begin += static_cast<std::int64_t>(piece.size());
        }
        return {};
    }

    Result<std::string> read(std::int64_t begin, std::int64_t end) {
        std::string out;
        POSTERN_TRY(decodeRange({&source_, begin, end, TransferEncoding::Identity},
                                [&](std::string_view piece) -> Result<void> {
                                    out += piece;
                                    return {};
                                }));
        return out;
    }

    Result<void> header(const Step& step) {
        POSTERN_LET(block, read(step.begin, step.end));
        POSTERN_LET(rewritten, rewriteHeader(block, step.header));
        return put(rewritten.bytes);
    }

    Result<void> body(const Step& step) {
        TransferEncoder encoder(step.to, width());
        LineEnder ends;
        std::string text, out;
        POSTERN_TRY(decodeRange({&source_, step.begin, step.end, step.from},
                                [&](std::string_view piece) -> Result<void> {
                                    out.clear();
                                    text.clear();
                                    if (step.lineEnds) ends.add(piece, text);
                                    encoder.encode(step.lineEnds ? std::string_view(text) : piece, out);
                                    return put(out);
                                }));
        out.clear();
        encoder.finish(out);
        return put(out);
    }

    // Whatever is wrong with the characters, a reader has the same of them as before.
    Result<void> fold(const Step& step) {
        const int most = width();
        int column = 0;
        std::string out;
        return decodeRange({&source_, step.begin, step.end, TransferEncoding::Identity},
                           [&](std::string_view piece) -> Result<void> {
                               out.clear();
                               for (const char c : piece) {
                                   if (c == '\r' || c == '\n') continue;
                                   if (column == most) out += "\r\n";
                                   column = column == most ? 1 : column + 1;
                                   out += c;
                               }
                               return put(out);
                           });
    }

    Result<void> recode(const Step& step) {
        std::string decoded;
        POSTERN_TRY(decodeRange({&source_, step.begin, step.end, step.from},
                                [&](std::string_view piece) -> Result<void> {
                                    decoded += piece;
                                    return {};
                                }));
        const auto text = recoded(decoded, step.charset, step.newCharset);
        if (!text) return fail(Errc::Internal, "a text that was recoded once can not be recoded again");
        TransferEncoder encoder(step.to, width());
        std::string out;
        encoder.encode(*text, out);
        encoder.finish(out);
        return put(out);
    }

    // Line by line; what is longer than any boundary may be is left out in pieces.
    Result<void> gap(const Step& step) {
        for (std::int64_t at = step.begin; at < step.end;) {
            POSTERN_LET(view, window_.at(at, Window::kMostWanted));
            std::string_view rest =
                view.substr(0, static_cast<std::size_t>(std::min<std::int64_t>(
                                   static_cast<std::int64_t>(view.size()), step.end - at)));
            const auto newline = rest.find('\n');
            const std::string_view line = rest.substr(0, newline == rest.npos ? newline : newline + 1);
            at += static_cast<std::int64_t>(line.size());
            const bool isWhole = !inLongLine_;
            inLongLine_ = newline == rest.npos && at < step.end;
            if (!isWhole || inLongLine_) continue;
            std::string_view kept = line;
            while (!kept.empty() && (kept.back() == '\n' || kept.back() == '\r')) kept.remove_suffix(1);
            if (kept.starts_with("--")) kept = kept.substr(0, kept.find_last_not_of(" \t\r") + 1);
            if (!fitsCarrier(kept, carrier_)) continue;
            POSTERN_TRY(put(kept));
            if (newline != rest.npos) POSTERN_TRY(put("\r\n"));
        }
        return {};
    }

    int width() const { return carrier_.lineLimit > 0 ? std::min(carrier_.lineLimit, 76) : 76; }

    ByteSource& source_;
    Window window_;
    const Carrier& carrier_;
    const Sink& sink_;
    bool inLongLine_ = false;
    char last_ = '\n';
};

}  // namespace

struct Downgraded::Impl {
    ByteSource& source;
    Carrier carrier;
    DowngradePlan plan;
};

Result<Downgraded> Downgraded::make(ByteSource& source, const Carrier& carrier) {
    POSTERN_LET(plan, planDowngrade(source, carrier));
    return Downgraded(std::make_unique<Impl>(Impl{source, carrier, std::move(plan)}));
}

Downgraded::Downgraded(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Downgraded::Downgraded(Downgraded&&) noexcept = default;
Downgraded& Downgraded::operator=(Downgraded&&) noexcept = default;
Downgraded::~Downgraded() = default;

bool Downgraded::unchanged() const {
    return !impl_->plan.changed;
}

const std::vector<std::string>& Downgraded::notes() const {
    return impl_->plan.notes;
}

bool Downgraded::eightBit() const {
    return impl_->plan.eightBit;
}

bool Downgraded::utf8Header() const {
    return impl_->plan.utf8Header;
}

Result<void> Downgraded::writeTo(const Sink& sink) const {
    StepWriter writer(impl_->source, impl_->carrier, sink);
    for (const Step& step : impl_->plan.steps) POSTERN_TRY(writer.write(step));
    return impl_->plan.changed ? writer.finish() : Result<void>();
}

}  // namespace postern::mail
