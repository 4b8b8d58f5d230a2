// Recipients of one message to items.

#include <algorithm>
#include <iterator>
#include <unordered_map>
#include <unordered_set>

#include "base/text.h"
#include "connector/routing/router.h"
#include "mail/address.h"

namespace postern::routing {

namespace {

// Packs one adapter's recipients into items, in the order they were named.
class Packer {
  public:
    // An adapter that is not there (a broken REQUIRES) still gets its item: it shows in the queue, and waits.
    Packer(std::string name, const Target* target, WallTime received) : name_(std::move(name)) {
        if (target != nullptr) grouping_ = target->adapter->grouping();
        expires_ = received + (target != nullptr ? *target : Target{}).maximumAge;
    }

    void add(const Router::Routed& routed) {
        if (!rows_.insert(lowerAscii(routed.address)).second) return;
        const std::string& legacy = routed.destination.legacy;
        std::string name = mail::foldLegacyName(legacy);
        // What a rule holds must wait, whoever else has that name.
        if (!name.empty()) name += '\n' + routed.hold;
        // Another address of a name that is there already: a row of its own, but nothing more to write.
        const auto twin = name.empty() ? itemOf_.end() : itemOf_.find(name);
        std::size_t item = twin == itemOf_.end() ? 0 : twin->second;
        if (twin == itemOf_.end()) {
            item = roomFor(routed);
            if (!name.empty()) itemOf_.emplace(name, item);
        }
        queue::RecipientRow row;
        row.address = routed.address;
        row.legacy = legacy;
        row.notify = routed.notify;
        row.original = routed.original;
        items_[item].recipients.push_back(std::move(row));
    }

    const std::string& name() const { return name_; }
    std::vector<queue::NewItem>& items() { return items_; }

  private:
    struct Open {  // the item that is being filled
        std::size_t item;
        int names = 0, headerBytes = 0;
    };

    int headerBytes(const Router::Routed& routed) const {
        if (grouping_.mostHeaderBytes == 0 || !grouping_.headerBytes) return 0;
        return grouping_.headerBytes({0, routed.address, routed.destination.legacy});
    }

    // A single recipient larger than the limit gets an item of its own; the adapter says what it thinks of
    // it.
    bool isFull(const Open& open, int bytes) const {
        if (grouping_.mostRecipients > 0 && open.names >= grouping_.mostRecipients) return true;
        return grouping_.mostHeaderBytes > 0 && open.headerBytes + bytes > grouping_.mostHeaderBytes;
    }

    std::size_t roomFor(const Router::Routed& routed) {
        const int bytes = headerBytes(routed);
        auto open = open_.find(routed.hold);
        if (open == open_.end() || isFull(open->second, bytes))
            open = open_.insert_or_assign(routed.hold, Open{begin(routed.hold)}).first;
        ++open->second.names;
        open->second.headerBytes += bytes;
        return open->second.item;
    }

    std::size_t begin(const std::string& hold) {
        queue::NewItem item;
        item.adapter = name_;
        item.group = std::to_string(items_.size() + 1);
        item.expires = expires_;
        item.hold = hold;
        items_.push_back(std::move(item));
        return items_.size() - 1;
    }

    std::string name_;
    adapters::Grouping grouping_;
    WallTime expires_;
    std::unordered_set<std::string> rows_;                 // folded addresses
    std::unordered_map<std::string, std::size_t> itemOf_;  // by folded legacy name and the reason to hold
    std::unordered_map<std::string, Open> open_;           // by the reason to hold
    std::vector<queue::NewItem> items_;
};

}  // namespace

std::vector<queue::NewItem> Router::items(const std::vector<Routed>& recipients, WallTime received) const {
    std::vector<Packer> packers;  // one per adapter, in the order the adapters come up
    for (const Routed& routed : recipients) {
        const std::string& name = routed.destination.adapter;
        auto packer = std::find_if(packers.begin(), packers.end(),
                                   [&](const Packer& each) { return each.name() == name; });
        if (packer == packers.end()) {
            packer = packers.emplace(packers.end(), name, targetNamed(name), received);
        }
        packer->add(routed);
    }
    std::vector<queue::NewItem> items;
    for (Packer& packer : packers) {
        std::move(packer.items().begin(), packer.items().end(), std::back_inserter(items));
    }
    return items;
}

}  // namespace postern::routing
