#include "store/messages.h"

#include <unordered_set>

#include "base/random.h"
#include "schema_0001_messages.h"

namespace postern::store {

namespace {

constexpr std::int64_t kWritebackEvery = 1 << 20;  // keeps the final sync short and the dirty pages few
constexpr std::string_view kUnfinished = ".tmp";

std::string bodiesFolder(const std::string& storeFolder) {
    return joinPath(storeFolder, "bodies");
}

// "ab/abcdefghijkl.eml": 36 x 36 sub-folders keep each one small.
std::string newBodyName() {
    const std::string name = randomName(20);
    return name.substr(0, 2) + "/" + name + ".eml";
}

}  // namespace

const std::vector<Migration>& messageMigrations() {
    static const std::vector<Migration> migrations = {{1, "messages", kSchema0001Messages}};
    return migrations;
}

struct BodyWriter::Impl {
    std::string storeFolder;
    std::int64_t inlineLimit = 0;
    std::string bytes;  // while inline
    File file;
    std::string name;  // relative to the bodies folder; empty: inline
    std::int64_t size = 0, writtenBack = 0;
    bool sealed = false, kept = false;

    std::string path() const { return joinPath(bodiesFolder(storeFolder), name); }

    ~Impl() {
        if (name.empty() || kept) return;
        // A file that can not be removed now is swept at the next start.
        (void)removeFile(sealed ? path() : path() + std::string(kUnfinished));
    }

