#include <filesystem>

#include <gtest/gtest.h>

#include "base/file.h"
#include "store/messages.h"
#include "tests/unit/store/open_store.h"

namespace postern::tests {
namespace {

namespace fs = std::filesystem;
using store::BodyWriter;
using store::NewMessage;
using store::ReadSession;
using store::WriteSession;

NewMessage someMessage() {
    NewMessage message;
    message.received = fromMillis(1'700'000'000'123);
    message.sender = "ann@example.org";
    message.source = "mx";
    message.client = "192.0.2.1:4711";
    message.helo = "host.example.org";
    message.protocol = "ESMTP";
    message.headerId = "<1@example.org>";
    message.subject = std::string("nul \0 inside", 12);
    message.eightBit = true;
    return message;
}

std::string pattern(std::size_t size) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 31 + i / 251);
    return bytes;
}

Result<MessageId> insert(store::Store& store, BodyWriter& body) {
    MessageId id;
    POSTERN_TRY(store.write([&](WriteSession& session) -> Result<void> {
        POSTERN_LET(made, insertMessage(session, someMessage(), body));
        id = made;
        return {};
    }));
    body.keep();
    return id;
}

Result<MessageId> insertBytes(store::Store& store, std::string_view bytes, std::size_t step = 1000) {
    BodyWriter body(store);
    for (std::size_t at = 0; at < bytes.size(); at += step) POSTERN_TRY(body.append(bytes.substr(at, step)));
    POSTERN_TRY(body.seal());
    return insert(store, body);
}

Result<std::string> readBody(store::Store& store, MessageId id) {
    std::string bytes;
    POSTERN_TRY(store.read([&](ReadSession& session) -> Result<void> {
        POSTERN_LET(source, openBody(session, store.folder(), id));
        POSTERN_LET(all, readAll(*source, 100 << 20));
        bytes = std::move(all);
        return {};
    }));
    return bytes;
}

std::vector<std::string> bodyFiles(const store::Store& store) {
    std::vector<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(store.folder() + "/bodies"))
        if (entry.is_regular_file()) files.push_back(entry.path().string());
    return files;
}

