#pragma once
// The kinds that registry.cpp lists; each is made in the .cpp of its name.

#include "adapters/registry.h"

namespace postern::adapters {

Kind b2fKind();
Kind bsmtpKind();
Kind ccmailKind();
Kind chatKind();
Kind dropKind();
Kind fbbKind();
Kind ftnKind();
Kind gwapiKind();
Kind lmtpKind();
Kind maildirKind();
Kind mboxKind();
Kind mhKind();
Kind mhsKind();
Kind mmffKind();
Kind nncpKind();
Kind pickupKind();
Kind pipeKind();
Kind smtpKind();
Kind uucpKind();
Kind webhookKind();

}  // namespace postern::adapters
