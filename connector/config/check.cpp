#include "connector/config/check.h"

#include <algorithm>
#include <cstdlib>
#include <map>

#include "adapters/chat/chat_entry.h"
#include "adapters/webhook/webhook_settings.h"
#include "base/file.h"
#include "base/networks.h"
#include "base/path.h"
#include "base/text.h"
#include "connector/addresses/name_pattern.h"
#include "connector/config/address.h"
#include "connector/config/check_policy.h"
#include "connector/config/check_webhooks.h"
#include "connector/config/keys.h"
#include "connector/config/policy_keys.h"
#include "mail/address.h"
#include "mail/mailboxes.h"

namespace postern::config {

namespace {

// Finds the second user of something that only one can have.
class Takers {
  public:
    // The place where `thing` was taken before, or null; it is taken now.
    const Place* before(const std::string& thing, const Place& place) {
        const auto [found, fresh] = taken_.try_emplace(thing, place);
        return fresh ? nullptr : &found->second;
    }

  private:
    std::map<std::string, Place> taken_;
};

bool hasBlanks(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c <= 0x20 || c == 0x7f; });
}

// Something that is listened on, for whom.
struct Ear {
    std::string what;
    Listener at;  // its address
    Place place;
    bool needed;  // without it there is no service
};

// In the order in which the service opens them.
std::vector<Ear> earsOf(const Config& config) {
    std::vector<Ear> ears;
    for (const Listener& listener : config.listeners)
        ears.push_back({"listener \"" + listener.name + "\"", listener, listener.place, true});
    const auto add = [&](const char* what, const auto& door, const Place& place, bool needed) {
        Listener at;
        at.host = door.host;
        at.port = door.port;
        at.socketPath = door.socketPath;
        ears.push_back({what, std::move(at), place, needed});
    };
    add("[http]", config.http, config.http.place, true);
    add("the \"address\" of [chat]", config.chat.plain, config.chat.place, false);
    add("the \"tls_address\" of [chat]", config.chat.tls, config.chat.place, false);
    Listener control;
    control.socketPath = config.controlSocket;
    ears.push_back({"the control socket", std::move(control), {config.file, 1, 1}, true});
    return ears;
}

bool isWithinAll(const std::string& host, const std::string& all) {
    const auto address = IpAddress::parse(host);
    return (all == "0.0.0.0" && address && !address->v6) || (all == "::" && address && address->v6);
}

// Of two such the second can not be opened. Port 0 is another one for each.
bool inEachOthersWay(const Listener& one, const Listener& other) {
    if (!one.socketPath.empty() || !other.socketPath.empty())
        return plainPath(one.socketPath) == plainPath(other.socketPath);
    if (one.port == 0 || one.port != other.port) return false;
    return equalsIgnoreCase(one.host, other.host) || isWithinAll(one.host, other.host) ||
           isWithinAll(other.host, one.host);
}

void checkListeners(const Config& config, Findings& findings) {
    Takers names;
    for (const Listener& listener : config.listeners)
        if (const Place* first = names.before(listener.name, listener.place))
            findings.problem(listener.place, "a second listener named \"" + listener.name +
                                                 "\"; the first is at " + placeText(*first));
    const std::vector<Ear> ears = earsOf(config);
    for (auto ear = ears.begin(); ear != ears.end(); ++ear) {
        const auto first = std::find_if(ears.begin(), ear,
                                        [&](const Ear& each) { return inEachOthersWay(each.at, ear->at); });
        if (first == ear) continue;
        std::string text = ear->what + " is on " + addressText(ear->at) + ", where " + first->what +
                           " is already, at " + placeText(first->place);
        if (ear->needed) {
            findings.problem(ear->place, std::move(text));
        } else {
            findings.warning(ear->place, std::move(text));
        }
    }
}

bool isFingerprint(std::string_view text) {
    return text.starts_with("sha256:") && text.size() == 7 + 64 &&
           text.find_first_not_of("0123456789abcdefABCDEF", 7) == std::string_view::npos;
}

void checkTls(const Listener& listener, Findings& findings) {
    const std::string what = "listener \"" + listener.name + "\": ";
    const auto problem = [&](const std::string& text) { findings.problem(listener.place, what + text); };
    if (listener.tls == Tls::Off) {
        if (!listener.clientCa.empty() || !listener.clientCertificates.empty())
            problem("\"client_ca\" and \"client_certificates\" mean nothing without \"tls\"");
        if (listener.auth != Auth::Off && listener.socketPath.empty())
            problem("\"auth\" needs \"tls\": passwords do not go over a network in the clear");
        if (!listener.certificate.empty() || !listener.key.empty())
            findings.warning(listener.place, what +
                                                 "\"certificate\" and \"key\" are not used while \"tls\" "
                                                 "is \"off\"");
        return;
    }
    if (listener.certificate.empty() || listener.key.empty())
        problem("\"tls\" needs both \"certificate\" and \"key\"");
    for (const std::string& entry : listener.clientCertificates) {
        if (entry.starts_with("sha256:") && !isFingerprint(entry))
            problem("\"" + escapeLine(entry, 100) + "\" must be sha256: and 64 hex digits without colons");
        if (!entry.starts_with("sha256:") && listener.clientCa.empty())
            problem("the name \"" + escapeLine(entry, 100) +
                    "\" in \"client_certificates\" says nothing without a \"client_ca\" that vouches for it");
    }
}

