#pragma once
// The settings from which a mail::Profile is made, the same words for every kind that has them.
// Thread rule: pure.

#include <vector>

#include "adapters/registry.h"
#include "mail/convert.h"

namespace postern::adapters {

// What a kind begins with; nullptr in a name leaves the setting out: the format fixes it.
// Keys: charset, wrap, text_limit, long_text (attach, split), subject_limit, file_names (long, dos),
// attachments (native, uuencode, mime, drop), attachment_limit, on_loss (allow, note, bounce), notes_in_text,
// expand_tabs, time_zone (an IANA name or a POSIX rule).
std::vector<Setting> profileSettings(const mail::Profile& fallback, std::vector<Setting> own);

// Errors name the setting and what it may be. Only keys that the kind lists are read; the rest is `fallback`.
Result<mail::Profile> profileOf(const Settings& settings, const mail::Profile& fallback);

}  // namespace postern::adapters
