#include "connector/admin/trouble.h"

#include <algorithm>

#include "base/file.h"
#include "base/text.h"
#include "connector/admin/role.h"
#include "connector/config/folder.h"
#include "net/tls_context.h"

namespace postern::admin {

namespace {

constexpr const char* kChat = "chat";
constexpr const char* kThenReload = "; then \"postern reload\"";

Trouble folderTrouble(const std::string& about, const Error& error) {
    std::string advice = ": see whether its disk or share is there";
    if (error.code == Errc::NotFound) advice = ": make it, or correct \"folder\"";
    if (error.code == Errc::Denied) advice = ": give it to the user that the service runs as";
    return {about, "the folder can not be used: " + error.text + advice};
}

void lookAtFolder(const std::string& about, const std::string& path, std::vector<Trouble>& into) {
    if (const auto folder = Folder::open(path); !folder.ok())
        into.push_back(folderTrouble(about, folder.error()));
}

}  // namespace

std::vector<Trouble> certificateTroubles(const config::Config& config, WallTime now) {
    std::vector<Trouble> troubles;
    const auto look = [&](const std::string& about, const net::TlsFiles& files) {
        const auto made = net::TlsContext::make(files, now);
        if (!made.ok())
            troubles.push_back({about, made.error().text + kThenReload});
        else
            for (const std::string& warning : (*made)->warnings()) troubles.push_back({about, warning});
    };
    for (const config::Listener& listener : config.listeners) {
        if (listener.tls == config::Tls::Off) continue;
        look("listener " + listener.name,
             {listener.certificate, listener.key, listener.clientCa, !listener.clientCertificates.empty()});
    }
    if (!config.chat.tls.address.empty()) look(kChat, {config.chat.certificate, config.chat.key, {}, false});
    return troubles;
}

std::vector<Trouble> folderTroubles(const config::Config& config) {
    std::vector<Trouble> troubles;
    for (const config::Pickup& pickup : config.pickups)
        lookAtFolder("pickup " + pickup.name, pickup.folder, troubles);
    for (const config::Adapter& adapter : config.adapters)
        if (const std::string folder = config::folderOf(adapter); !folder.empty())
            lookAtFolder("adapter " + adapter.name, folder, troubles);
    return troubles;
}

std::vector<Trouble> pickupTroubles(const std::map<std::string, Error>& found) {
    std::vector<Trouble> troubles;
    for (const auto& [name, error] : found) troubles.push_back(folderTrouble("pickup " + name, error));
    return troubles;
}

void addChatTroubles(const ChatState& state, std::vector<Trouble>& into) {
    if (!state.unavailable.empty()) {
        std::erase_if(into, [&](const Trouble& each) {
            const std::size_t advice = each.text.rfind(kThenReload);
            return each.about == kChat && advice != std::string::npos &&
                   state.unavailable.find(each.text.substr(0, advice)) != std::string::npos;
        });
        into.push_back({kChat, state.unavailable + kThenReload + ". Mail is not touched"});
    }
    if (state.deaths > 0)
        into.push_back({kChat, "begun anew " + std::to_string(state.deaths) +
                                   " times after a fault of ours, please report it: " + state.lastDeath});
}

Result<std::string> nobodyForChat(const config::Config& config, store::ReadSession& session) {
    if (!config.chat.on()) return std::string();
    POSTERN_LET(all, accounts::listAccounts(session));
    if (std::any_of(all.begin(), all.end(),
                    [](const accounts::Account& each) { return roleOf(each.roles).has_value(); }))
        return std::string();
    return nobodyText(config, all.empty());
}

std::string nobodyText(const config::Config& config, bool noAccount) {
    return "[chat] is on, and nobody can enter " + config.chat.channel + ": " +
           (noAccount ? "there is no account" : "no account has the role viewer, operator or admin") +
           ". Make one: postern account add NAME --role operator";
}

std::vector<Trouble> diskTroubles(const disk::Overview& overview) {
    std::vector<Trouble> troubles;
    for (auto& [about, text] : overview.troubles()) troubles.push_back({about, text});
    return troubles;
}

std::optional<Trouble> lowStore(const config::Config& config) {
    const auto volume = lookAtVolume(config.store);
    if (!volume.ok()) return std::nullopt;
    if (store::Ballast(config.store).released())
        return Trouble{"disk", "the disk was full and the ballast is given away; " +
                                   formatSize(volume->freeBytes) +
                                   " are free now: the service fills it again when there is room for " +
                                   formatSize(config.ballast) + " and the reserve"};
    const std::int64_t reserve = config.reserve.of(volume->bytes);
    if (volume->freeBytes < reserve)
        return Trouble{"disk", "new mail is refused: " + formatSize(volume->freeBytes) + " are free; " +
                                   formatSize(reserve) + " are kept (reserve): make room there"};
    if (!disk::isLow(*volume, config.warnBelow.of(volume->bytes))) return std::nullopt;
    return Trouble{"disk", "the store's volume runs low: " + formatSize(volume->freeBytes) + " and " +
                               std::to_string(volume->freeFiles) + " inodes are free"};
}

void addDiskFacts(const disk::Overview& overview, Record& facts) {
    const auto& room = overview.room;
    const bool filling = overview.outlook.kind == disk::Outlook::Kind::Filling;
    facts.add("free_bytes", room ? Value::size(room->tight().volume.freeBytes) : Value())
        .add("free_files", room ? Value(room->freeFiles()) : Value())
        .add("refused_below", room ? Value::size(room->tight().reserve) : Value())
        .add("warned_below", room ? Value::size(room->tight().warnBelow) : Value())
        .add("full_in", disk::outlookText(overview.outlook))
        .add("full_in_s", filling ? Value(overview.outlook.left.count() / 1000) : Value())
        .add("ballast", Value::size(overview.ballastHeld));
}

}  // namespace postern::admin