void checkSocketKeys(const Listener& listener, Findings& findings) {
    const std::string what = "listener \"" + listener.name + "\": ";
    const std::string& mode = listener.socketMode;
    if (mode.empty() || mode.size() > 4 || mode.find_first_not_of("01234567") != std::string::npos ||
        std::strtoul(mode.c_str(), nullptr, 8) > 0777)
        findings.problem(listener.place, what + "\"socket_mode\" must be octal, as \"0660\", not \"" +
                                             escapeLine(mode, 40) + "\"");
    const bool given = mode != Listener().socketMode || !listener.socketOwner.empty();
    if (given && listener.socketPath.empty())
        findings.problem(listener.place,
                         what + "\"socket_mode\" and \"socket_owner\" are for Unix sockets only");
}

void checkListenerKeys(const Config& config, Findings& findings) {
    for (const Listener& listener : config.listeners) {
        checkTls(listener, findings);
        checkSocketKeys(listener, findings);
        const auto networks = Networks::parse(listener.networks);
        if (!networks.ok())
            findings.problem(listener.place,
                             "listener \"" + listener.name + "\": in \"networks\", " + networks.error().text);
    }
}

// Folders that only one can have. Where a command runs is none: "/" serves all of them.
bool isFolderKey(std::string_view key) {
    return (key.ends_with("folder") && key != "working_folder") || key == "stage";
}

// KB Q131988: another connector's tool reads our queue folder in another format.
void checkFolders(const Config& config, Findings& findings) {
    Takers folders;
    for (const Adapter& adapter : config.adapters) {
        const adapters::Kind* kind = adapters::kindNamed(adapter.kind);
        if (kind == nullptr) continue;
        for (const adapters::Setting& setting : kind->settings) {
            const std::string& path = adapter.settings.text(setting.key);
            if (setting.type != adapters::SettingType::Path || !isFolderKey(setting.key) || path.empty())
                continue;
            const std::string what = "adapter \"" + adapter.name + "\": \"" + setting.key + "\" is ";
            if (plainPath(path) == plainPath(config.store))
                findings.problem(adapter.place, what + "the store's own folder");
            const Place* first = folders.before(plainPath(path), adapter.place);
            if (first != nullptr && placeText(*first) != placeText(adapter.place))
                findings.problem(adapter.place, what + "used by another adapter already, at " +
                                                    placeText(*first) + ": each needs a folder of its own");
        }
    }
}

void checkAdapters(const Config& config, Findings& findings) {
    Takers names;
    for (const Adapter& adapter : config.adapters) {
        if (const Place* first = names.before(adapter.name, adapter.place))
            findings.problem(adapter.place, "a second adapter named \"" + adapter.name +
                                                "\"; the first is at " + placeText(*first));
        if (adapter.retry.first > adapter.retry.longest)
            findings.problem(adapter.place, "adapter \"" + adapter.name +
                                                "\": \"retry_first\" is longer than \"retry_longest\"");
        if (adapter.kind != adapters::kWebhookKind &&
            !mailLeadsTo(config, adapter.name))  // KB Q186235: nobody noticed
            findings.warning(adapter.place, "no route leads to adapter \"" + adapter.name + "\"");
    }
}

// A channel that its adapter does not have takes no mail: each would be refused, and nobody would know why.
void checkWaysToChannels(const Config& config, Findings& findings) {
    for (const Route& route : config.routes) {
        const Adapter* adapter = adapterNamed(config, route.adapter);
        const bool madeOfTheAddress = route.legacy.find_first_of("{%") != std::string::npos;
        if (adapter == nullptr || adapter->kind != adapters::chat::kChatKind || madeOfTheAddress ||
            !adapters::chat::isChannel(route.legacy))
            continue;
        const auto channels = adapter->settings.list("channels");
        if (std::any_of(channels.begin(), channels.end(),
                        [&](const std::string& each) { return equalsIgnoreCase(each, route.legacy); }))
            continue;
        std::string all;
        for (const std::string& channel : channels) all += "\"" + channel + "\", ";
        const std::string channel = escapeLine(route.legacy, 100);
        findings.problem(route.place, "\"legacy\" leads to " + channel + ", which adapter \"" +
                                          adapter->name + "\" has not: write channels = [" + all + "\"" +
                                          channel + "\"] there, or its mail is refused");
    }
}

