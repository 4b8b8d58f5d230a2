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

std::string formatEvidence(const SpoolEvidence& evidence) {
    return "spool1 " + evidence.token + " " + evidence.staged + " " + evidence.folder + "/" + evidence.name +
           " .";
}

std::optional<SpoolEvidence> parseEvidence(std::string_view text) {
    const auto fields = split(text, ' ');
    if (fields.size() != 5 || fields[0] != "spool1" || fields[4] != ".") return std::nullopt;
    const auto slash = fields[3].rfind('/');
    if (slash == std::string_view::npos) return std::nullopt;
    SpoolEvidence evidence{std::string(fields[1]), std::string(fields[2]),
                           std::string(fields[3].substr(0, slash)), std::string(fields[3].substr(slash + 1))};
    if (evidence.token.empty() || evidence.name.empty() || !parseStagedName(evidence.staged))
        return std::nullopt;
    return evidence;
}

}  // namespace postern::adapters
