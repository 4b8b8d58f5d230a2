#pragma once
// The contract of a legacy-mail adapter. An adapter sees a message, a delivery and its key: never a claim, a
// state or the database. It makes exactly one artifact of each delivery, with one commit point.
//
// The way of a batch (all on one watcher thread):
//
//   stage(jobs)      convert and write aside, synced; harmless, may be redone freely under another epoch
//   -- the service commits "publishing" with each job's evidence; jobs that are no longer ours are abandoned
//   publish(jobs)    the one commit point of each, synced before it returns
//   -- the service commits the outcomes
//
// After a crash, or when a worker stalled past its lease, the service calls recover(evidence) and believes
// it:
//
//   A1  stage() leaves nothing behind that the legacy side can see.
//   A2  publish() of one staged artifact takes effect at most once, however often and from however many
//       threads it is called, and never after recover() said NotPublished for it.
//   A3  recover() says Published only on evidence, NotPublished only when it has made sure that a late
//       publish() of the same artifact can not succeed any more, and CannotTell otherwise.
//   A4  Names of artifacts derive from the delivery's key and the store, and nothing else: never from
//       addresses, time or chance.
//   A5  A job that can not be done gets an outcome; the others of the batch go on (I7). Nothing is thrown.
//
// I7 is one of the invariants of docs/ARCHITECTURE.md.
//
// Thread rule: an Adapter is shared by its watchers; every function may be called from several threads at
// once.

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/outcome.h"
#include "base/clock.h"
#include "base/ids.h"
#include "base/source.h"

namespace postern::adapters {

struct DeliveryKey {
    ItemId item;
    Epoch epoch;
};

struct Recipient {
    int ordinal = 0;
    std::string address;        // Internet address of the envelope
    std::string legacy;         // the name on the legacy side, from the route; may be empty
    std::string notify = {};    // NOTIFY of RFC 3461, lower case: "", "never", "success,failure,delay"
    std::string original = {};  // ORCPT as given; may be empty
};

struct Delivery {
    DeliveryKey key;
    std::string sender;  // envelope; empty is the null reverse path
    std::vector<Recipient> recipients;
    WallTime received;
    ByteSource* message = nullptr;  // RFC 5322 bytes with CRLF line ends, our Received line first
    std::string envelopeId = {};    // ENVID of RFC 3461, decoded; may be empty
    std::string ret = {};           // RET: "", "full", "hdrs"
};

// One delivery on its way through a batch. Set by stage(): either `evidence` or `outcome`.
struct Job {
    Delivery delivery;
    std::string evidence;  // what recover() will be given; at most 1 KiB; not empty when staged
    std::optional<Outcome> outcome;
    std::vector<std::string> notes;  // what the conversion lost or changed, for the item's history
};

enum class Found { Published, NotPublished, CannotTell };
struct Recovery {
    Found found = Found::CannotTell;
    std::string text;               // for the item's history: what was seen
    std::optional<Error> unusable;  // set: the adapter could not even look; ask again later
    // Set: not this one, not now (its mailbox is locked, its answer is awaited): ask again when its lease is
    // over. The adapter is fine.
    std::optional<Error> busy = {};
    // Set with CannotTell: what publish() came to, recipient by recipient. Only an Unknown verdict in it
    // leaves anybody in doubt.
    std::optional<Outcome> known = {};
};

// What the legacy side said of an artifact long after it took it: an import program gave some recipients
// back.
struct Returned {
    std::string token;  // names this answer for ever, as a file's name and number; at most 200 bytes
    ItemId item;
    std::string text;  // for the item's history: one line
    // Which of the item's recipients it refuses: Rejected, each with its reason. Not set: every one, and
    // `text` is the reason. Called on the caller's thread, before settle().
    std::function<std::vector<RecipientVerdict>(std::span<const Recipient>)> refused = {};
    // Nobody is refused: whether the artifact arrived can not be told any more, and the item is in doubt.
    bool doubt = false;
    // The attempt that it answers: the epoch with which the artifact was staged. None: the adapter can not
    // tell.
    std::optional<Epoch> epoch = std::nullopt;
};

// How the recipients of one message become items. Zero means no limit.
struct Grouping {
    int mostRecipients = 0;   // 1: an artifact each
    int mostHeaderBytes = 0;  // sum of headerBytes(recipient) per artifact
    std::function<int(const Recipient&)> headerBytes;
};

class StagedFile;

class Adapter {
  public:
    virtual ~Adapter() = default;

    virtual Grouping grouping() const { return {}; }
    // Why this address can never be delivered here, or nothing. Asked at RCPT time; must be quick and touch
    // no disk.
    virtual std::optional<std::string> refuses(const Recipient&) const { return std::nullopt; }
    // What a sender who asked for it is told of an export (RFC 3461 6.2.2): true where the artifact is in the
    // recipient's mailbox, false where it was handed on to a system that reports nothing back.
    virtual bool finalDelivery() const { return false; }
    // How many deliveries one batch may hold.
    virtual int batchLimit() const { return 64; }
    // Looks whether the folder or tool is usable now: at start, after trouble, and for `postern adapter
    // test`.
    virtual Result<void> probe() = 0;

    // `beat` must be called at least between two jobs; it keeps the lease alive during long work.
    virtual void stage(std::span<Job> jobs, const std::function<void()>& beat) = 0;
    virtual void publish(std::span<Job> jobs, const std::function<void()>& beat) = 0;
    // A staged job that will not be published by us: drop what is surely ours alone. May do nothing.
    virtual void abandon(Job& job) = 0;

    // The service ends, or uses another adapter in place of this one: from now on probe() and stage() wait
    // for nobody any more. A job that this cuts off has an outcome with adapterUnusable. What publish() has
    // begun it ends. May be called while others work here, and again.
    virtual void hasten() {}

    // What stage() would make of this delivery, written into `file`, and its notes into the job: for `postern
    // convert`. Nothing of the adapter's own folders or peers is touched. An outcome says why it is refused.
    // Unless overridden: the message as it came.
    virtual Result<std::optional<Outcome>> convert(Job& job, StagedFile& file) const;

    virtual Recovery recover(const DeliveryKey& staged, std::string_view evidence) = 0;

    // A watcher found nothing to do: what is only worth keeping while mail flows may be let go. Often called.
    virtual void idle() {}

    // Looks after what was published: runs an import program, reads what came back. Called by one watcher of
    // the adapter at a time, between batches and when idle; what there is to do is up to the adapter, which
    // also keeps the pace. May take as long as a program takes, unless `stopping` turns true. Every Returned
    // is asked for again and again until settle() was called with its token: the service first commits what
    // it says, once for each token, and a crash between the two repeats nothing. An Error: its folder or tool
    // can not be used, so the adapter is suspended and probe() is asked.
    virtual Result<std::vector<Returned>> attend(const std::function<bool()>& stopping) {
        (void)stopping;
        return std::vector<Returned>{};
    }
    virtual Result<void> settle(const std::string& token) {
        (void)token;
        return {};
    }

    // Working files of attempts that may be over. `isOver(key)` asks the queue; those are removed. Result:
    // how many.
    virtual Result<int> sweep(const std::function<bool(const DeliveryKey&)>& isOver) = 0;

    // One line each for `postern adapter list` and the log: where it delivers, how strong its promise is
    // here.
    virtual std::string describe() const = 0;
};

}  // namespace postern::adapters
