// The way of a fallback: which items another adapter makes of recipients that were routed elsewhere first.

#include <algorithm>

#include "connector/routing/router.h"

namespace postern::routing {

Result<std::vector<queue::NewItem>> Router::regroup(const std::string& adapter,
                                                    const std::vector<queue::RecipientRow>& recipients,
                                                    WallTime received) const {
    if (!knows(adapter))
        return fail(Errc::Unavailable, "there is no adapter \"" + adapter + "\" at the moment");
    std::vector<Routed> routed;
    for (const queue::RecipientRow& recipient : recipients) {
        const auto route = std::find_if(routes_.begin(), routes_.end(), [&](const config::Route& each) {
            return each.adapter == adapter && patternMatches(each.pattern, recipient.address);
        });
        const bool named = route != routes_.end();
        Routed each;
        each.address = recipient.address;
        each.destination.adapter = adapter;
        each.destination.legacy =
            named ? expandTemplate(route->legacy, recipient.address) : recipient.address;
        each.destination.route = named ? route->pattern : "";
        each.notify = recipient.notify;
        each.original = recipient.original;
        routed.push_back(std::move(each));
    }
    return items(routed, received);
}

}  // namespace postern::routing