void checkChat(const Config& config, Findings& findings) {
    checkWaysToChannels(config, findings);
    Takers channels;
    for (const Adapter& adapter : config.adapters) {
        if (adapter.kind != adapters::chat::kChatKind) continue;
        const std::string what = "adapter \"" + adapter.name + "\": ";
        if (!config.chat.on())
            findings.warning(adapter.place, what +
                                                "[chat] is off: mail for its channels is exported into their "
                                                "logs and nobody hears of it; mail for people waits, and is "
                                                "returned");
        for (const std::string& channel : adapter.settings.list("channels")) {
            if (config.chat.on() && equalsIgnoreCase(channel, config.chat.channel))
                findings.problem(adapter.place, what + "the channel " + channel +
                                                    " is the queue's, \"channel\" of [chat]: what strangers "
                                                    "write would stand among its events");
            if (const Place* first = channels.before(lowerAscii(channel), adapter.place))
                findings.problem(adapter.place, what + "the channel " + channel +
                                                    " has mail already, by the adapter at " +
                                                    placeText(*first));
        }
    }
}

bool isWithin(const std::string& path, const std::string& folder) {
    return path == folder || path.starts_with(joinPath(folder, ""));
}

// What a pickup takes must never be what somebody of ours put there: mail would go round for ever.
void checkPickupFolder(const Config& config, const Pickup& pickup, Findings& findings) {
    const std::string folder = plainPath(pickup.folder);
    const std::string what = "pickup \"" + pickup.name + "\": ";
    if (isWithin(folder, plainPath(config.store)))
        findings.problem(pickup.place, what + "\"folder\" is in the store's own folder");
    if (plainPath(pickup.setAside) == folder)
        findings.problem(pickup.place,
                         what + "\"set_aside\" is the folder itself: bad files would be taken again");
    for (const Adapter& adapter : config.adapters) {
        const adapters::Kind* kind = adapters::kindNamed(adapter.kind);
        if (kind == nullptr) continue;
        for (const adapters::Setting& setting : kind->settings) {
            const std::string& path = adapter.settings.text(setting.key);
            if (setting.type != adapters::SettingType::Path || !isFolderKey(setting.key) || path.empty())
                continue;
            if (plainPath(path) == folder || plainPath(path) == plainPath(pickup.setAside))
                findings.problem(pickup.place, what + "adapter \"" + adapter.name +
                                                   "\" uses the same folder, at " + placeText(adapter.place) +
                                                   ": mail would go round");
        }
    }
}

void checkPickups(const Config& config, Findings& findings) {
    Takers names, folders;
    for (const Listener& listener : config.listeners) names.before(listener.name, listener.place);
    for (const Pickup& pickup : config.pickups) {
        const std::string what = "pickup \"" + pickup.name + "\": ";
        if (const Place* first = names.before(pickup.name, pickup.place))
            findings.problem(pickup.place,
                             what + "the name is taken at " + placeText(*first) + ": rules could not tell");
        if (pickup.folder.empty()) continue;
        const auto takeFolder = [&](const std::string& path, const char* key) {
            const Place* first = folders.before(plainPath(path), pickup.place);
            if (first != nullptr && placeText(*first) != placeText(pickup.place))
                findings.problem(pickup.place, what + "\"" + key + "\" is used by the pickup at " +
                                                   placeText(*first) + " already");
        };
        takeFolder(pickup.folder, "folder");
        takeFolder(pickup.setAside, "set_aside");
        checkPickupFolder(config, pickup, findings);
    }
}

void checkRoutes(const Config& config, Findings& findings) {
    Takers patterns;
    const Route* everything = nullptr;
    for (const Route& route : config.routes) {
        checkAdapterName(config, route.adapter, route.place, findings);
        if (route.use == RouteUse::Replies) continue;
        if (const Place* first = patterns.before(lowerAscii(route.pattern), route.place)) {
            findings.warning(route.place,
                             "never used: the route at " + placeText(*first) + " has the same pattern");
        } else if (everything != nullptr) {
            findings.warning(route.place, "never used: the route at " + placeText(everything->place) +
                                              " takes everything");
        }
        if (everything == nullptr && route.pattern == "*") everything = &route;
    }
    const Place top{config.file, 1, 1};
    if (config.routes.empty() && config.tables.empty())
        findings.warning(top, "there is no [[route]]: every recipient is refused");
    if (config.listeners.empty() && config.pickups.empty())
        findings.warning(top, "there is no [[listener]]: mail comes in by 'postern submit' only");
}

