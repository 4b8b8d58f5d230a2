#include "connector/config/load.h"

#include <algorithm>

#include "adapters/extension/absent.h"
#include "adapters/extension/loader.h"
#include "adapters/webhook/webhook_settings.h"
#include "base/environment.h"
#include "base/file.h"
#include "base/networks.h"
#include "base/path.h"
#include "base/places.h"
#include "base/service_control.h"
#include "base/text.h"
#include "connector/config/address.h"
#include "connector/config/check.h"
#include "connector/config/fields.h"
#include "connector/config/keys.h"
#include "connector/config/policy_keys.h"
#include "connector/config/section.h"
#include "connector/config/tree.h"
#include "connector/config/words.h"
#include "mail/address.h"

namespace postern::config {

namespace {

// Visits the members of a struct and gives each what the section has for it.
class Assign {
  public:
    explicit Assign(const Section& section) : section_(section) {}

    void operator()(const char* key, std::string& member) const {
        with(key, [&](const Entry& entry) { member = entry.text; });
    }
    void operator()(const char* key, int& member) const {
        with(key, [&](const Entry& entry) { member = static_cast<int>(entry.number); });
    }
    void operator()(const char* key, std::int64_t& member) const {
        with(key, [&](const Entry& entry) { member = entry.number; });
    }
    void operator()(const char* key, Amount& member) const {
        with(key, [&](const Entry& entry) {
            member = entry.number < 0 ? Amount{0, static_cast<int>(-entry.number)} : Amount{entry.number, 0};
        });
    }
    void operator()(const char* key, bool& member) const {
        with(key, [&](const Entry& entry) { member = entry.number != 0; });
    }
    void operator()(const char* key, std::vector<std::string>& member) const {
        with(key, [&](const Entry& entry) {
            member.clear();
            if (entry.text.empty()) return;
            for (const std::string_view line : split(entry.text, '\n')) member.emplace_back(line);
        });
    }
    void operator()(const char* key, Millis& member) const {
        with(key, [&](const Entry& entry) { member = Millis(entry.number); });
    }
    template <class Enum>
    void operator()(const char* key, Enum& member) const {
        with(key, [&](const Entry& entry) { setByWord(member, entry.text); });
    }

