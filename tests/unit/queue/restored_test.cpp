// A store that went through a backup, and what it does not do by itself (docs/BACKUP.md).

#include "queue/restored.h"

#include <filesystem>
#include <fstream>
#include <set>

#include <gmock/gmock.h>

#include "base/file.h"
#include "base/owners_rights.h"
#include "base/peer.h"
#include "store/backup.h"
#include "tests/kit/platform.h"
#include "tests/unit/queue/fixture.h"
#ifndef _WIN32
#include <sys/stat.h>
#endif

namespace postern::queue {
namespace {

using testing::HasSubstr;

class RestoredTest : public QueueTest {
  protected:
    static std::vector<store::Migration> migrations() {
        std::vector<store::Migration> all = store::messageMigrations();
        for (const store::Migration& migration : queueMigrations()) all.push_back(migration);
        return all;
    }

    // Its body stands in a file.
    MessageId largeMessage() {
        store::BodyWriter body(*store_);
        EXPECT_TRUE(body.append("Subject: large\r\n\r\n" + std::string(100'000, 'x') + "\r\n").ok());
        EXPECT_TRUE(body.seal().ok());
        store::NewMessage mail;
        mail.received = clock_.now();
        mail.source = "smtp";
        MessageId id;
        inWrite([&](store::WriteSession& session) -> Result<void> {
            POSTERN_LET(made, store::insertMessage(session, mail, body));
            id = made;
            return {};
        });
        body.keep();
        return id;
    }

    Result<store::BackupFigures> backUp(const std::string& name, const store::Progress& progress = {}) {
        const auto silent = [](std::string_view, std::int64_t, std::int64_t) {};
        return store::backUp(folder_ / "store", migrations(), folder_ / name, clock_.now(), forgetMessage,
                             progress ? progress : silent);
    }

    store::RestoreOptions optionsFor(const std::string& folder) {
        store::RestoreOptions options;
        options.folder = folder_ / folder;
        options.migrations = migrations();
        options.now = clock_.now();
        options.progress = [](std::string_view, std::int64_t, std::int64_t) {};
        options.mark = [this](store::WriteSession& session,
                              const store::BackupFigures& figures) -> Result<void> {
            POSTERN_LET(marked, markRestored(session, figures.at, "alice", clock_.now()));
            marked_ = marked;
            return {};
        };
        return options;
    }

    // The restored store is looked at with the words of the fixture.
    void openInstead(const std::string& folder) {
        queue_.reset();
        store::StoreOptions options;
        options.folder = folder_ / folder;
        options.migrations = migrations();
        options.create = false;
        auto opened = store::Store::open(std::move(options));
        ASSERT_TRUE(opened.ok()) << opened.error().text;
        store_ = std::move(opened).value();
        queue_ = std::make_unique<Queue>(queueOf("us"));
    }

    std::vector<std::string> namesIn(const std::string& folder) {
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(folder_ / folder))
            names.push_back(entry.path().filename().string());
        // A reader leaves these, empty, as it may not remove them.
        std::erase_if(
            names, [](const std::string& name) { return name.ends_with("-wal") || name.ends_with("-shm"); });
        return names;
    }

    Restored marked_;
};

TEST_F(RestoredTest, NothingGoesOutByItself) {
    ItemId publishingItem;
    publishing(publishingItem);
    const ItemId ready = post(), claimed = post(), held = post(), exported = post(), doubtful = post();
    force(claimed, State::Claimed);
    force(held, State::Held);
    sql("UPDATE item SET reason = 'not today' WHERE state = 'held'");
    force(exported, State::Exported);
    force(doubtful, State::InDoubt);
    clock_.advance(Millis(60'000));

    inWrite([&](store::WriteSession& session) -> Result<void> {
        POSTERN_LET(marked, markRestored(session, clock_.now(), "alice", clock_.now()));
        marked_ = marked;
        return {};
    });
    EXPECT_EQ(marked_.held, 3);
    EXPECT_EQ(marked_.publishing, 1);
    EXPECT_EQ(marked_.inDoubt, 1);
    for (const ItemId each : {ready, claimed, held}) {
        EXPECT_EQ(state(each), State::Held);
        EXPECT_THAT(row(each).reason, HasSubstr("restored from a backup of "));
        EXPECT_EQ(history(each).back().what, "held");
        EXPECT_EQ(history(each).back().who, "alice");
    }
    EXPECT_THAT(row(held).reason, HasSubstr("held before: not today"));
    EXPECT_EQ(state(exported), State::Exported);
    EXPECT_EQ(state(doubtful), State::InDoubt);
    EXPECT_EQ(state(publishingItem), State::Publishing);
    EXPECT_TRUE(queue_->claim("maildir", 10)->empty());
}

TEST_F(RestoredTest, AnAttemptOfTheLostStoreHasANumberOfItsOwn) {
    ItemId item;
    const Claim before = publishing(item);
    inWrite([&](store::WriteSession& session) -> Result<void> {
        POSTERN_LET(marked, markRestored(session, clock_.now(), "alice", clock_.now()));
        marked_ = marked;
        return {};
    });
    const Epoch now{number("SELECT epoch FROM item")};
    EXPECT_TRUE(isFromBackup(before.epoch, now));
    EXPECT_FALSE(isFromBackup(before.epoch, Epoch{before.epoch.value + 5}));
    const Settlement late = settlementOf(before, Settlement::Kind::Exported);
    EXPECT_TRUE(queue_->settle(std::span(&late, 1))->empty()) << "its claim is not from this store";
}

TEST_F(RestoredTest, ComesBackWithLargeBodiesAndNewNumbers) {
    const ItemId waiting = post();
    const MessageId large = largeMessage();
    const auto made = backUp("a.backup");
    ASSERT_TRUE(made.ok()) << made.error().text;
    EXPECT_EQ(made->messages, 2);
    EXPECT_EQ(made->filed, 1);
    EXPECT_TRUE(made->lost.empty());
    EXPECT_FALSE(std::filesystem::exists((folder_ / "a.backup") + ".partial"));

    const auto restored = store::restore(folder_ / "a.backup", optionsFor("other"));
    ASSERT_TRUE(restored.ok()) << restored.error().text;
    EXPECT_EQ(restored->aside, "");
    EXPECT_EQ(marked_.held, 1);
    openInstead("other");
    EXPECT_EQ(state(waiting), State::Held);
    EXPECT_EQ(number("SELECT count(*) FROM message WHERE body_file IS NOT NULL"), 1);
    inRead([&](store::ReadSession& session) -> Result<void> {
        POSTERN_LET(body, store::openBody(session, folder_ / "other", large));
        EXPECT_EQ(body->size(), 100'020);
        return {};
    });
    EXPECT_GT(post().value, waiting.value + store::kIdJump)
        << "numbers of the lost store are not given again";
}

TEST_F(RestoredTest, ADryRunMakesItAndLeavesNothing) {
    post();
    largeMessage();
    ASSERT_TRUE(backUp("a.backup").ok());
    store::RestoreOptions options = optionsFor("other");
    options.dryRun = true;
    const auto tried = store::restore(folder_ / "a.backup", options);
    ASSERT_TRUE(tried.ok()) << tried.error().text;
    EXPECT_EQ(tried->backup.messages, 2);
    EXPECT_EQ(marked_.held, 1) << "as it would be";
    EXPECT_FALSE(std::filesystem::exists(folder_ / "other"));

    store_.reset();
    queue_.reset();
    const std::vector<std::string> before = namesIn("store");
    const std::string database = readFile(folder_ / "store/postern.db", 1 << 26).value();
    options = optionsFor("store");
    options.dryRun = true;
    const auto refused = store::restore(folder_ / "a.backup", options);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Errc::Exists);
    options.force = true;
    EXPECT_TRUE(store::restore(folder_ / "a.backup", options).ok());
    EXPECT_THAT(namesIn("store"), testing::UnorderedElementsAreArray(before));
    EXPECT_EQ(readFile(folder_ / "store/postern.db", 1 << 26).value(), database);
}

TEST_F(RestoredTest, AStoreWithMailGoesAsideOnlyWhenSaid) {
    post();
    ASSERT_TRUE(backUp("a.backup").ok());
    queue_.reset();
    store_.reset();
    store::RestoreOptions options = optionsFor("store");
    const auto refused = store::restore(folder_ / "a.backup", options);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Errc::Exists);
    options.force = true;
    const auto restored = store::restore(folder_ / "a.backup", options);
    ASSERT_TRUE(restored.ok()) << restored.error().text;
    EXPECT_TRUE(std::filesystem::exists(restored->aside + "/postern.db"));
}

#ifndef _WIN32  // nobody acts with another user's rights there
// Everything below `folder`, and itself.
void giveAway(const std::string& folder) {
    ASSERT_TRUE(setFileOwner(folder, "65534:1").ok());
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
        ASSERT_TRUE(setFileOwner(entry.path(), "65534:1").ok());
}

std::set<std::pair<uid_t, gid_t>> ownersIn(const std::string& folder) {
    std::set<std::pair<uid_t, gid_t>> owners;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        struct stat facts {};
        EXPECT_EQ(::lstat(entry.path().c_str(), &facts), 0);
        owners.emplace(facts.st_uid, facts.st_gid);
    }
    return owners;
}

TEST_F(RestoredTest, ByRootItBelongsToTheOwnerOfTheStoreOrOfTheFolderAroundIt) {
    if (!isAdministrator()) GTEST_SKIP() << "only root restores for others";
    post();
    largeMessage();
    ASSERT_TRUE(backUp("a.backup").ok());
    ASSERT_TRUE(setFileMode(folder_ / "a.backup", 0600).ok()) << "nobody else can read it";
    queue_.reset();
    store_.reset();
    ASSERT_TRUE(setFileMode(folder_.path(), 0755).ok());
    ASSERT_TRUE(makeFolders(folder_ / "place").ok());
    for (const char* name : {"store", "place"}) giveAway(folder_ / name);
    store::RestoreOptions options = optionsFor("store");
    options.force = true;
    const std::set<std::pair<uid_t, gid_t>> wanted = {{65534, 1}};
    for (const char* name : {"store", "place/new"}) {
        options.folder = folder_ / name;
        const auto restored = store::restore(folder_ / "a.backup", options);
        ASSERT_TRUE(restored.ok()) << restored.error().text;
        EXPECT_EQ(ownersIn(options.folder), wanted) << name;
    }
    EXPECT_EQ(ownersIn(folder_ / "place"), wanted);
    EXPECT_TRUE(isAdministrator()) << "again";
}

TEST_F(RestoredTest, AStoreThatCanNotBeReadIsNotTakenForEmpty) {
    if (!isAdministrator()) GTEST_SKIP() << "only root can make it so";
    post();
    ASSERT_TRUE(backUp("a.backup").ok());
    queue_.reset();
    store_.reset();
    ASSERT_TRUE(setFileMode(folder_.path(), 0755).ok());
    giveAway(folder_ / "store");
    ASSERT_TRUE(setFileOwner(folder_ / "store/postern.db", "0:0").ok());
    store::RestoreOptions options = optionsFor("store");
    options.force = true;
    const auto refused = store::restore(folder_ / "a.backup", options);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Errc::Denied) << refused.error().text;
    EXPECT_TRUE(std::filesystem::exists(folder_ / "store/postern.db"));
}
#endif

TEST_F(RestoredTest, WhatIsNoWholeBackupIsRefused) {
    post();
    ASSERT_TRUE(backUp("a.backup").ok());
    EXPECT_EQ(backUp("a.backup").error().code, Errc::Exists);
    const auto codeOf = [&](const std::string& path) {
        const auto restored = store::restore(path, optionsFor("other"));
        EXPECT_FALSE(std::filesystem::exists(folder_ / "other")) << "before anything was touched";
        return restored.ok() ? Errc::Busy : restored.error().code;
    };
    EXPECT_EQ(codeOf(folder_ / "none"), Errc::NotFound);
    EXPECT_EQ(codeOf(folder_ / "store/postern.db"), Errc::Invalid) << "a store, not a backup";
    std::ofstream(folder_ / "text") << "Subject: no backup\n";
    EXPECT_NE(codeOf(folder_ / "text"), Errc::Busy);
    const auto size = std::filesystem::file_size(folder_ / "a.backup");
    std::filesystem::copy_file(folder_ / "a.backup", folder_ / "cut");
    std::filesystem::resize_file(folder_ / "cut", size / 2);
    EXPECT_EQ(codeOf(folder_ / "cut"), Errc::Corrupt);
    std::filesystem::copy_file(folder_ / "a.backup", folder_ / "bad");
    {
        std::fstream bad(folder_ / "bad", std::ios::in | std::ios::out | std::ios::binary);
        bad.seekp(static_cast<std::streamoff>(size / 2));
        bad << std::string(4096, '\xee');
    }
    EXPECT_EQ(codeOf(folder_ / "bad"), Errc::Corrupt);
}

// The copy of the database has the message, its file is gone before it was read.
TEST_F(RestoredTest, WhatIsPurgedWhileItIsCopiedIsNotInIt) {
    const ItemId stays = post();
    const MessageId large = largeMessage();
    const auto purge = [&](std::string_view what, std::int64_t, std::int64_t) {
        if (what != "bodies") return;
        std::vector<std::string> files;
        inWrite([&](store::WriteSession& session) { return store::deleteMessage(session, large, files); });
        for (const std::string& file : files) std::filesystem::remove(joinPath(folder_ / "store", file));
    };
    const auto made = backUp("a.backup", purge);
    ASSERT_TRUE(made.ok()) << made.error().text;
    EXPECT_EQ(made->purged, 1);
    EXPECT_EQ(made->messages, 1);
    EXPECT_TRUE(made->lost.empty());
    ASSERT_TRUE(store::restore(folder_ / "a.backup", optionsFor("other")).ok());
    openInstead("other");
    EXPECT_EQ(state(stays), State::Held);
}

TEST_F(RestoredTest, ALostBodyIsNamed) {
    const MessageId large = largeMessage();
    std::filesystem::remove_all(folder_ / "store/bodies");
    const auto made = backUp("a.backup");
    ASSERT_TRUE(made.ok()) << made.error().text;
    EXPECT_THAT(made->lost, testing::ElementsAre(large));
    EXPECT_EQ(made->messages, 1) << "who sent it to whom is kept";
}

}  // namespace
}  // namespace postern::queue
