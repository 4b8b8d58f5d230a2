// Bodies in files: <store>/bodies/<2 hex>/<random>.tmp while they come in, .eml when sealed. A crash between
// the rename and the commit leaves a file that no row names; sweepBodies() removes it at the next start.

#include "store/messages.h"

#include <optional>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "base/random.h"
#include "schema_0001_messages.h"
#include "store/newest_key.h"

namespace postern::store {

namespace {

constexpr std::size_t kChunk = 65536;             // bytes per write
constexpr std::int64_t kWritebackStep = 1 << 20;  // bytes, so that the final sync finds little left to do
constexpr std::string_view kTemporary = ".tmp";
constexpr std::string_view kFinal = ".eml";

std::string bodyFolderName() {
    constexpr char kHex[] = "0123456789abcdef";
    const std::uint64_t number = randomBelow(256);
    return std::string("bodies/") + kHex[number / 16] + kHex[number % 16];
}

Result<Folder> openOrMake(const std::string& path) {
    if (pathExists(path)) return Folder::open(path);
    POSTERN_LET(folder, Folder::make(path));
    POSTERN_LET(parent, Folder::open(parentPath(path)));
    POSTERN_TRY(parent.sync());
    return folder;
}

}  // namespace

const std::vector<Migration>& messageMigrations() {
    static const std::vector<Migration> migrations = {{1, "messages", kSchema0001Messages}};
    return migrations;
}

struct BodyWriter::Impl {
    std::string storeFolder;
    std::int64_t inlineLimit = 0;
    std::string buffer;  // the whole body, or what is not written to the file yet
    std::int64_t size = 0;
    std::int64_t written = 0;
    std::optional<Folder> folder;
    std::string folderName, stem;
    File file;
    std::optional<Error> failed;
    bool sealed = false;
    bool kept = false;

