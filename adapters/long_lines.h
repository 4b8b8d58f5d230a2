#pragma once
// Lines that must not be longer than a reader's screen, whatever stands in them. Thread rule: pure.

#include "mail/convert.h"

namespace postern::adapters {

// Breaks what mail::wrap() leaves whole, long addresses of the web, so that no line of the texts has more
// than profile.columns bytes, or display columns where a character can have several bytes. Nothing else
// changes.
void breakLongLines(const mail::Profile& profile, mail::Converted& body);

}  // namespace postern::adapters
