#pragma once
// The kinds that registry.cpp lists; each is made in the .cpp of its name.

#include "adapters/registry.h"

namespace postern::adapters {

Kind ccmailKind();
Kind dropKind();
Kind maildirKind();
Kind mboxKind();
Kind mhKind();
Kind pickupKind();

}  // namespace postern::adapters
