#pragma once
// The words that stand for values of an enumeration in the file.

#include <cstddef>
#include <string_view>

#include "connector/config/config.h"

namespace postern::config {

inline std::string_view wordOf(Protocol protocol) {
    return protocol == Protocol::Smtp ? "smtp" : "lmtp";
}
inline std::string_view wordOf(Tls tls) {
    switch (tls) {
        case Tls::Off: return "off";
        case Tls::StartTls: return "starttls";
        case Tls::Required: return "required";
        case Tls::Implicit: break;
    }
    return "implicit";
}
inline std::string_view wordOf(Auth auth) {
    return auth == Auth::Off ? "off" : auth == Auth::Offered ? "offered" : "required";
}
inline std::string_view wordOf(RuleAction action) {
    switch (action) {
        case RuleAction::Accept: return "accept";
        case RuleAction::Reject: return "reject";
        case RuleAction::Hold: return "hold";
        case RuleAction::Route: break;
    }
    return "route";
}
inline std::string_view wordOf(RouteUse use) {
    return use == RouteUse::Both ? "both" : use == RouteUse::Recipients ? "recipients" : "replies";
}
inline std::string_view wordOf(Anonymous anonymous) {
    return anonymous == Anonymous::Look ? "look" : "nothing";
}
inline std::string_view wordOf(ChatRole role) {
    return role == ChatRole::Viewer ? "viewer" : role == ChatRole::Operator ? "operator" : "admin";
}
inline std::string_view wordOf(OnDoubt onDoubt) {
    return onDoubt == OnDoubt::Hold ? "hold" : onDoubt == OnDoubt::Resend ? "resend" : "receiver_dedupes";
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
inline constexpr Tls kTlsModes[] = {Tls::Off, Tls::StartTls, Tls::Required, Tls::Implicit};
inline constexpr Auth kAuthModes[] = {Auth::Off, Auth::Offered, Auth::Required};
inline constexpr RuleAction kRuleActions[] = {RuleAction::Accept, RuleAction::Reject, RuleAction::Hold,
                                              RuleAction::Route};
inline constexpr RouteUse kRouteUses[] = {RouteUse::Both, RouteUse::Recipients, RouteUse::Replies};
inline constexpr Anonymous kAnonymous[] = {Anonymous::Nothing, Anonymous::Look};
inline constexpr ChatRole kChatRoles[] = {ChatRole::Viewer, ChatRole::Operator, ChatRole::Admin};
inline constexpr OnDoubt kOnDoubts[] = {OnDoubt::Hold, OnDoubt::Resend, OnDoubt::ReceiverDedupes};
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
inline void setByWord(Tls& into, std::string_view word) {
    setByWord(into, kTlsModes, word);
}
inline void setByWord(Auth& into, std::string_view word) {
    setByWord(into, kAuthModes, word);
}
inline void setByWord(RuleAction& into, std::string_view word) {
    setByWord(into, kRuleActions, word);
}
inline void setByWord(RouteUse& into, std::string_view word) {
    setByWord(into, kRouteUses, word);
}
inline void setByWord(Anonymous& into, std::string_view word) {
    setByWord(into, kAnonymous, word);
}
inline void setByWord(ChatRole& into, std::string_view word) {
    setByWord(into, kChatRoles, word);
}
inline void setByWord(OnDoubt& into, std::string_view word) {
    setByWord(into, kOnDoubts, word);
}
inline void setByWord(Severity& into, std::string_view word) {
    setByWord(into, kSeverities, word);
}

}  // namespace postern::config
