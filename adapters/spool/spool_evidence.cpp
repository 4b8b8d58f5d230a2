#include "adapters/spool/spool_evidence.h"

#include "base/text.h"

namespace postern::adapters {

std::string stagedName(const DeliveryKey& key) {
    return std::to_string(key.item.value) + "." + std::to_string(key.epoch.value);
}

std::optional<DeliveryKey> parseStagedName(std::string_view name) {
    const auto dot = name.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    const auto item = parseInt(name.substr(0, dot));
    const auto epoch = parseInt(name.substr(dot + 1));
    if (!item || !epoch) return std::nullopt;
    const DeliveryKey key{ItemId{*item}, Epoch{*epoch}};
    // "007.1" or "-0.1" is not a name of ours.
    if (*item <= 0 || *epoch < 0 || stagedName(key) != name) return std::nullopt;
    return key;
}

std::string companionStagedName(std::string_view staged, int number) {
    return std::string(staged) + "." + std::to_string(number);
}

std::optional<DeliveryKey> ownerOfStaged(std::string_view name) {
    if (const auto key = parseStagedName(name)) return key;
    const auto dot = name.rfind('.');
    if (dot == std::string_view::npos) return std::nullopt;
    const auto number = parseInt(name.substr(dot + 1));
    if (!number || *number <= 0 || *number > INT32_MAX) return std::nullopt;
    const std::string_view staged = name.substr(0, dot);
    if (companionStagedName(staged, static_cast<int>(*number)) != name) return std::nullopt;
    return parseStagedName(staged);
}

std::string formatEvidence(const SpoolEvidence& evidence) {
    const std::string place =
        evidence.token + " " + evidence.staged + " " + evidence.folder + "/" + evidence.name;
    if (evidence.companions == 0) return "spool1 " + place + " .";
    return "spool2 " + place + " " + std::to_string(evidence.companions) + " " + evidence.besideFolder +
           "/ .";
}

std::optional<SpoolEvidence> parseEvidence(std::string_view text) {
    const auto fields = split(text, ' ');
    const bool alone = fields.size() == 5 && fields[0] == "spool1";
    const bool withCompanions = fields.size() == 7 && fields[0] == "spool2";
    if ((!alone && !withCompanions) || fields.back() != ".") return std::nullopt;
    const auto slash = fields[3].rfind('/');
    if (slash == std::string_view::npos) return std::nullopt;
    SpoolEvidence evidence{std::string(fields[1]), std::string(fields[2]),
                           std::string(fields[3].substr(0, slash)), std::string(fields[3].substr(slash + 1))};
    if (withCompanions) {
        const auto count = parseInt(fields[4]);
        if (!count || *count < 1 || *count > kMostCompanions || !fields[5].ends_with("/"))
            return std::nullopt;
        evidence.companions = static_cast<int>(*count);
        evidence.besideFolder = std::string(fields[5].substr(0, fields[5].size() - 1));
    }
    if (evidence.token.empty() || evidence.name.empty() || !parseStagedName(evidence.staged))
        return std::nullopt;
    return evidence;
}

}  // namespace postern::adapters
