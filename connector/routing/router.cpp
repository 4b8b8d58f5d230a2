#include "connector/routing/router.h"

#include <algorithm>
#include <array>
#include <limits>
#include <unordered_set>
#include <utility>

#include "base/text.h"

namespace postern::routing {

namespace {

constexpr std::size_t kNoRoute = std::numeric_limits<std::size_t>::max();

struct Halves {
    std::string_view local, domain;
};
// At the last "@": a quoted local part may hold others.
Halves halves(std::string_view address) {
    const std::size_t at = address.rfind('@');
    if (at == std::string_view::npos) return {address, {}};
    return {address.substr(0, at), address.substr(at + 1)};
}

bool isWide(std::string_view pattern) {
    return pattern == "*" || pattern.starts_with("*@*.");
}

bool endsWithIgnoreCase(std::string_view text, std::string_view end) {
    return text.size() >= end.size() && equalsIgnoreCase(text.substr(text.size() - end.size()), end);
}

std::string foldedKey(const Router::Routed& recipient) {
    const std::string& legacy = recipient.destination.legacy;
    return legacy.empty() ? "a:" + lowerAscii(recipient.address) : "l:" + lowerAscii(legacy);
}

// Packs one adapter's recipients into items, in the order they were named.
class Packer {
  public:
    // An adapter that is not there (a broken REQUIRES) still gets its item: it shows in the queue, and waits.
    Packer(std::string name, const Target* target, WallTime received) : name_(std::move(name)) {
        if (target != nullptr) grouping_ = target->adapter->grouping();
        expires_ = received + (target != nullptr ? *target : Target{}).maximumAge;
    }

    void add(const Router::Routed& routed) {
        if (!seen_.insert(foldedKey(routed)).second) return;
        const int bytes = headerBytes(routed);
        if (items_.empty() || isFull(bytes)) begin();
        headerBytes_ += bytes;
        queue::RecipientRow row;
        row.address = routed.address;
        row.legacy = routed.destination.legacy;
        row.notify = routed.notify;
        row.original = routed.original;
        items_.back().recipients.push_back(std::move(row));
    }

    const std::string& name() const { return name_; }
    std::vector<queue::NewItem>& items() { return items_; }

  private:
    int headerBytes(const Router::Routed& routed) const {
        if (grouping_.mostHeaderBytes == 0 || !grouping_.headerBytes) return 0;
        return grouping_.headerBytes({0, routed.address, routed.destination.legacy});
    }

    // A single recipient larger than the limit gets an item of its own; the adapter says what it thinks of
    // it.
    bool isFull(int bytes) const {
        const int count = static_cast<int>(items_.back().recipients.size());
        if (grouping_.mostRecipients > 0 && count >= grouping_.mostRecipients) return true;
        return grouping_.mostHeaderBytes > 0 && headerBytes_ + bytes > grouping_.mostHeaderBytes;
    }

    void begin() {
        queue::NewItem item;
        item.adapter = name_;
        item.group = std::to_string(items_.size() + 1);
        item.expires = expires_;
        items_.push_back(std::move(item));
        headerBytes_ = 0;
    }

    std::string name_;
    adapters::Grouping grouping_;
    WallTime expires_;
    int headerBytes_ = 0;
    std::unordered_set<std::string> seen_;
    std::vector<queue::NewItem> items_;
};

}  // namespace

bool patternMatches(std::string_view pattern, std::string_view address) {
    if (pattern == "*") return true;
    const Halves wanted = halves(pattern);
    const Halves given = halves(address);
    if (wanted.local != "*") return equalsIgnoreCase(pattern, address);
    if (!wanted.domain.starts_with("*.")) return equalsIgnoreCase(wanted.domain, given.domain);
    const std::string_view end = wanted.domain.substr(1);  // with its dot
    return given.domain.size() > end.size() && endsWithIgnoreCase(given.domain, end);
}

std::string expandTemplate(std::string_view text, std::string_view address) {
    const auto [local, domain] = halves(address);
    const std::array<std::pair<std::string_view, std::string_view>, 4> fields{
        {{"{{", "{"}, {"{local}", local}, {"{domain}", domain}, {"{address}", address}}};
    std::string out;
    while (!text.empty()) {
        const auto field = std::find_if(fields.begin(), fields.end(),
                                        [&](const auto& each) { return text.starts_with(each.first); });
        if (field != fields.end()) {
            out += field->second;
            text.remove_prefix(field->first.size());
        } else {
            out += text.front();
            text.remove_prefix(1);
        }
    }
    return out;
}

Router::Router(std::vector<config::Route> routes, std::vector<Target> targets)
    : routes_(std::move(routes)), targets_(std::move(targets)) {
    for (std::size_t i = 0; i < routes_.size(); ++i) {
        if (isWide(routes_[i].pattern)) {
            wide_.push_back(i);
        } else {
            exact_.try_emplace(lowerAscii(routes_[i].pattern), i);  // the first of two equal ones wins
        }
    }
}

std::size_t Router::firstMatch(std::string_view address) const {
    std::size_t first = kNoRoute;
    const auto look = [&](const std::string& pattern) {
        if (const auto found = exact_.find(pattern); found != exact_.end())
            first = std::min(first, found->second);
    };
    look(lowerAscii(address));
    look("*@" + lowerAscii(halves(address).domain));
    for (const std::size_t index : wide_) {
        if (index >= first) break;
        if (patternMatches(routes_[index].pattern, address)) return index;
    }
    return first;
}

const Target* Router::targetNamed(std::string_view name) const {
    for (const Target& target : targets_) {
        if (target.name == name) return &target;
    }
    return nullptr;
}

bool Router::deliversFinally(std::string_view adapter) const {
    const Target* target = targetNamed(adapter);
    return target != nullptr && target->adapter->finalDelivery();
}

Result<Destination> Router::route(std::string_view address) const {
    const std::size_t index = firstMatch(address);
    if (index == kNoRoute) return fail(Errc::NotFound, "no route takes this address");
    const config::Route& found = routes_[index];
    const Target* target = targetNamed(found.adapter);
    if (target == nullptr) {
        return fail(Errc::Unavailable, "the route " + found.pattern + " leads to no adapter at the moment");
    }
    Destination destination{found.adapter, expandTemplate(found.legacy, address), found.pattern};
    if (const auto reason = target->adapter->refuses({0, std::string(address), destination.legacy})) {
        return fail(Errc::Invalid, *reason);
    }
    return destination;
}

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
