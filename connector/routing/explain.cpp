// The same questions in the same order as Router::admit(), each answer told.

#include "base/text.h"
#include "connector/addresses/address_pattern.h"
#include "connector/routing/router.h"

namespace postern::routing {

class Explainer {
  public:
    Explainer(const Router& router, std::vector<Router::Step>& steps) : router_(router), steps_(steps) {}

    Result<Router::Routed> explain(std::string_view address, const Mail& mail) {
        std::vector<Rules::Look> looks;
        const config::Rule* rule = router_.rules_.decide(mail, address, &looks);
        for (const Rules::Look& look : looks) tellRule(look);
        auto result = router_.admit(address, mail);
        if (rule == nullptr || rule->action != config::RuleAction::Reject) tellWay(rule, address, mail);
        tellResult(result);
        return result;
    }

  private:
    void tell(std::string step, std::string name, std::string verdict, std::string detail) {
        steps_.push_back({std::move(step), std::move(name), std::move(verdict), std::move(detail)});
    }

    void tellRule(const Rules::Look& look) {
        static constexpr const char* kActions[] = {"accept", "reject", "hold", "route"};
        const config::Rule& rule = *look.rule;
        switch (look.holds) {
            case Rules::Holds::No: return tell("rule", rule.name, "does not hold", look.why);
            case Rules::Holds::NotYet:
                return tell("rule", rule.name, "not decided", look.why + "; decided with the whole mail");
            case Rules::Holds::Yes: break;
        }
        std::string action = kActions[static_cast<int>(rule.action)];
        if (!rule.adapter.empty() && rule.action == config::RuleAction::Route)
            action += " to " + rule.adapter;
        tell("rule", rule.name, "holds", action + (look.why.empty() ? "" : "; " + look.why));
    }

    void tellWay(const config::Rule* rule, std::string_view address, const Mail& mail) {
        const bool ruled = rule != nullptr && rule->action == config::RuleAction::Route;
        if (!ruled && !tellTables(address)) tellRoutes(address);
        const auto destination = router_.decide(rule, address);
        if (!destination.ok()) return;
        const auto target = router_.checkTarget(*destination, address);
        const auto size = router_.checkSize(destination->adapter, mail);
        tell("adapter", destination->adapter, target.ok() ? "takes it" : "refuses it",
             target.ok() ? "legacy name \"" + destination->legacy + "\"" : target.error().text);
        if (!size.ok()) tell("size", destination->adapter, "refuses it", size.error().text);
    }

    bool tellTables(std::string_view address) {
        for (const NamedTable& each : router_.tables_) {
            const auto legacy = each.table->legacyOf(address);
            tell("table", each.name, legacy ? "takes it" : "has no entry",
                 legacy ? "to " + each.adapter : std::to_string(each.table->size()) + " entries");
            if (legacy) return true;
        }
        return false;
    }

    // Hundreds of routes may stand before the one that takes it: those are counted.
    void tellRoutes(std::string_view address) {
        const std::size_t match = router_.firstMatch(address);
        const std::size_t end = std::min(match, router_.routes_.size());
        constexpr std::size_t kMostTold = 20;
        for (std::size_t i = 0; i < end && i < kMostTold; ++i) {
            const config::Route& route = router_.routes_[i];
            const bool replies = route.use == config::RouteUse::Replies;
            tell("route", route.pattern, "does not take it",
                 replies ? "for replies only" : "another address");
        }
        if (end > kMostTold)
            tell("route", "(" + std::to_string(end - kMostTold) + " more)", "does not take it", "");
        if (match < router_.routes_.size())
            tell("route", router_.routes_[match].pattern, "takes it", "to " + router_.routes_[match].adapter);
    }

    void tellResult(const Result<Router::Routed>& result) {
        if (!result.ok()) return tell("result", "", "refused", result.error().text);
        const Destination& to = result->destination;
        tell("result", to.adapter, result->hold.empty() ? "accepted" : "held", to.legacy);
        const auto back = router_.toInternet(to.adapter, to.legacy);
        const bool same = back && equalsIgnoreCase(*back, result->address);
        tell("back", to.adapter, same ? "two ways" : "one way",
             same   ? "the name leads back to the address"
             : back ? "the name leads to " + *back
                    : "no address is found from the name");
    }

    const Router& router_;
    std::vector<Router::Step>& steps_;
};

Result<Router::Routed> Router::explain(std::string_view address, const Mail& mail,
                                       std::vector<Step>& steps) const {
    return Explainer(*this, steps).explain(address, mail);
}

}  // namespace postern::routing
