#pragma once
// TNEF, the "winmail.dat" of Exchange and Outlook (MS-OXTNEF): its files and its text. An own reader, because
// its input is hostile and it runs inside the service (docs/decisions/0008). Internal to this room. Linear
// time, no copies of the files. Thread rule: pure.

#include <string>
#include <vector>

#include "base/result.h"
#include "mail/text.h"
#include "mail/unpacked.h"

namespace postern::mail {

struct TnefLimits {
    int depth = 3;                           // messages inside each other, the outermost counted
    int attributes = 10000;                  // of all levels together
    int properties = 20000;                  // of all levels together
    std::size_t text = 8 * 1024 * 1024;      // bytes of one text, expanded
    std::size_t allText = 48 * 1024 * 1024;  // bytes of the texts of all levels together
    TextTarget target = {};                  // of texts made from HTML
};

struct TnefMessage {
    std::string subject;                    // UTF-8, one line
    std::string from;                       // "Name <address>", as far as it says
    std::string text;                       // UTF-8, LF lines: the plain body, else HTML or RTF made text
    bool bodyDamaged = false;               // there was a body that could not be read
    bool textCut = false;                   // a text of this or of an inner message is longer than the limits
    std::size_t allFiles = 0, allText = 0;  // files, and bytes of texts, of this and of all inner messages;
                                            // an inner message counts as a file
    std::vector<UnpackedFile> files;
    std::vector<TnefMessage> messages;  // attached to this one
};

// Errc::Invalid: damaged, cut or over a limit, and how; nothing of it is used then.
Result<TnefMessage> readTnef(const std::shared_ptr<const std::string>& bytes, const TnefLimits& limits = {});

}  // namespace postern::mail
