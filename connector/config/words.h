#pragma once
// The words that stand for values of an enumeration in the file.

#include <cstddef>
#include <string_view>

#include "connector/config/config.h"

namespace postern::config {

inline std::string_view wordOf(Protocol protocol) {
    return protocol == Protocol::Smtp ? "smtp" : "lmtp";
}
inline std::string_view wordOf(OnDoubt onDoubt) {
    return onDoubt == OnDoubt::Hold ? "hold" : "resend";
}
inline std::string_view wordOf(Severity severity) {
    switch (severity) {
        case Severity::Error: return "error";
        case Severity::Warning: return "warning";
        case Severity::Notice: return "notice";
        case Severity::Info: return "info";
        case Severity::Debug: break;
    }
    return "debug";
}

inline constexpr Protocol kProtocols[] = {Protocol::Smtp, Protocol::Lmtp};
inline constexpr OnDoubt kOnDoubts[] = {OnDoubt::Hold, OnDoubt::Resend};
inline constexpr Severity kSeverities[] = {Severity::Error, Severity::Warning, Severity::Notice,
                                           Severity::Info, Severity::Debug};

// Finds the value of a word. REQUIRES: a word that the key table's choices allowed.
template <class Enum, std::size_t kCount>
void setByWord(Enum& into, const Enum (&values)[kCount], std::string_view word) {
    for (const Enum value : values)
        if (wordOf(value) == word) into = value;
}
inline void setByWord(Protocol& into, std::string_view word) {
    setByWord(into, kProtocols, word);
}
inline void setByWord(OnDoubt& into, std::string_view word) {
    setByWord(into, kOnDoubts, word);
}
inline void setByWord(Severity& into, std::string_view word) {
    setByWord(into, kSeverities, word);
}

}  // namespace postern::config