    std::string path() const { return folderName + "/" + stem + std::string(kFinal); }
    Result<void> note(Result<void> result) {
        if (!result.ok() && !failed) failed = result.error().within("the message body");
        return result;
    }
    Result<void> append(std::string_view bytes);
    Result<void> moveToFile();
    Result<void> flush();
    Result<void> seal();
    void remove();
};

Result<void> BodyWriter::Impl::append(std::string_view bytes) {
    size += static_cast<std::int64_t>(bytes.size());
    if (!folder && size > inlineLimit) POSTERN_TRY(moveToFile());
    if (folder && buffer.size() + bytes.size() > kChunk) POSTERN_TRY(flush());
    if (folder && bytes.size() >= kChunk) {
        buffer.assign(bytes);
        return flush();
    }
    buffer.append(bytes);
    return {};
}

Result<void> BodyWriter::Impl::moveToFile() {
    folderName = bodyFolderName();
    stem = randomName(24);
    POSTERN_LET(opened, openOrMake(joinPath(storeFolder, folderName)));
    POSTERN_LET(created, opened.create(stem + std::string(kTemporary)));
    folder = std::move(opened);
    file = std::move(created);
    return flush();
}

Result<void> BodyWriter::Impl::flush() {
    POSTERN_TRY(file.write(buffer));
    const auto before = written / kWritebackStep;
    written += static_cast<std::int64_t>(buffer.size());
    buffer.clear();
    if (written / kWritebackStep != before) file.startWriteback();
    return {};
}

Result<void> BodyWriter::Impl::seal() {
    if (!folder) return {};
    POSTERN_TRY(flush());
    POSTERN_TRY(file.sync());
    POSTERN_TRY(file.close());
    const std::string temporary = stem + std::string(kTemporary);
    POSTERN_LET(moved, folder->moveNoReplace(temporary, *folder, stem + std::string(kFinal)));
    if (moved != Moved::Done)
        return fail(Errc::Io, joinPath(folder->path(), temporary) + " was taken away or its name is in use");
    return folder->sync();
}

// Whatever is left of it is harmless and swept at the next start, so errors are only told.
void BodyWriter::Impl::remove() {
    if (!folder || kept) return;
    for (const std::string_view end : {kTemporary, kFinal}) {
        const Result<void> removed = folder->remove(stem + std::string(end));
        if (!removed.ok() && removed.error().code != Errc::NotFound)
            LogLine(LogEvent::StoreTrouble)
                .with("during", "removing a body")
                .with("error", removed.error().text);
    }
}

BodyWriter::BodyWriter(const Store& store) : impl_(std::make_unique<Impl>()) {
    impl_->storeFolder = store.folder();
    impl_->inlineLimit = store.inlineBodyLimit();
}

BodyWriter::BodyWriter(BodyWriter&&) noexcept = default;

BodyWriter& BodyWriter::operator=(BodyWriter&& other) noexcept {
    if (this != &other) {
        if (impl_) impl_->remove();
        impl_ = std::move(other.impl_);
    }
    return *this;
}

BodyWriter::~BodyWriter() {
    if (impl_) impl_->remove();
}

Result<void> BodyWriter::append(std::string_view bytes) {
    if (impl_->failed) return *impl_->failed;
    if (impl_->sealed) return fail(Errc::Internal, "bytes for a message body that is sealed");
    return impl_->note(impl_->append(bytes));
}

std::int64_t BodyWriter::size() const {
    return impl_->size;
}

bool BodyWriter::inFile() const {
    return impl_->folder.has_value();
}

Result<void> BodyWriter::seal() {
    if (impl_->failed) return *impl_->failed;
    if (std::exchange(impl_->sealed, true)) return {};
    return impl_->note(impl_->seal());
}

void BodyWriter::keep() {
    impl_->kept = true;
}

namespace {

Result<MessageId> insertRow(WriteSession& session, const NewMessage& message, std::int64_t size,
                            const std::optional<std::string>& file) {
    POSTERN_TRY(session.run(
        "INSERT INTO message (received_ms, sender, source, client, helo, protocol, "
        "header_id, subject, size, eight_bit, body_file, account, envelope_id, ret, "
        "utf8, binary_body, reports_item) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, "
        "?16, nullif(?17, 0))",
        toMillis(message.received), message.sender, message.source, message.client, message.helo,
        message.protocol, message.headerId, message.subject, size, message.eightBit, file, message.account,
        message.envelopeId, message.ret, message.utf8, message.binary, message.reportsItem));
    POSTERN_LET(id, newestKey(session));
    return MessageId{id};
}

}  // namespace

Result<MessageId> insertMessage(WriteSession& session, const NewMessage& message, const BodyWriter& body) {
    const BodyWriter::Impl& stored = *body.impl_;
    if (!stored.sealed || stored.failed) return fail(Errc::Internal, "a message body that is not sealed");
    if (!stored.folder) return insertMessage(session, message, stored.buffer);
    return insertRow(session, message, stored.size, stored.path());
}

Result<MessageId> insertMessage(WriteSession& session, const NewMessage& message, std::string_view body) {
    POSTERN_LET(id, insertRow(session, message, static_cast<std::int64_t>(body.size()), std::nullopt));
    POSTERN_TRY(session.run("INSERT INTO body (message_id, bytes) VALUES (?1, ?2)", id, Blob{body}));
    return id;
}

namespace {

Error missing(MessageId id, const std::string& what) {
    return fail(Errc::NotFound, "message " + std::to_string(id.value) + " " + what);
}

}  // namespace

Result<MessageRow> readMessage(Session& session, MessageId id) {
    Statement row = session.query(
        "SELECT received_ms, sender, source, client, helo, protocol, header_id, subject, size, eight_bit, "
        "account, envelope_id, ret, utf8, binary_body, reports_item FROM message WHERE id = ?1",
        id);
    if (!row.next()) {
        POSTERN_TRY(row.finish());
        return missing(id, "does not exist");
    }
    MessageRow message;
    message.id = id;
    message.received = fromMillis(row.integer(0));
    std::string* const texts[] = {&message.sender,   &message.source,   &message.client, &message.helo,
                                  &message.protocol, &message.headerId, &message.subject};
    int column = 0;
    for (std::string* text : texts) *text = row.text(++column);
    message.size = row.integer(8);
    message.eightBit = row.integer(9) != 0;
    message.account = row.text(10);
    message.envelopeId = row.text(11);
    message.ret = row.text(12);
    message.utf8 = row.integer(13) != 0;
    message.binary = row.integer(14) != 0;
    message.reportsItem = ItemId{row.integer(15)};
    return message;
}

namespace {

Result<std::unique_ptr<ByteSource>> openBodyFile(const std::string& storeFolder, MessageId id,
                                                 const std::string& file, std::int64_t size) {
    Result<std::unique_ptr<ByteSource>> source = FileSource::open(joinPath(storeFolder, file));
    if (!source.ok() && source.error().code == Errc::NotFound)
        return missing(id, "has lost its body: the file " + file + " of the store is missing");
    if (source.ok() && (*source)->size() != size)
        return fail(Errc::Corrupt, "message " + std::to_string(id.value) + ": its body file " + file +
                                       " has " + std::to_string((*source)->size()) + " bytes instead of " +
                                       std::to_string(size));
    return source;
}

}  // namespace

Result<std::unique_ptr<ByteSource>> openBody(Session& session, const std::string& storeFolder, MessageId id) {
    Statement row = session.query(
        "SELECT message.body_file, message.size, body.bytes FROM message "
        "LEFT JOIN body ON body.message_id = message.id WHERE message.id = ?1",
        id);
    if (!row.next()) {
        POSTERN_TRY(row.finish());
        return missing(id, "does not exist");
    }
    if (!row.isNull(0)) return openBodyFile(storeFolder, id, std::string(row.text(0)), row.integer(1));
    if (row.isNull(2)) return missing(id, "has lost its body: it is not in the database");
    return std::unique_ptr<ByteSource>(std::make_unique<StringSource>(std::string(row.text(2))));
}

Result<void> deleteMessage(WriteSession& session, MessageId id, std::vector<std::string>& files) {
    Statement row = session.query("DELETE FROM message WHERE id = ?1 RETURNING body_file", id);
    const bool found = row.next();
    std::string file(found ? row.text(0) : std::string_view());
    POSTERN_TRY(row.finish());
    if (!found) return missing(id, "does not exist");
    if (!file.empty()) files.push_back(std::move(file));
    return {};
}

Result<void> removeBodyFiles(const std::string& storeFolder, const std::vector<std::string>& files) {
    for (const std::string& file : files) POSTERN_TRY(removeFile(joinPath(storeFolder, file)));
    return {};
}

namespace {

bool isBodyName(std::string_view name) {
    return name.ends_with(kTemporary) || name.ends_with(kFinal);
}

// The names are as the database has them, with "/" on every system.
Result<std::vector<std::string>> orphansIn(Store& store, const std::string& folderName) {
    std::vector<std::string> names;
    POSTERN_LET(folder, Folder::open(joinPath(store.folder(), folderName)));
    POSTERN_TRY(folder.list([&](std::string_view name) {
        if (isBodyName(name)) names.push_back(folderName + "/" + std::string(name));
        return true;
    }));
    std::vector<std::string> orphans;
    if (names.empty()) return orphans;
    POSTERN_TRY(store.read([&](ReadSession& session) -> Result<void> {
        for (std::string& name : names) {
            POSTERN_LET(named, session.one("SELECT count(*) FROM message WHERE body_file = ?1", name));
            if (named == 0) orphans.push_back(std::move(name));
        }
        return {};
    }));
    return orphans;
}

}  // namespace

Result<std::int64_t> sweepBodies(Store& store) {
    std::vector<std::string> folders;
    POSTERN_LET(bodies, Folder::open(joinPath(store.folder(), "bodies")));
    POSTERN_TRY(bodies.list([&](std::string_view name) {
        if (name.size() == 2) folders.push_back("bodies/" + std::string(name));
        return true;
    }));
    std::int64_t removed = 0;
    for (const std::string& folder : folders) {
        POSTERN_LET(orphans, orphansIn(store, folder));
        POSTERN_TRY(removeBodyFiles(store.folder(), orphans));
        removed += static_cast<std::int64_t>(orphans.size());
    }
    return removed;
}

}  // namespace postern::store
