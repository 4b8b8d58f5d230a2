#include <algorithm>

#include "adapters/spool/bundle.h"
#include "base/digest.h"
#include "base/text.h"

namespace postern::adapters {

namespace {
constexpr std::string_view kPrefix = "bundle1 ";
constexpr std::size_t kDigestBytes = 16;
}  // namespace

std::string bundleDigest(std::vector<DeliveryKey> members) {
    std::sort(members.begin(), members.end(), [](const DeliveryKey& a, const DeliveryKey& b) {
        return std::pair(a.item, a.epoch) < std::pair(b.item, b.epoch);
    });
    Sha256 sum;
    for (const DeliveryKey& key : members) sum.update(stagedName(key) + "\n");
    static constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (const char c : sum.finish().substr(0, kDigestBytes)) {
        const auto byte = static_cast<unsigned char>(c);
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text;
}

std::string formatBundleEvidence(const BundleEvidence& evidence) {
    return std::string(kPrefix) + stagedName(evidence.member) + " " + std::to_string(evidence.members) + " " +
           evidence.digest + " " + evidence.file;
}

std::optional<BundleEvidence> parseBundleEvidence(std::string_view text) {
    if (!text.starts_with(kPrefix)) return std::nullopt;
    const auto fields = split(text, ' ');
    if (fields.size() < 5) return std::nullopt;
    const auto member = parseStagedName(fields[1]);
    const auto members = parseInt(fields[2]);
    if (!member || !members || *members < 2) return std::nullopt;
    const auto file = static_cast<std::size_t>(fields[4].data() - text.data());
    return BundleEvidence{*member, static_cast<std::size_t>(*members), std::string(fields[3]),
                          std::string(text.substr(file))};
}

std::optional<SpoolEvidence> fileOf(std::string_view evidence) {
    if (const auto bundle = parseBundleEvidence(evidence)) return parseEvidence(bundle->file);
    return parseEvidence(evidence);
}

}  // namespace postern::adapters