TEST(Body, ComesBackByteForByteInlineOrFromAFile) {
    const TempFolder folder;
    auto options = optionsFor(folder);
    options.inlineBodyLimit = 1000;
    const auto store = openStore(options);
    ASSERT_TRUE(store);
    std::size_t files = 0;
    for (const std::size_t size : {0, 1, 999, 1000, 1001, 65535, 65536, 65537, 3'000'000})
        for (const std::size_t step : {7u, 1000u, 65536u, 100'000u}) {
            if (step == 7 && size > 100'000) continue;
            const std::string bytes = pattern(size);
            const auto id = insertBytes(*store, bytes, step);
            ASSERT_TRUE(id.ok()) << id.error().text;
            const auto back = readBody(*store, *id);
            ASSERT_TRUE(back.ok()) << back.error().text;
            EXPECT_TRUE(*back == bytes) << size << " bytes in steps of " << step;
            if (size > 1000) ++files;
        }
    EXPECT_EQ(bodyFiles(*store).size(), files);
}

TEST(Body, TheRowTellsAllThatCameIn) {
    const TempFolder folder;
    const auto store = openStore(optionsFor(folder));
    ASSERT_TRUE(store);
    const auto id = insertBytes(*store, "hello");
    ASSERT_TRUE(id.ok());
    const auto read = store->read([&](ReadSession& session) -> Result<void> {
        POSTERN_LET(row, readMessage(session, *id));
        const NewMessage wanted = someMessage();
        EXPECT_EQ(row.id, *id);
        EXPECT_EQ(row.received, wanted.received);
        EXPECT_EQ(row.sender, wanted.sender);
        EXPECT_EQ(row.source, wanted.source);
        EXPECT_EQ(row.client, wanted.client);
        EXPECT_EQ(row.helo, wanted.helo);
        EXPECT_EQ(row.protocol, wanted.protocol);
        EXPECT_EQ(row.headerId, wanted.headerId);
        EXPECT_EQ(row.subject, wanted.subject);
        EXPECT_EQ(row.size, 5);
        EXPECT_TRUE(row.eightBit);
        const auto none = readMessage(session, MessageId{999});
        EXPECT_FALSE(none.ok());
        EXPECT_EQ(none.error().code, Errc::NotFound);
        return {};
    });
    EXPECT_TRUE(read.ok()) << describe(read);
}

TEST(Body, AFileIsThereUnderItsFinalNameOnlyWhenSealedAndGoesWithItsWriter) {
    const TempFolder folder;
    const auto store = openStore(optionsFor(folder));
    ASSERT_TRUE(store);
    {
        BodyWriter body(*store);
        ASSERT_TRUE(body.append(pattern(65536)).ok());
        EXPECT_FALSE(body.inFile());
        ASSERT_TRUE(body.append("x").ok());
        EXPECT_TRUE(body.inFile());
        ASSERT_EQ(bodyFiles(*store).size(), 1u);
        EXPECT_TRUE(bodyFiles(*store)[0].ends_with(".tmp"));
        ASSERT_TRUE(body.seal().ok());
        EXPECT_TRUE(body.seal().ok());
        ASSERT_EQ(bodyFiles(*store).size(), 1u);
        EXPECT_TRUE(bodyFiles(*store)[0].ends_with(".eml"));
        EXPECT_FALSE(body.append("late").ok());
    }
    EXPECT_TRUE(bodyFiles(*store).empty());
    BodyWriter one(*store), two(*store);
    ASSERT_TRUE(one.append(pattern(70'000)).ok());
    ASSERT_TRUE(two.append(pattern(70'000)).ok());
    one = std::move(two);
    EXPECT_EQ(bodyFiles(*store).size(), 1u);
}

TEST(Body, AnUnsealedBodyIsNotStored) {
    const TempFolder folder;
    const auto store = openStore(optionsFor(folder));
    ASSERT_TRUE(store);
    BodyWriter body(*store);
    ASSERT_TRUE(body.append("x").ok());
    EXPECT_FALSE(insert(*store, body).ok());
}

// The body is gone: the item must fail with a reason, not stop the queue.
TEST(Body, Q239420_AMissingBodySaysWhatIsMissing) {
    const TempFolder folder;
    const auto store = openStore(optionsFor(folder));
    ASSERT_TRUE(store);
    const auto large = insertBytes(*store, pattern(70'000));
    const auto small = insertBytes(*store, "small");
    ASSERT_TRUE(large.ok() && small.ok());
    const std::string file = bodyFiles(*store).at(0);
    const auto check = [&](MessageId id, Errc wanted, const std::string& text) {
        const auto back = readBody(*store, id);
        ASSERT_FALSE(back.ok());
        EXPECT_EQ(back.error().code, wanted) << back.error().text;
        EXPECT_NE(back.error().text.find(text), std::string::npos) << back.error().text;
    };
    fs::resize_file(file, 100);
    check(*large, Errc::Corrupt, "has 100 bytes instead of 70000");
    fs::remove(file);
    check(*large, Errc::NotFound, fs::path(file).filename().string() + " of the store is missing");
    ASSERT_TRUE(store
                    ->write([](WriteSession& s) -> Result<void> {
                        POSTERN_TRY(s.run("DELETE FROM body"));
                        return {};
                    })
                    .ok());
    check(*small, Errc::NotFound, "not in the database");
    check(MessageId{4711}, Errc::NotFound, "message 4711 does not exist");
}

TEST(Body, DeletingAMessageNamesItsFile) {
    const TempFolder folder;
    const auto store = openStore(optionsFor(folder));
    ASSERT_TRUE(store);
    const auto large = insertBytes(*store, pattern(70'000));
    const auto small = insertBytes(*store, "small");
    ASSERT_TRUE(large.ok() && small.ok());
    std::vector<std::string> files;
    const auto deleted = store->write([&](WriteSession& session) -> Result<void> {
        POSTERN_TRY(deleteMessage(session, *large, files));
        POSTERN_TRY(deleteMessage(session, *small, files));
        const auto again = deleteMessage(session, *small, files);
        EXPECT_FALSE(again.ok());
        POSTERN_LET(bodies, session.one("SELECT count(*) FROM body"));
        EXPECT_EQ(bodies, 0);
        return {};
    });
    ASSERT_TRUE(deleted.ok()) << describe(deleted);
    ASSERT_EQ(files.size(), 1u);
    EXPECT_EQ(bodyFiles(*store).size(), 1u) << "the file goes after the commit only";
    EXPECT_TRUE(store::removeBodyFiles(store->folder(), files).ok());
    EXPECT_TRUE(store::removeBodyFiles(store->folder(), files).ok()) << "twice is no error";
    EXPECT_TRUE(bodyFiles(*store).empty());
}

TEST(Body, TheSweepRemovesFilesThatNoMessageNamesAndNothingElse) {
    const TempFolder folder;
    const std::string bytes = pattern(70'000);
    MessageId id;
    {
        const auto store = openStore(optionsFor(folder));
        ASSERT_TRUE(store);
        const auto made = insertBytes(*store, bytes);
        ASSERT_TRUE(made.ok());
        id = *made;
        BodyWriter orphan(*store);
        ASSERT_TRUE(orphan.append(bytes).ok() && orphan.seal().ok());
        orphan.keep();  // as a crash before the commit leaves it
        BodyWriter half(*store);
        ASSERT_TRUE(half.append(bytes).ok());
        half.keep();
        const std::string named = fs::path(bodyFiles(*store)[0]).parent_path().string();
        ASSERT_TRUE(replaceFile(named + "/notes.txt", "an operator's").ok());
        ASSERT_EQ(bodyFiles(*store).size(), 4u);
    }
    const auto store = openStore(optionsFor(folder));
    ASSERT_TRUE(store);
    const auto swept = store::sweepBodies(*store);
    ASSERT_TRUE(swept.ok()) << swept.error().text;
    EXPECT_EQ(*swept, 2);
    EXPECT_EQ(bodyFiles(*store).size(), 2u);
    const auto back = readBody(*store, id);
    ASSERT_TRUE(back.ok()) << back.error().text;
    EXPECT_TRUE(*back == bytes);
}

#ifndef _WIN32
std::int64_t residentBytes() {
    const auto text = readFile("/proc/self/statm", 1000);
    EXPECT_TRUE(text.ok());
    return text.ok() ? std::stoll(text->substr(text->find(' '))) * 4096 : 0;
}

TEST(Body, FiftyMegabytesPassThroughWithoutBeingInMemory) {
    const TempFolder folder;
    const auto store = openStore(optionsFor(folder));
    ASSERT_TRUE(store);
    constexpr std::int64_t kSize = 50 << 20;
    const std::string chunk = pattern(8192);
    const std::int64_t before = residentBytes();
    std::int64_t most = 0;
    BodyWriter body(*store);
    while (body.size() < kSize) {
        ASSERT_TRUE(body.append(chunk).ok());
        most = std::max(most, residentBytes());
    }
    ASSERT_TRUE(body.seal().ok());
    const auto id = insert(*store, body);
    ASSERT_TRUE(id.ok());
    std::int64_t read = 0;
    const auto passed = store->read([&](ReadSession& session) -> Result<void> {
        POSTERN_LET(source, openBody(session, store->folder(), *id));
        return copyAll(*source, [&](std::string_view bytes) -> Result<void> {
            read += static_cast<std::int64_t>(bytes.size());
            most = std::max(most, residentBytes());
            return {};
        });
    });
    ASSERT_TRUE(passed.ok()) << describe(passed);
    EXPECT_EQ(read, kSize);
    EXPECT_LT(most - before, 4 << 20) << "bytes of memory for a body of " << kSize;
}
#endif

}  // namespace
}  // namespace postern::tests
