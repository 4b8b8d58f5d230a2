#pragma once
// Netmail for a mailer: packets in a folder of ours, named by the flow file of their link (flow_files.h).
//
// How a packet is handed over once. publish() takes the link's .bsy, so that no mailer looks; the packet
// appears by the spool's rename, which is the commit point; its line is added to the flow file; the .bsy
// goes. Nobody finds a packet without its line, and the mailer deletes it when it has been sent. So, for
// recover():
//
//   staged file in its place                 not published
//   in neither place, packet there, no line  published; the line is added now
//   in neither place, no packet              published, and sent
//
// Exported is said when the line stands. Where a line can not be added now, recover() is asked until it can.
// A line that is marked as sent counts: of a packet of that name that was sent long ago, publish() takes it
// back before the new one appears.
//
// Trouble with a link's own files (its .bsy, its flow file, its folder) is that link's: its mail waits, all
// other mail goes on. What all links need is looked at again to tell.
//
// Thread rule: as Adapter.

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/ftn/flow_files.h"
#include "adapters/spool/bundle.h"

namespace postern::adapters::ftn {

inline constexpr const char* kPacketFolder = "postern-packets";

struct OutboundPlan {
    FlowPlan flow;
    Millis lockWait{5'000};  // for links that are busy, all of a batch together
    std::string stage;       // the spool's stage folder, where our own locks are
};

class Outbound final : public Adapter {
  public:
    using LinkOf = std::function<Node(const Delivery&)>;
    // `packets` publishes into kPacketFolder of the plan's folder.
    Outbound(OutboundPlan plan, std::unique_ptr<BundleAdapter> packets, LinkOf linkOf)
        : plan_(std::move(plan)), packets_(std::move(packets)), linkOf_(std::move(linkOf)) {}

    Grouping grouping() const override { return packets_->grouping(); }
    std::optional<std::string> refuses(const Recipient& recipient) const override {
        return packets_->refuses(recipient);
    }
    int batchLimit() const override { return packets_->batchLimit(); }
    Result<void> probe() override;
    void stage(std::span<Job> jobs, const std::function<void()>& beat) override;
    void publish(std::span<Job> jobs, const std::function<void()>& beat) override;
    void abandon(Job& job) override;
    void hasten() override { hasty_ = true; }
    Result<std::optional<Outcome>> convert(Job& job, StagedFile& file) const override {
        return packets_->convert(job, file);
    }
    Recovery recover(const DeliveryKey& staged, std::string_view evidence) override;
    Result<int> sweep(const std::function<bool(const DeliveryKey&)>& isOver) override {
        return packets_->sweep(isOver);
    }
    std::string describe() const override;

  private:
    // Both locks of a link, for as long as it lives.
    struct Held;

    Result<std::unique_ptr<Held>> hold(const Node& link, SteadyTime deadline,
                                       const std::function<void()>& beat) const;
    Result<void> publishListed(Flow& flow, std::span<Job> jobs, const std::function<void()>& beat);
    Result<void> forgetSent(Flow& flow, std::span<const Job> jobs) const;
    void publishFor(const Node& link, std::vector<Job*>& jobs, SteadyTime deadline,
                    const std::function<void()>& beat);
    void keepBack(Job& job, const Error& error);
    bool isShared(const Error& error) const;
    Result<Folder> packetFolder() const;

    const OutboundPlan plan_;
    const std::unique_ptr<BundleAdapter> packets_;
    const LinkOf linkOf_;
    std::atomic<bool> hasty_{false};
};

// "flow1 <link> <evidence of the packet>"
struct FlowEvidence {
    Node link;
    std::string packet;
};
std::string formatFlowEvidence(const FlowEvidence& evidence);
std::optional<FlowEvidence> parseFlowEvidence(std::string_view text);

}  // namespace postern::adapters::ftn
