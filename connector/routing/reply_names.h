#pragma once
// The way back, for each adapter: from a legacy name to the Internet address, and what the legacy side must
// type for an address. A name is only ever given out when it leads back to exactly the address it was asked
// for (KB Q171214, Q184052, Q168356, Q183588: answers to mail through a gateway bounced).

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "connector/addresses/name_pattern.h"
#include "connector/config/config.h"
#include "connector/routing/tables.h"

namespace postern::routing {

// Immutable once made. Thread rule: any thread.
class ReplyNames {
  public:
    ReplyNames() = default;
    ReplyNames(const std::vector<config::Route>& routes, const std::vector<addresses::NamePattern>& names,
               const std::vector<NamedTable>& tables);

    // As in Router.
    std::optional<std::string> toInternet(std::string_view adapter, std::string_view legacy) const;
    std::optional<std::string> replyName(std::string_view adapter, std::string_view address) const;

  private:
    struct Pattern {
        std::string takes;
        addresses::NamePattern name;
    };
    struct Side {  // of one adapter
        std::vector<std::shared_ptr<const AddressTable>> tables;
        std::unordered_map<std::string, std::string> addressOf;  // by folded legacy name
        std::unordered_map<std::string, std::string> nameOf;     // by folded address
        std::vector<Pattern> patterns;                           // those with a way back, in order
    };
    const Side* sideOf(std::string_view adapter) const;
    static std::optional<std::string> find(const Side& side, std::string_view legacy);
    static bool leadsBack(const Side& side, std::string_view legacy, std::string_view address);

    std::unordered_map<std::string, Side> sides_;
};

}  // namespace postern::routing
