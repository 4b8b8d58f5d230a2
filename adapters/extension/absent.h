#pragma once
// What stands in for a kind of adapter that may be in a library that was refused. An adapter of it is
// suspended from the start with that reason: its mail is accepted and waits, and everything else goes on.
// Thread rule: any thread.

#include <string>
#include <string_view>

#include "adapters/registry.h"

namespace postern::adapters {

// The stand-in, or nothing: nobody asked for one of this name. kindNamed() finds it when there is no such
// kind otherwise. It lives for ever.
const Kind* absentKind(std::string_view name);

// Makes one, or gives the one there is a new reason for adapters that are made from now on.
const Kind* standInFor(const std::string& name, const std::string& why);

}  // namespace postern::adapters
