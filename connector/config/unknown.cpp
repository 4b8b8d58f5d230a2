#include "connector/config/unknown.h"

#include "base/text.h"
#include "connector/config/keys.h"

namespace postern::config {

Error noAdapter(const Config& config, std::string_view name) {
    std::vector<std::string_view> names;
    for (const Adapter& each : config.adapters) names.push_back(each.name);
    return fail(Errc::NotFound,
                "there is no adapter \"" + escapeLine(name, 100) + "\"" + didYouMean(name, names));
}

}  // namespace postern::config
