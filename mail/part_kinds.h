#pragma once
// What kinds of parts there are for a reader of text. Internal to this room. Thread rule: pure.

#include <string_view>

#include "mail/structure.h"

namespace postern::mail {

// Can be made text.
bool isReadable(const Entity& entity);

// The signature of a multipart/signed.
bool isSignature(const Entity& entity);

// Another rendering of a text that was chosen: leaving it out loses nothing.
bool isOtherRendering(const Entity& entity);

// A file that holds others, by its type and its name.
enum class Container { None, Tnef, BinHex, AppleSingle, MacBinary };
Container containerOf(std::string_view type, std::string_view name);
// "TNEF", for people.
std::string_view containerName(Container container);

// For parts without a name (KB Q192542): an extension that a reader's system can open, where the type tells.
std::string_view extensionFor(std::string_view type);

}  // namespace postern::mail
