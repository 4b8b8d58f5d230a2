#pragma once
// Files of a Macintosh: BinHex 4 (RFC 1741), AppleSingle and AppleDouble (RFC 1740), MacBinary I to III. The
// data fork is what other systems can use; resource forks are left out (KB Q175104). Internal to this room.
// Linear time; what BinHex expands to is bounded. Thread rule: pure.

#include "base/result.h"
#include "mail/unpacked.h"

namespace postern::mail {

// Errc::Invalid everywhere: it is not what it should be, and why. Such a file is attached as it is.

// application/mac-binhex40. Both forks must be there and their checksums right. Runs of any length are taken
// (KB Q159175), the line "(This file must be converted with BinHex 4.0)" is required (KB Q170060).
// It expands to four times its size at most, and never beyond `limit`.
Result<UnpackedFile> readBinHex(std::string_view bytes, std::size_t limit);

// application/applefile with a data fork in it.
Result<UnpackedFile> readAppleSingle(const std::shared_ptr<const std::string>& bytes);

// The first part of multipart/appledouble: the file's real name, or empty.
Result<std::string> readAppleDoubleHeader(std::string_view bytes);

// application/macbinary and application/x-macbinary.
Result<UnpackedFile> readMacBinary(const std::shared_ptr<const std::string>& bytes);

}  // namespace postern::mail
