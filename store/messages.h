#pragma once
// Messages and their bodies. A body up to the store's inline limit stands in the database; a longer one
// streams to a file beside it, which is on the disk before the transaction that names it.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/source.h"
#include "store/store.h"

namespace postern::store {

const std::vector<Migration>& messageMigrations();

// A body while it comes in: in memory up to the inline limit, then in a file beside the database. Destroying
// it removes its file, unless keep() was called. Thread rule: one thread at a time.
class BodyWriter {
  public:
    explicit BodyWriter(const Store& store);
    BodyWriter(BodyWriter&&) noexcept;
    BodyWriter& operator=(BodyWriter&&) noexcept;
    ~BodyWriter();

    Result<void> append(std::string_view bytes);
    std::int64_t size() const;
    bool inFile() const;  // then seal() syncs the disk: not on a thread that must not wait
    Result<void> seal();  // no more bytes; when in a file, it is on the disk under its final name
    // The file, if any, belongs to the store now. Call it when the transaction committed, and also when a
    // commit failed in a way that leaves its outcome open (Store::broken()): a row may surface at the next
    // start.
    void keep();

  private:
    friend Result<MessageId> insertMessage(WriteSession&, const struct NewMessage&, const BodyWriter&);
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

struct NewMessage {
    WallTime received;
    std::string sender;      // envelope, without brackets; empty is the null reverse path
    std::string source;      // where it came in: a listener's name, "submit", "pickup"
    std::string client;      // "192.0.2.1:4711", "uid 1000"; for people
    std::string helo;        // what the client called itself
    std::string protocol;    // "SMTP", "ESMTP", "LMTP", "local" (RFC 3848)
    std::string headerId;    // the Message-ID field with its brackets, as far as seen; may be empty
    std::string subject;     // the raw Subject field, unfolded, cut at 200 bytes; for lists
    bool eightBit = false;   // BODY=8BITMIME
    std::string account;     // who logged on; empty: nobody
    std::string envelopeId;  // ENVID of RFC 3461, decoded from xtext
    std::string ret;         // RET of RFC 3461: "", "full", "hdrs"
    bool utf8 = false;       // SMTPUTF8 (RFC 6531)
    bool binary =
        false;  // BODY=BINARYMIME (RFC 3030): lines may be of any length, NUL and bare CR or LF allowed
    ItemId reportsItem;  // a report of ours about that item; 0 for ordinary mail
};

// Inside Store::write. REQUIRES: body sealed, and alive until the transaction is answered.
Result<MessageId> insertMessage(WriteSession& session, const NewMessage& message, const BodyWriter& body);
// The same for a mail made inside the transaction: the bytes stand in the database, whatever their size, so
// that the writer thread need not wait for a file.
Result<MessageId> insertMessage(WriteSession& session, const NewMessage& message, std::string_view body);

struct MessageRow {
    MessageId id;
    WallTime received;
    std::string sender, source, client, helo, protocol, headerId, subject;
    std::int64_t size = 0;
    bool eightBit = false;
    std::string account, envelopeId, ret;
    bool utf8 = false, binary = false;
    ItemId reportsItem;
};
Result<MessageRow> readMessage(Session& session, MessageId id);  // NotFound

// The stored bytes, as received behind our own Received line. NotFound when the row or its body is missing:
// the item fails once with that reason (KB Q239420).
Result<std::unique_ptr<ByteSource>> openBody(Session& session, const std::string& storeFolder, MessageId id);

// Removes the row and the body. For the purge. `files` collects body files, named from the store's folder, to
// be removed when the transaction is committed.
Result<void> deleteMessage(WriteSession& session, MessageId id, std::vector<std::string>& files);

// Removes body files that deleteMessage() named, after its commit and never before; one that is gone already
// is no error.
Result<void> removeBodyFiles(const std::string& storeFolder, const std::vector<std::string>& files);

// At start, after the store opened and before any BodyWriter exists: removes body files that no message
// names. Files whose names are not ours stay. Returns how many.
Result<std::int64_t> sweepBodies(Store& store);

}  // namespace postern::store
