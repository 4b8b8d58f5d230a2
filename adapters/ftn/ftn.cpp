// FidoNet netmail: packets in a tosser's inbound, or for a mailer (FORMATS.md section 6).

#include <cstdio>

#include "adapters/ftn/ftn_settings.h"
#include "adapters/kinds.h"

namespace postern::adapters {

namespace {

using ftn::Node;

// Where a delivery's packet goes first: the link, or with `direct` the node of its one person. Points are
// reached by their node, ours by themselves.
Node linkOf(const Delivery& delivery, const ftn::Plan& plan) {
    if (!plan.direct || delivery.recipients.empty()) return plan.options.link;
    const auto person = ftn::addressee(delivery.recipients.front(), plan.options.addresses);
    if (!person.ok()) return plan.options.link;
    Node node = person->node;
    const Node& here = plan.options.here;
    const bool isOurPoint = node.zone == here.zone && node.net == here.net && node.node == here.node;
    if (!isOurPoint) node.point = 0;
    return node;
}

class Netmail final : public BundleAdapter {
  public:
    Netmail(const AdapterContext& adapterContext, ftn::Plan plan)
        : BundleAdapter(adapterContext, plan.spool, plan.bundles), plan_(std::move(plan)) {}

    Grouping grouping() const override { return {plan_.mostRecipients, 0, nullptr}; }

    std::optional<std::string> refuses(const Recipient& recipient) const override {
        const auto person = ftn::addressee(recipient, plan_.options.addresses);
        if (!person.ok()) return person.error().text;
        if (person->node == plan_.options.here)
            return ftn::nodeText(person->node) + " is our own address: nobody reads mail there";
        const auto name = ftn::nameInPacket(*person, plan_.options);
        if (!name.ok()) return name.error().text;
        return std::nullopt;
    }

  protected:
    // Tossers look for eight hex digits. They repeat after four thousand million items; a name that is still
    // taken then only waits.
    Result<Place> place(const Delivery& delivery) const override {
        char name[24];
        std::snprintf(name, sizeof name, "%08llx.pkt",
                      static_cast<unsigned long long>(delivery.key.item.value) & 0xffffffffULL);
        return Place{plan_.outbound ? ftn::kPacketFolder : "", name};
    }
    std::string groupOf(const Delivery& delivery) const override {
        return ftn::nodeText(linkOf(delivery, plan_));
    }
    std::string head(const Delivery& first) const override {
        return ftn::headFor(first, linkOf(first, plan_), plan_.options);
    }
    std::string shownHead(const Delivery& first) const override {
        ftn::Options shown = plan_.options;
        shown.password.assign(shown.password.size(), '*');
        return ftn::headFor(first, linkOf(first, plan_), shown);
    }
    std::string tail() const override { return ftn::packetEnd(); }
    Result<std::optional<Outcome>> write(Job& job, const Sink& sink) const override {
        return ftn::writeNetmail(job, plan_.options, sink);
    }

  private:
    const ftn::Plan plan_;
};

Result<std::unique_ptr<Adapter>> makeNetmail(const AdapterContext& context, const Settings& settings) {
    POSTERN_LET(plan, ftn::netmailPlan(context, settings));
    auto packets = std::make_unique<Netmail>(context, plan);
    if (!plan.outbound) return std::unique_ptr<Adapter>(std::move(packets));
    const auto link = [plan](const Delivery& delivery) { return linkOf(delivery, plan); };
    return std::unique_ptr<Adapter>(std::make_unique<ftn::Outbound>(plan.flows, std::move(packets), link));
}

}  // namespace

Kind ftnKind() {
    return {"ftn", "FidoNet netmail packets", ftn::netmailSettings(), &makeNetmail};
}

}  // namespace postern::adapters
