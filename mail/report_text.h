#pragma once
#include <string>

#include "mail/report.h"

namespace postern::mail {

// The part of a report that people read: UTF-8, LF. It names every recipient of the report and no other, each
// with its reason, and says what happens next (KB Q184624, Q228743, Q220882). `returned`: what is attached.
std::string reportText(const Report& report, Returned returned, const std::string& subject);

}  // namespace postern::mail
