// The way of a fallback: which items another adapter makes of recipients that were routed elsewhere first.

#include "connector/routing/router.h"

namespace postern::routing {

Result<std::vector<queue::NewItem>> Router::regroup(const std::string& adapter,
                                                    const std::vector<queue::RecipientRow>& recipients,
                                                    WallTime received) const {
    if (!knows(adapter))
        return fail(Errc::Unavailable, "there is no adapter \"" + adapter + "\" at the moment");
    std::vector<Routed> routed;
    for (const queue::RecipientRow& recipient : recipients) {
        Routed each;
        each.address = recipient.address;
        each.destination =
            nameAt(adapter, recipient.address).value_or(Destination{adapter, recipient.address, {}, false});
        each.notify = recipient.notify;
        each.original = recipient.original;
        routed.push_back(std::move(each));
    }
    return items(routed, received);
}

}  // namespace postern::routing
