#pragma once
// Who wrote a mail and to whom, said in its text: for networks whose addresses can not say it. Thread rule:
// pure.

#include <string>

#include "adapters/adapter.h"
#include "mail/mime.h"

namespace postern::adapters {

// Lines that lead the text: the author, and where the header names several people, these. UTF-8, lines end
// with LF, an empty one behind them.
std::string letterHead(const mail::Readable& readable, const Delivery& delivery);

}  // namespace postern::adapters
