#pragma once
// The kinds that registry.cpp lists; each is made in the .cpp of its name.

#include "adapters/registry.h"

namespace postern::adapters {

Kind bsmtpKind();
Kind ccmailKind();
Kind dropKind();
Kind ftnKind();
Kind lmtpKind();
Kind maildirKind();
Kind mboxKind();
Kind mhKind();
Kind nncpKind();
Kind pickupKind();
Kind pipeKind();
Kind smtpKind();
Kind uucpKind();

}  // namespace postern::adapters