  private:
    template <class Action>
    void with(const char* key, Action action) const {
        const auto found = section_.find(key);
        if (found != section_.end()) action(found->second);
    }
    const Section& section_;
};

const Entry* entryOf(const Section& section, std::string_view key) {
    const auto found = section.find(key);
    return found == section.end() ? nullptr : &found->second;
}

void readTop(const Node& root, Config& config, Findings& findings) {
    static constexpr std::string_view kElsewhere[] = {"listener", "pickup", "adapter", "reports", "http",
                                                      "chat",     "table",  "rule",    "route"};
    const Section section = readSection(root, keysOf(""), kElsewhere, findings);
    visitTop(config, Assign(section));
    if (config.hostname.empty()) config.hostname = hostName();
    if (config.controlSocket.empty() && !config.store.empty())
        config.controlSocket = joinPath(config.store, "control.sock");
    const Entry* name = entryOf(section, "hostname");
    const auto bad = std::find_if(config.hostname.begin(), config.hostname.end(), [](unsigned char c) {
        return c <= 0x20 || c >= 0x7f ||
               std::string_view("()<>@,;:\\\"").find(static_cast<char>(c)) != std::string_view::npos;
    });
    const bool domain = mail::parseAddress("postmaster@" + config.hostname).ok();  // reports' author
    if (name != nullptr && name->given && (bad != config.hostname.end() || !domain))
        findings.problem(name->place, "\"hostname\" must be a host name, not \"" +
                                          escapeLine(config.hostname, 100) + "\"");
}

// Calls `visit` with each table of `[[name]]`.
template <class Visit>
void eachTable(const Node& root, std::string_view name, Findings& findings, Visit visit) {
    const Node* list = childNamed(root, name);
    if (list == nullptr) return;
    const std::string header = "[[" + std::string(name) + "]]";
    if (list->kind != Node::Kind::List)
        return findings.problem(list->place, "write " + header + ": there may be several");
    for (const Node& table : list->children) {
        if (table.kind == Node::Kind::Table) {
            visit(table);
        } else {
            findings.problem(table.place,
                             "must be a table " + header + ", not " + std::string(kindName(table.kind)));
        }
    }
}

std::string defaultName(const Config& config, Protocol protocol) {
    const auto same = std::count_if(config.listeners.begin(), config.listeners.end(),
                                    [&](const Listener& each) { return each.protocol == protocol; });
    const std::string word(wordOf(protocol));
    return same == 0 ? word : word + "-" + std::to_string(same + 1);
}

void readListener(const Node& table, Config& config, Findings& findings) {
    const Section section = readSection(table, keysOf("listener"), {}, findings);
    Listener listener;
    listener.place = table.place;
    listener.limits.hops = config.hops;
    visitListener(listener, Assign(section));
    if (listener.name.empty()) listener.name = defaultName(config, listener.protocol);
    if (!validName(listener.name))
        findings.problem(entryOf(section, "name")->place,
                         "\"name\" must consist of letters, digits, - and _");
    const Entry* address = entryOf(section, "address");
    // With an unknown protocol nobody can say whether a Unix socket is right.
    if (address != nullptr && entryOf(section, "protocol") != nullptr) {
        const Result<void> read = readAddress(address->text, listener);
        if (!read.ok()) findings.problem(address->place, read.error().text);
    }
    config.listeners.push_back(std::move(listener));
}

void readPickup(const Node& table, Config& config, Findings& findings) {
    const Section section = readSection(table, keysOf("pickup"), {}, findings);
    Pickup pickup;
    pickup.place = table.place;
    pickup.hops = config.hops;
    visitPickup(pickup, Assign(section));
    const std::size_t before = config.pickups.size();
    if (pickup.name.empty()) pickup.name = before == 0 ? "pickup" : "pickup-" + std::to_string(before + 1);
    if (pickup.setAside.empty() && !pickup.folder.empty()) pickup.setAside = joinPath(pickup.folder, "bad");
    if (!validName(pickup.name))
        findings.problem(entryOf(section, "name")->place,
                         "\"name\" must consist of letters, digits, - and _");
    config.pickups.push_back(std::move(pickup));
}

void readTable(const Node& node, Config& config, Findings& findings) {
    const Section section = readSection(node, keysOf("table"), {}, findings);
    Table table;
    table.place = node.place;
    visitTable(table, Assign(section));
    config.tables.push_back(std::move(table));
}

void readRule(const Node& table, Config& config, Findings& findings) {
    const Section section = readSection(table, keysOf("rule"), {}, findings);
    Rule rule;
    rule.place = table.place;
    visitRule(rule, Assign(section));
    config.rules.push_back(std::move(rule));
}

void readReports(const Node& root, Config& config, Findings& findings) {
    const Node* table = childNamed(root, "reports");
    if (table == nullptr) return;
    if (table->kind != Node::Kind::Table)
        return findings.problem(table->place, "write [reports] and its keys below");
    config.reports.place = table->place;
    visitReports(config.reports, Assign(readSection(*table, keysOf("reports"), {}, findings)));
}

std::optional<Listener> readDoor(const Entry& address, Findings& findings) {
    Listener parsed;
    parsed.protocol = Protocol::Lmtp;  // may be a Unix socket
    if (const auto read = readAddress(address.text, parsed); !read.ok()) {
        findings.problem(address.place, read.error().text);
        return std::nullopt;
    }
    return parsed;
}

bool ofThisMachine(const Listener& listener) {
    return !listener.socketPath.empty() || namesLoopback(listener.host);
}

bool validNick(const std::string& nick) {
    return validName(nick) && nick.size() <= 30 && lowerAscii(nick.front()) >= 'a' &&
           lowerAscii(nick.front()) <= 'z';
}

void readHttp(const Node& root, Config& config, Findings& findings) {
    const Node* table = childNamed(root, "http");
    if (table == nullptr) return;
    if (table->kind != Node::Kind::Table)
        return findings.problem(table->place, "write [http] and its keys below");
    Http& http = config.http;
    http.place = table->place;
    const Section section = readSection(*table, keysOf("http"), {}, findings);
    visitHttp(http, Assign(section));
    if (http.address.empty()) {
        if (childNamed(*table, "address") == nullptr)
            findings.warning(table->place, "[http] has no \"address\": it is off");
        return;
    }
    const auto parsed = readDoor(*entryOf(section, "address"), findings);
    if (!parsed) return;
    if (!ofThisMachine(*parsed))
        return findings.problem(entryOf(section, "address")->place,
                                "\"address\" must be of this machine, as 127.0.0.1: what is said here is "
                                "not encrypted. Others come by a proxy with TLS, or by ssh");
    http.host = parsed->host;
    http.port = parsed->port;
    http.socketPath = parsed->socketPath;
}

void readChatDoor(const Entry* given, bool tls, ChatDoor& door, Findings& findings) {
    if (given == nullptr || door.address.empty()) return;
    const Entry& address = *given;
    const auto parsed = readDoor(address, findings);
    if (!parsed) return;
    if (!tls && !ofThisMachine(*parsed))
        return findings.problem(address.place,
                                "\"address\" must be of this machine, as 127.0.0.1: what is said here is "
                                "not encrypted. For others there is \"tls_address\"");
    door.host = parsed->host;
    door.port = parsed->port;
    door.socketPath = parsed->socketPath;
}

void readChat(const Node& root, Config& config, Findings& findings) {
    const Node* table = childNamed(root, "chat");
    if (table == nullptr) return;
    if (table->kind != Node::Kind::Table)
        return findings.problem(table->place, "write [chat] and its keys below");
    Chat& chat = config.chat;
    chat.place = table->place;
    const Section section = readSection(*table, keysOf("chat"), {}, findings);
    visitChat(chat, Assign(section));
    readChatDoor(entryOf(section, "address"), false, chat.plain, findings);
    readChatDoor(entryOf(section, "tls_address"), true, chat.tls, findings);
    if (childNamed(*table, "address") == nullptr && childNamed(*table, "tls_address") == nullptr)
        findings.warning(table->place, "[chat] has neither \"address\" nor \"tls_address\": it is off");
    if (!chat.tls.address.empty() && (chat.certificate.empty() || chat.key.empty()))
        findings.problem(entryOf(section, "tls_address")->place,
                         "\"tls_address\" needs both \"certificate\" and \"key\"");
    const bool named =
        chat.channel.starts_with('#') && validName(chat.channel.substr(1)) && chat.channel.size() <= 64;
    if (const Entry* entry = entryOf(section, "channel"); entry != nullptr && !named)
        findings.problem(entry->place, "\"channel\" must be # and then letters, digits, - and _, 64 at most");
    if (const Entry* entry = entryOf(section, "nick"); entry != nullptr && !validNick(chat.nick))
        findings.problem(entry->place,
                         "\"nick\" must be a letter and then letters, digits, - and _, 30 at most");
}

void readRoute(const Node& table, Config& config, Findings& findings) {
    const Section section = readSection(table, keysOf("route"), {}, findings);
    Route route;
    route.place = table.place;
    visitRoute(route, Assign(section));
    if (const Entry* entry = entryOf(section, "recipient")) {
        const std::string wrong = patternProblem(entry->text);
        if (!wrong.empty())
            findings.problem(entry->place,
                             "\"recipient\" " + wrong + ", not \"" + escapeLine(entry->text, 100) + "\"");
    }
    if (const Entry* entry = entryOf(section, "legacy")) {
        const std::string wrong = templateProblem(entry->text);
        if (!wrong.empty()) findings.problem(entry->place, "\"legacy\" " + wrong);
    }
    // A missing name is one problem, not two.
    if (const Entry* entry = entryOf(section, "adapter")) {
        route.place = entry->place;
        config.routes.push_back(std::move(route));
    }
}

using RefusedLibraries = std::vector<adapters::Refused>;

// Why a kind may be missing: the library of its name, else the first few that were refused.
std::string whyMissing(const std::string& kind, const RefusedLibraries& refused) {
    constexpr std::size_t kNamed = 3;
    std::string why = "the kind \"" + escapeLine(kind, 100) + "\" may be in a library that was refused: ";
    for (const adapters::Refused& each : refused) {
        const std::string_view file = lastName(each.path);
        if (file.substr(0, file.find('.')) == kind) return why + each.path + " " + each.reason;
    }
    for (std::size_t i = 0; i < std::min(kNamed, refused.size()); ++i)
        why += (i == 0 ? "" : "; ") + refused[i].path + " " + refused[i].reason;
    return why;
}

// A kind that may be in a refused library has a stand-in: one old library stops one adapter and not the
// service. With no library refused a strange name is a mistake.
const adapters::Kind* kindOf(const Node& table, const RefusedLibraries& refused, Findings& findings) {
    const Node* node = childNamed(table, "kind");
    if (node == nullptr || node->kind != Node::Kind::Text) return nullptr;  // readSection says so
    const adapters::Kind* found = adapters::kindNamed(node->text);
    if (found != nullptr && found != adapters::absentKind(node->text)) return found;
    if (!refused.empty()) {
        const std::string why = whyMissing(node->text, refused);
        findings.warning(node->place, why + ": the adapter is suspended, and its mail waits");
        return adapters::standInFor(node->text, why);
    }
    std::vector<std::string_view> names;
    std::string list;
    for (const adapters::Kind* kind : adapters::kinds()) {
        names.emplace_back(kind->name);
        list += (list.empty() ? "" : ", ") + std::string(kind->name);
    }
    findings.problem(node->place, "there is no adapter kind \"" + escapeLine(node->text, 100) + "\", only " +
                                      list + didYouMean(node->text, names));
    return nullptr;
}

// Each setting is right by itself; the kind knows which do not go together.
void checkTogether(const adapters::Kind& kind, const Adapter& adapter, const Config& config,
                   Findings& findings) {
    const auto made = kind.make({adapter.name, config.hostname, "check", {}}, adapter.settings);
    if (!made.ok()) findings.problem(adapter.place, "adapter \"" + adapter.name + "\": " + made.error().text);
}

// The keys that nobody knows, as only its kind could read them and that is a wrong or a missing one.
std::vector<std::string_view> unreadKeys(const adapters::Kind* kind, const Node& table) {
    std::vector<std::string_view> keys;
    const bool wrong = kind == nullptr && childNamed(table, "kind") != nullptr;
    const bool missing = kind != nullptr && kind == adapters::absentKind(kind->name);
    if (!wrong && !missing) return keys;
    for (const Node& child : table.children) keys.push_back(child.key);
    return keys;
}

void readAdapter(const Node& table, const std::string& name, const RefusedLibraries& refused, Config& config,
                 Findings& findings) {
    Adapter adapter;
    adapter.name = name;
    adapter.place = table.place;
    if (!validName(name))
        findings.problem(table.place, "an adapter's name must consist of letters, digits, - and _, not \"" +
                                          escapeLine(name, 100) + "\"");
    if (table.kind != Node::Kind::Table)
        return findings.problem(table.place, "write [adapter." + name + "] and its keys below");
    std::vector<const adapters::Setting*> known = keysOf("adapter");
    const adapters::Kind* kind = kindOf(table, refused, findings);
    if (kind != nullptr)
        for (const adapters::Setting& setting : kind->settings) known.push_back(&setting);
    Findings own;
    const Section section = readSection(table, known, unreadKeys(kind, table), own);
    std::move(own.problems.begin(), own.problems.end(), std::back_inserter(findings.problems));
    visitAdapter(adapter, Assign(section));
    // A receiver of events knows an id again: to wait for a person would be the odd choice there.
    if (kind != nullptr && kind->name == adapters::kWebhookKind && childNamed(table, "on_doubt") == nullptr)
        adapter.onDoubt = OnDoubt::ReceiverDedupes;
    readPolicy(section, adapter, findings);
    if (kind != nullptr)
        for (const adapters::Setting& setting : kind->settings)
            if (const Entry* entry = entryOf(section, setting.key))
                adapter.settings.set(setting.key, canonical(setting, *entry));
    if (kind != nullptr && own.problems.empty()) checkTogether(*kind, adapter, config, findings);
    config.adapters.push_back(std::move(adapter));
}

void readAdapterTables(const Node& root, const RefusedLibraries& refused, Config& config,
                       Findings& findings) {
    const Node* adapters = childNamed(root, "adapter");
    if (adapters == nullptr) return;
    if (adapters->kind != Node::Kind::Table)
        return findings.problem(adapters->place, "write [adapter.NAME]: each adapter has a name");
    for (const Node& table : adapters->children) readAdapter(table, table.key, refused, config, findings);
}

ParsedFile parseOr(const std::string& path, const Instead& instead) {
    const auto found = instead.find(path);
    return found != instead.end() && found->second ? parseText(*found->second, path) : parseFile(path);
}

void readAdapterFile(const std::string& folder, const std::string& file, const RefusedLibraries& refused,
                     const Instead& instead, Config& config, Findings& findings) {
    const std::string path = joinPath(folder, file);
    ParsedFile parsed = parseOr(path, instead);
    if (parsed.problem) return findings.problem(parsed.problem->place, parsed.problem->text);
    parsed.root.place = {path, 1, 1};
    readAdapter(parsed.root, file.substr(0, file.size() - 5), refused, config, findings);
}

Result<void> listAdapterFiles(const std::string& path, std::vector<std::string>& files) {
    if (!pathExists(path)) return {};
    POSTERN_LET(folder, Folder::open(path));
    return folder.list([&](std::string_view name) {
        if (name.ends_with(".toml") && !name.starts_with('.')) files.emplace_back(name);
        return true;
    });
}

void readAdapterFolder(const std::string& path, const RefusedLibraries& refused, const Instead& instead,
                       Config& config, Findings& findings) {
    std::vector<std::string> files;
    const Result<void> listed = listAdapterFiles(path, files);
    if (!listed.ok()) return findings.problem({path, 0, 0}, "can not be read: " + listed.error().text);
    for (const auto& [file, text] : instead) {
        if (parentPath(file) != path) continue;
        const std::string name(lastName(file));
        std::erase(files, name);
        if (text) files.push_back(name);
    }
    std::sort(files.begin(), files.end());
    for (const std::string& file : files) readAdapterFile(path, file, refused, instead, config, findings);
}

// The main file first, then the others by name, each from the top.
void sortProblems(std::vector<Problem>& problems, const std::string& mainFile) {
    const auto key = [&](const Problem& problem) {
        const Place& place = problem.place;
        return std::make_tuple(place.file != mainFile, place.file, place.line, place.column);
    };
    std::stable_sort(problems.begin(), problems.end(),
                     [&](const Problem& a, const Problem& b) { return key(a) < key(b); });
}

// Before the adapters are read: their kinds may be in there.
RefusedLibraries readExtensions(const Node& root, const Config& config, Findings& findings) {
    std::vector<std::string_view> common = {"kind"};
    for (const adapters::Setting* key : keysOf("adapter")) common.push_back(key->key);
    const Node* node = childNamed(root, "adapter_folder");
    RefusedLibraries all = adapters::loadExtensions(config.adapterFolder, common);
    for (const adapters::Refused& refused : all)
        findings.warning(node == nullptr ? root.place : node->place,
                         refused.path + " " + refused.reason + "; its kinds of adapter are not there");
    return all;
}

void readAll(const Node& root, const Instead& instead, Config& config, Findings& findings) {
    readTop(root, config, findings);
    const RefusedLibraries refused = readExtensions(root, config, findings);
    eachTable(root, "listener", findings, [&](const Node& table) { readListener(table, config, findings); });
    readHttp(root, config, findings);
    readChat(root, config, findings);
    eachTable(root, "pickup", findings, [&](const Node& table) { readPickup(table, config, findings); });
    eachTable(root, "table", findings, [&](const Node& table) { readTable(table, config, findings); });
    eachTable(root, "rule", findings, [&](const Node& table) { readRule(table, config, findings); });
    readReports(root, config, findings);
    eachTable(root, "route", findings, [&](const Node& table) { readRoute(table, config, findings); });
    readAdapterTables(root, refused, config, findings);
    readAdapterFolder(joinPath(parentPath(config.file), "adapters.d"), refused, instead, config, findings);
    std::stable_sort(config.adapters.begin(), config.adapters.end(),
                     [](const Adapter& a, const Adapter& b) { return a.name < b.name; });
    checkWhole(config, findings);
}

constexpr const char* kOtherFile =
    "; another file is named with --config FILE, and 'postern config example' prints one to begin with";

}  // namespace

Loaded load(const std::string& path, const Instead& instead) {
    Config config;
    config.file = path;
    Findings findings;
    ParsedFile parsed = parseOr(path, instead);
    if (parsed.problem) {
        const bool unread = parsed.problem->place.line == 0;
        findings.problem(parsed.problem->place, parsed.problem->text + (unread ? kOtherFile : ""));
    } else {
        parsed.root.place = {path, 1, 1};
        readAll(parsed.root, instead, config, findings);
    }
    sortProblems(findings.problems, path);
    sortProblems(findings.warnings, path);
    Loaded loaded{std::nullopt, std::move(findings.problems), std::move(findings.warnings)};
    if (loaded.problems.empty()) loaded.config = std::move(config);
    return loaded;
}

std::string defaultPath() {
    if (auto said = environmentVariable("POSTERN_CONFIG")) return *said;
    if (auto installed = installedConfiguration()) return *installed;
    return placeFor("/etc/postern/postern.toml");
}

}  // namespace postern::config