// What these write is read at one place, and goes on to no Internet.
constexpr std::string_view kEnds[] = {"b2f",   "ccmail",  "drop", "fbb", "ftn",
                                      "gwapi", "maildir", "mbox", "mh",  "mhs"};

// Senders sit everywhere; the folder of an application that gets their mail is hardly the way to them.
void checkReportsWay(const Config& config, Findings& findings) {
    const Adapter* adapter = adapterNamed(config, config.reports.adapter);
    if (adapter == nullptr || std::find(std::begin(kEnds), std::end(kEnds), adapter->kind) == std::end(kEnds))
        return;
    for (const Route& route : config.routes) {
        if (route.adapter != adapter->name || route.use == RouteUse::Replies || route.pattern == "*")
            continue;
        return findings.warning(config.reports.place,
                                "[reports] \"adapter\": reports to senders everywhere would go to \"" +
                                    adapter->name + "\", the way of " + escapeLine(route.pattern, 100) +
                                    "; name one that hands mail to the Internet, as kind smtp does");
    }
}

void checkReports(const Config& config, Findings& findings) {
    const Reports& reports = config.reports;
    checkReportsWay(config, findings);
    const auto complain = [&](const char* key, const std::string& text) {
        findings.problem(reports.place, "[reports] \"" + std::string(key) + "\": " + text);
    };
    if (!reports.adapter.empty() && adapterNamed(config, reports.adapter) == nullptr) {
        std::vector<std::string_view> names;
        for (const Adapter& adapter : config.adapters) names.push_back(adapter.name);
        complain("adapter", "there is no adapter \"" + escapeLine(reports.adapter, 100) + "\"" +
                                didYouMean(reports.adapter, names));
    }
    if (!reports.postmaster.empty()) {
        const auto parsed = mail::parseAddress(reports.postmaster);
        if (!parsed.ok()) complain("postmaster", parsed.error().text);
    }
    if (reports.from.empty()) return;
    const std::vector<mail::Mailbox> authors = mail::parseMailboxes(reports.from);
    const bool one = authors.size() == 1 && mail::parseAddress(authors.front().address).ok();
    const bool plain = std::all_of(reports.from.begin(), reports.from.end(),
                                   [](unsigned char c) { return c >= 0x20 && c < 0x7f; });
    if (!one || !plain) complain("from", "must be one author in ASCII: \"Name <user@domain>\"");
}

void checkPaths(const Config& config, Findings& findings) {
    if (config.controlSocket.size() > kSocketPathLimit)
        findings.problem({config.file, 1, 1}, "the path of the control socket, " + config.controlSocket +
                                                  ", is longer than " + std::to_string(kSocketPathLimit) +
                                                  " bytes: set \"control_socket\"");
}

}  // namespace

std::string patternProblem(std::string_view pattern) {
    const std::string forms = "must be \"user@domain\", \"*@domain\", \"*@*.domain\" or \"*\"";
    if (pattern == "*") return {};
    const auto at = pattern.rfind('@');
    if (at == std::string_view::npos || at == 0 || at + 1 == pattern.size() ||
        hasBlanks(pattern.substr(at)) || (pattern[0] != '"' && hasBlanks(pattern)))
        return forms;
    const std::string_view local = pattern.substr(0, at);
    std::string_view domain = pattern.substr(at + 1);
    if (local == "*" && domain.starts_with("*.")) domain.remove_prefix(2);
    const bool starInside = domain.find('*') != std::string_view::npos ||
                            (local != "*" && local.find('*') != std::string_view::npos);
    if (domain.empty() || starInside) return forms;
    // What no address is written like takes none, and its writer would never hear of it.
    const std::string like = (local == "*" ? "x" : std::string(local)) + "@" + std::string(domain);
    mail::AddressOptions options;
    options.utf8 = true;
    const auto parsed = mail::parseAddress(like, options);
    if (!parsed.ok()) return forms + " (" + parsed.error().text + ")";
    if (!equalsIgnoreCase(parsed->text(), like))
        return "must be written as addresses come in, \"" + parsed->text() + "\"";
    return {};
}

std::string templateProblem(std::string_view text) {
    const auto parsed = addresses::NamePattern::parse(text);
    return parsed.ok() ? std::string() : parsed.error().text;
}

void checkWhole(const Config& config, Findings& findings) {
    checkPaths(config, findings);
    checkListeners(config, findings);
    checkListenerKeys(config, findings);
    checkAdapters(config, findings);
    checkChat(config, findings);
    checkFallbacks(config, findings);
    checkFolders(config, findings);
    checkPickups(config, findings);
    checkRoutes(config, findings);
    checkReports(config, findings);
    checkPolicy(config, findings);
    checkWebhooks(config, findings);
}

}  // namespace postern::config