    Result<void> moveToFile() {
        std::string fresh = newBodyName();
        POSTERN_LET(folder, Folder::make(parentPath(joinPath(bodiesFolder(storeFolder), fresh)), 0700));
        POSTERN_LET(created, folder.create(fresh.substr(3) + std::string(kUnfinished), 0600));
        name = std::move(fresh);
        file = std::move(created);
        POSTERN_TRY(file.write(bytes));
        bytes = std::string();
        return {};
    }
};

BodyWriter::BodyWriter(const Store& store) : impl_(std::make_unique<Impl>()) {
    impl_->storeFolder = store.folder();
    impl_->inlineLimit = store.inlineBodyLimit();
}
BodyWriter::BodyWriter(BodyWriter&&) noexcept = default;
BodyWriter& BodyWriter::operator=(BodyWriter&&) noexcept = default;
BodyWriter::~BodyWriter() = default;

std::int64_t BodyWriter::size() const {
    return impl_->size;
}
bool BodyWriter::inFile() const {
    return !impl_->name.empty();
}
void BodyWriter::keep() {
    impl_->kept = true;
}

Result<void> BodyWriter::append(std::string_view more) {
    Impl& body = *impl_;
    body.size += static_cast<std::int64_t>(more.size());
    if (body.name.empty()) {
        if (body.size <= body.inlineLimit) {
            body.bytes.append(more);
            return {};
        }
        POSTERN_TRY(body.moveToFile());
    }
    POSTERN_TRY(body.file.write(more));
    if (body.size - body.writtenBack < kWritebackEvery) return {};
    body.file.startWriteback();
    body.writtenBack = body.size;
    return {};
}

Result<void> BodyWriter::seal() {
    Impl& body = *impl_;
    if (body.name.empty() || body.sealed) return {};
    POSTERN_TRY(body.file.sync());
    POSTERN_TRY(body.file.close());
    POSTERN_LET(folder, Folder::open(parentPath(body.path())));
    const std::string name = body.name.substr(3);
    POSTERN_LET(moved, folder.moveNoReplace(name + std::string(kUnfinished), folder, name));
    if (moved != Moved::Done) return fail(Errc::Io, body.path() + " could not be given its name");
    body.sealed = true;
    POSTERN_TRY(folder.sync());
    // The sub-folder may be new: its own name has to be on the disk as well.
    POSTERN_LET(parent, Folder::open(bodiesFolder(body.storeFolder)));
    return parent.sync();
}

Result<MessageId> insertMessage(WriteSession& session, const NewMessage& message, const BodyWriter& body) {
    const auto& stored = *body.impl_;
    const bool inFile = !stored.name.empty();
    if (inFile && !stored.sealed) return fail(Errc::Internal, "a body was not sealed");
    const std::optional<std::string_view> file =
        inFile ? std::optional<std::string_view>(stored.name) : std::nullopt;
    POSTERN_LET(
        id, session.one(
                "INSERT INTO message (received_ms, sender, source, client, helo, protocol, header_id, "
                "subject, size, eight_bit, body_file) "
                "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) RETURNING id",
                toMillis(message.received), message.sender, message.source, message.client, message.helo,
                message.protocol, message.headerId, message.subject, stored.size, message.eightBit, file));
    if (!inFile)
        POSTERN_TRY(
            session.run("INSERT INTO body (message_id, bytes) VALUES (?1, ?2)", id, Blob{stored.bytes}));
    return MessageId{id};
}

Result<MessageRow> readMessage(ReadSession& session, MessageId id) {
    auto query = session.query(
        "SELECT received_ms, sender, source, client, helo, protocol, header_id, subject, size, "
        "eight_bit FROM message WHERE id = ?1",
        id);
    MessageRow row;
    const bool found = query.next();
    if (found) {
        row.id = id;
        row.received = fromMillis(query.integer(0));
        row.sender = query.text(1);
        row.source = query.text(2);
        row.client = query.text(3);
        row.helo = query.text(4);
        row.protocol = query.text(5);
        row.headerId = query.text(6);
        row.subject = query.text(7);
        row.size = query.integer(8);
        row.eightBit = query.integer(9) != 0;
    }
    POSTERN_TRY(query.finish());
    if (!found) return fail(Errc::NotFound, "message m" + std::to_string(id.value) + " is not in the store");
    return row;
}

Result<std::unique_ptr<ByteSource>> openBody(ReadSession& session, const std::string& storeFolder,
                                             MessageId id) {
    auto query = session.query(
        "SELECT m.body_file, b.bytes, b.message_id FROM message m LEFT JOIN body b "
        "ON b.message_id = m.id WHERE m.id = ?1",
        id);
    const std::string name = "the content of message m" + std::to_string(id.value);
    std::string file, bytes;
    bool found = false;
    if (query.next()) {
        file = query.text(0);
        found = !file.empty() || !query.isNull(2);
        bytes = query.text(1);
    }
    POSTERN_TRY(query.finish());
    if (!found) return fail(Errc::NotFound, name + " is missing from the store");
    if (file.empty()) return std::unique_ptr<ByteSource>(std::make_unique<StringSource>(std::move(bytes)));
    auto opened = FileSource::open(joinPath(bodiesFolder(storeFolder), file));
    if (!opened.ok()) return opened.error().within(name);
    return opened;
}

Result<void> deleteMessage(WriteSession& session, MessageId id, std::vector<std::string>& files) {
    auto query = session.query("DELETE FROM message WHERE id = ?1 RETURNING body_file", id);
    if (query.next() && !query.isNull(0)) files.emplace_back(query.text(0));
    return query.finish();
}

Result<void> removeBodyFiles(const Store& store, const std::vector<std::string>& files) {
    for (const std::string& file : files)
        POSTERN_TRY(removeFile(joinPath(bodiesFolder(store.folder()), file)));
    return {};
}

static Result<std::unordered_set<std::string>> namedBodies(Store& store) {
    std::unordered_set<std::string> named;
    POSTERN_TRY(store.read([&](ReadSession& session) -> Result<void> {
        auto query = session.query("SELECT body_file FROM message WHERE body_file IS NOT NULL");
        while (query.next()) named.emplace(query.text(0));
        return query.finish();
    }));
    return named;
}

static Result<std::vector<std::string>> namesIn(const std::string& path) {
    std::vector<std::string> names;
    POSTERN_LET(folder, Folder::open(path));
    POSTERN_TRY(folder.list([&](std::string_view name) {
        names.emplace_back(name);
        return true;
    }));
    return names;
}

Result<std::int64_t> sweepBodies(Store& store) {
    const std::string root = bodiesFolder(store.folder());
    if (!pathExists(root)) return std::int64_t{0};
    POSTERN_LET(named, namedBodies(store));
    POSTERN_LET(folders, namesIn(root));
    std::int64_t removed = 0;
    for (const std::string& folder : folders) {
        POSTERN_LET(names, namesIn(joinPath(root, folder)));
        for (const std::string& name : names) {
            const std::string relative = joinPath(folder, name);
            if (named.count(relative) != 0) continue;
            POSTERN_TRY(removeFile(joinPath(root, relative)));
            ++removed;
        }
    }
    return removed;
}

}  // namespace postern::store
