#pragma once
// How a message is rewritten, as steps over its bytes. Internal to this room. Thread rule: pure.

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/source.h"
#include "mail/downgrade.h"
#include "mail/encoding.h"
#include "mail/header_rewrite.h"

namespace postern::mail {

enum class StepKind {
    Copy,    // as it is
    Header,  // through rewriteHeader() with `header`
    Gap,     // what stands between parts: lines that fit, and boundaries without blanks behind them
    Body,    // decoded, recoded, encoded
    Fold,    // base64 whose characters stay: only its lines are made anew
};

struct Step {
    StepKind kind = StepKind::Copy;
    std::int64_t begin = 0, end = 0;
    HeaderNeeds header = {};
    // Body:
    TransferEncoding from = TransferEncoding::Identity, to = TransferEncoding::Identity;
    bool lineEnds = false;        // a CR or LF alone becomes CRLF
    std::string charset = {};     // recoded from this ...
    std::string newCharset = {};  // ... to this, where that is not empty; such a body is small
};

struct DowngradePlan {
    std::vector<Step> steps;
    std::vector<std::string> notes;
    bool changed = false;
    bool eightBit = false, utf8Header = false;  // of the result
};

// Errors as Downgraded::make().
Result<DowngradePlan> planDowngrade(ByteSource& source, const Carrier& carrier);

// What of a carrier a line of a gap must fit; also used when it is written.
bool fitsCarrier(std::string_view line, const Carrier& carrier);

// The largest text body that is recoded to another charset.
inline constexpr std::size_t kMostRecoded = 1024 * 1024;

// A whole text in `newCharset` when that holds it without change, else nothing.
std::optional<std::string> recoded(std::string_view bytes, const std::string& charset,
                                   const std::string& newCharset);

}  // namespace postern::mail
