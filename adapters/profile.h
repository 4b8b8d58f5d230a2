#pragma once
// The settings from which a mail::Profile is made, the same words for every kind that has them.
// Thread rule: any thread.

#include <string_view>
#include <vector>

#include "adapters/registry.h"
#include "mail/convert.h"

namespace postern::adapters {

// The settings of a profile, with `fallback` as their fallbacks, then `own`. `fixed` names those that the
// format does not leave to anybody: a key ("long_text"), or one choice of it ("attachments=mime").
// Keys: charset, wrap, text_limit, long_text (attach, split), subject_limit, file_names (long, dos),
// attachments (native, uuencode, mime, drop), attachment_limit, on_loss (allow, note, bounce), notes_in_text,
// expand_tabs, date_zone (an IANA name or a POSIX rule).
std::vector<Setting> profileSettings(const mail::Profile& fallback, std::vector<Setting> own,
                                     const std::vector<std::string_view>& fixed = {});

// Errors name the setting and what it may be. A key without a value, as one that the kind does not list, is
// `fallback`'s.
Result<mail::Profile> profileOf(const Settings& settings, const mail::Profile& fallback);

}  // namespace postern::adapters
