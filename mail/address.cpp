#include "mail/address.h"

#include "base/text.h"

namespace postern::mail {
namespace {

constexpr std::size_t kLocalLimit = 64;     // RFC 5321 4.5.3.1.1
constexpr std::size_t kDomainLimit = 255;   // 4.5.3.1.2
constexpr std::size_t kMailboxLimit = 254;  // 4.5.3.1.3: a path of 256 with its brackets

Error bad(std::string text) {
    return fail(Errc::Invalid, std::move(text));
}

bool isEightBit(char c) {
    return static_cast<unsigned char>(c) >= 0x80;
}

bool isControl(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

bool isLetterOrDigit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// RFC 5322 atext; 8-bit counts as atext (RFC 6531) because it was refused earlier where it is not wanted.
bool isAtext(char c) {
    return isLetterOrDigit(c) || isEightBit(c) ||
           std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

// Where a dot-string goes wrong, or nothing.
const char* dotStringFault(std::string_view local) {
    if (local.front() == '.' || local.back() == '.') return "the local part begins or ends with a dot";
    if (local.find("..") != std::string_view::npos) return "the local part has two dots in a row";
    for (const char c : local) {
        if (c == ' ') return "a blank in the local part needs quotes";
        if (c != '.' && !isAtext(c)) return "the local part has a character that needs quotes";
    }
    return nullptr;
}

bool isDotString(std::string_view local) {
    return !local.empty() && dotStringFault(local) == nullptr;
}

std::string quoted(std::string_view local) {
    std::string out = "\"";
    for (const char c : local) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

// Reads `"..."` at the start of `text`; `text` is moved behind it.
Result<std::string> takeQuoted(std::string_view& text) {
    std::string out;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '"') {
            text.remove_prefix(i + 1);
            return out;
        }
        if (text[i] == '\\' && ++i == text.size()) break;
        out += text[i];
    }
    return bad("the quoted local part does not end");
}

Result<std::string> takeLocal(std::string_view& text, const AddressOptions& options) {
    if (text.front() == '"') return takeQuoted(text);
    std::size_t end = text.find('@');
    if (end == std::string_view::npos) end = text.size();
    const std::string_view local = text.substr(0, end);
    text.remove_prefix(end);
    if (local.empty()) return bad("the address has no local part");
    std::string plain(local);
    if (options.relaxed)
        for (char& c : plain)
            if (c == ' ') c = '_';  // for the check only
    if (const char* fault = dotStringFault(plain)) return bad(fault);
    return std::string(local);
}

bool isLabel(std::string_view label) {
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
    for (const char c : label)
        // "_" is no host name but stands in mail domains that work.
        if (!isLetterOrDigit(c) && !isEightBit(c) && c != '-' && c != '_') return false;
    return true;
}

bool isLiteral(std::string_view domain) {
    if (domain.size() < 3 || domain.front() != '[' || domain.back() != ']') return false;
    for (const char c : domain.substr(1, domain.size() - 2))
        if (!isLetterOrDigit(c) && c != '.' && c != ':' && c != '-') return false;
    return true;
}

Result<void> checkDomain(std::string_view domain) {
    if (domain.empty()) return bad("the address has no domain");
    if (domain.size() > kDomainLimit) return bad("the domain is longer than 255 bytes");
    if (domain.front() == '[')
        return isLiteral(domain) ? Result<void>() : bad("the address literal is malformed");
    for (const std::string_view label : split(domain, '.'))
        if (!isLabel(label)) return bad("the domain is malformed");
    return {};
}

Result<void> checkBytes(std::string_view text, const AddressOptions& options) {
    for (const char c : text) {
        if (isControl(c)) return bad("the address has a control character");
        if (isEightBit(c) && !options.utf8) return bad("the address has 8-bit characters without SMTPUTF8");
    }
    if (options.utf8 && !validUtf8(text)) return bad("the address is not valid UTF-8");
    return {};
}

// The index just behind the source route "@a,@b:" at the start of `path`; 0 when there is none.
Result<std::size_t> sourceRouteEnd(std::string_view path) {
    if (path.empty() || path.front() != '@') return std::size_t{0};
    bool literal = false;
    for (std::size_t i = 0, start = 0; i < path.size(); ++i) {
        if (path[i] == '[') literal = true;
        if (path[i] == ']') literal = false;
        if (literal || (path[i] != ',' && path[i] != ':')) continue;
        if (path[start] != '@') break;
        POSTERN_TRY(checkDomain(path.substr(start + 1, i - start - 1)));
        if (path[i] == ':') return i + 1;
        start = i + 1;
        if (start == path.size()) break;
    }
    return bad("the source route is malformed");
}

// The index of the ">" that ends the path, outside of quotes.
std::size_t pathEnd(std::string_view line) {
    bool inQuotes = false;
    for (std::size_t i = 1; i < line.size(); ++i) {
        if (inQuotes && line[i] == '\\')
            ++i;
        else if (line[i] == '"')
            inQuotes = !inQuotes;
        else if (line[i] == '>' && !inQuotes)
            return i;
    }
    return std::string_view::npos;
}

Result<Address> addressInPath(std::string_view inside, PathUse use, const AddressOptions& options) {
    if (use == PathUse::RcptTo && equalsIgnoreCase(inside, "postmaster")) return Address{"postmaster", ""};
    POSTERN_TRY(checkBytes(inside, options));
    POSTERN_LET(route, sourceRouteEnd(inside));
    return parseAddress(inside.substr(route), options);
}

}  // namespace

std::string Address::text() const {
    const std::string left = isDotString(local) || local.empty() ? local : quoted(local);
    return domain.empty() ? left : left + '@' + domain;
}

Result<Address> parseAddress(std::string_view text, const AddressOptions& options) {
    if (text.empty()) return bad("the address is empty");
    if (text.size() > 2 * kMailboxLimit) return bad("the address is longer than 254 bytes");
    POSTERN_TRY(checkBytes(text, options));
    std::string_view rest = text;
    POSTERN_LET(local, takeLocal(rest, options));
    if (local.empty()) return bad("the address has no local part");
    Address address{std::move(local), {}};
    if (rest.empty()) {
        if (options.bareDomain.empty()) return bad("the address has no @domain");
        address.domain = options.bareDomain;
    } else {
        if (rest.front() != '@') return bad("something stands between the quoted local part and the @");
        address.domain = rest.substr(1);
    }
    POSTERN_TRY(checkDomain(address.domain));
    const std::string whole = address.text();
    if (whole.size() - address.domain.size() - 1 > kLocalLimit)
        return bad("the local part is longer than 64 bytes");
    if (whole.size() > kMailboxLimit) return bad("the address is longer than 254 bytes");
    return address;
}

Result<Path> parsePath(std::string_view line, PathUse use, const AddressOptions& options) {
    line = trim(line);
    if (line.empty() || line.front() != '<') return bad("the address must stand in <brackets>");
    const std::size_t end = pathEnd(line);
    if (end == std::string_view::npos) return bad("the address has no closing bracket");
    const std::string_view inside = line.substr(1, end - 1);
    const std::string_view rest = line.substr(end + 1);
    if (!rest.empty() && rest.front() != ' ') return bad("a blank must follow the closing bracket");
    Path path;
    path.rest = trim(rest);
    if (inside.empty()) {
        if (use == PathUse::RcptTo) return bad("a recipient must have an address");
        path.isNull = true;
        return path;
    }
    POSTERN_LET(address, addressInPath(inside, use, options));
    path.address = std::move(address);
    return path;
}

bool looksRelayed(const Address& address) {
    return address.local.find_first_of("%!@") != std::string::npos ||
           (!address.domain.empty() && address.domain.front() == '[');
}

std::string foldAddress(const Address& address) {
    return lowerAscii(address.text());
}

std::string foldLegacyName(std::string_view name) {
    std::string out;
    out.reserve(name.size());
    for (const char c : trim(name)) {
        const bool blank = c == ' ' || c == '\t';
        if (blank && out.ends_with(' ')) continue;
        out += blank ? ' ' : lowerAscii(c);
    }
    return out;
}

}  // namespace postern::mail
