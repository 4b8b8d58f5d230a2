#pragma once
// Many deliveries in one file of a spool: for formats whose consumer takes a file of many mails, so that a
// batch costs one sync and one rename. A format derives from BundleAdapter and writes the mails; the rest is
// here, on top of SpoolAdapter.
//
// The witness is the spool's (adapters/spool/spool.h), for all members at once: the bundle is staged under
// its first member's key, and one rename decides about all of them. Each member's evidence names the bundle,
// how many members it has, and a digest of their keys. So:
//
//   B1  publish() renames a bundle only when every member is among its jobs: each of them was then committed
//   as
//       "publishing" with this bundle as its evidence.
//   B2  A member that is missing (its claim was lost) can be published by nobody but by its new holder: the
//       bundle is voided, by the same rename that recover() uses, and the other members are due again at
//       once.
//   B3  recover() of any member voids the bundle if it is still staged. What it says then, NotPublished or
//       Published, is what it says to each of the others.
//   B4  Bundle and member list are removed only when all members are over; a bundle whose list can not be
//   read
//       is kept.
//
// Deliveries that are too large to wait in memory, and those that found no company, have a file of their own:
// a bundle of one is a file of SpoolAdapter in every respect.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/adapter.h"
#include "adapters/spool/spool.h"

namespace postern::adapters {

struct BundlePlan {
    std::size_t most = 1;                  // deliveries in one file; 1: no bundles
    std::int64_t largest = 64 * 1024;      // bytes of a message that may share a file
    std::int64_t mostBytes = 1024 * 1024;  // of the mails in a shared file, about
    std::int64_t mostHeld = 4 << 20;       // of mails in memory in one stage(), about; then they are written
};

class BundleAdapter : public Adapter {
  public:
    BundleAdapter(AdapterContext context, SpoolPlan plan, BundlePlan bundles);
    ~BundleAdapter() override;

    int batchLimit() const override;
    Result<void> probe() final;
    void stage(std::span<Job> jobs, const std::function<void()>& beat) final;
    void publish(std::span<Job> jobs, const std::function<void()>& beat) final;
    void abandon(Job& job) final;
    Result<std::optional<Outcome>> convert(Job& job, StagedFile& file) const final;
    Recovery recover(const DeliveryKey& staged, std::string_view evidence) final;
    Result<int> sweep(const std::function<bool(const DeliveryKey&)>& isOver) final;
    std::string describe() const override;

  protected:
    using Sink = std::function<Result<void>(std::string_view)>;

    const AdapterContext& context() const { return context_; }

    // As SpoolAdapter::place(); the name is made from the key.
    virtual Result<Place> place(const Delivery& delivery) const = 0;
    // Deliveries with equal words may share a file.
    virtual std::string groupOf(const Delivery& delivery) const {
        (void)delivery;
        return {};
    }
    // The bytes before the first mail of a file, made from that mail's delivery, and behind the last.
    virtual std::string head(const Delivery& first) const = 0;
    virtual std::string tail() const = 0;
    // As head(), for people to read: without a password.
    virtual std::string shownHead(const Delivery& first) const { return head(first); }
    // One delivery's mails, whole. An outcome ends the job; an Error of the sink is handed on, any other
    // defers the mail. What was lost goes to job.notes.
    virtual Result<std::optional<Outcome>> write(Job& job, const Sink& sink) const = 0;

  private:
    class Files;
    struct Bundle;
    struct Sharing;

    Result<std::optional<Outcome>> writeFile(Job& job, const std::string& head, StagedFile& file) const;
    std::optional<std::string> render(Job& job) const;
    std::size_t gather(std::span<Job> jobs, const std::function<void()>& beat,
                       std::vector<Bundle>& bundles) const;
    bool goesAlone(const Job& job) const;
    void stageShared(std::vector<Bundle>& bundles, const std::function<void()>& beat);
    Result<void> listMembers(const Bundle& bundle) const;
    void publishShared(std::vector<Job*>& members, const std::function<void()>& beat);
    void voidBundle(std::vector<Job*>& members);
    Result<bool> allOver(const std::string& list,
                         const std::function<bool(const DeliveryKey&)>& isOver) const;

    const AdapterContext context_;
    const SpoolPlan plan_;
    const BundlePlan bundles_;
    std::unique_ptr<Files> files_;
};

// What a member's evidence says: "bundle1 <its key> <members> <digest> " and the spool's evidence of the
// file.
struct BundleEvidence {
    DeliveryKey member;
    std::size_t members = 0;
    std::string digest;  // of the members' keys, bundleDigest()
    std::string file;    // evidence of SpoolAdapter
};
std::string formatBundleEvidence(const BundleEvidence& evidence);
// Nothing for what is no bundle's, as the evidence of a file with one delivery.
std::optional<BundleEvidence> parseBundleEvidence(std::string_view text);
std::string bundleDigest(std::vector<DeliveryKey> members);

// The spool's part of a delivery's evidence, in a bundle or alone: where its file is or will be. Nothing when
// it is damaged.
std::optional<SpoolEvidence> fileOf(std::string_view evidence);

}  // namespace postern::adapters
