#include <limits>
#include <optional>

#include <gtest/gtest.h>

#include "base/ids.h"
#include "tests/unit/store/open_store.h"

namespace postern::tests {
namespace {

using store::Blob;
using store::Statement;
using store::WriteSession;

// Runs `body` as a write and reports what went wrong.
template <class Body>
void onWriter(Body body) {
    const TempFolder folder;
    const auto store = openStore(optionsFor(folder));
    ASSERT_TRUE(store);
    const auto written = store->write([&](WriteSession& session) -> Result<void> { return body(session); });
    EXPECT_TRUE(written.ok()) << describe(written);
}

TEST(Session, ValuesComeBackAsTheyWentIn) {
    onWriter([](WriteSession& s) -> Result<void> {
        POSTERN_TRY(s.run("CREATE TABLE v (n INTEGER, t TEXT, b BLOB) STRICT"));
        const std::int64_t numbers[] = {0, 1, -1, std::numeric_limits<std::int64_t>::min(),
                                        std::numeric_limits<std::int64_t>::max()};
        for (const std::int64_t number : numbers) {
            POSTERN_LET(got, s.one("INSERT INTO v (n) VALUES (?1) RETURNING n", number));
            EXPECT_EQ(got, number);
        }
        const std::string texts[] = {"", "a", std::string("a\0b", 3), "\xd0\x96", std::string(100'000, 'x')};
        for (const std::string& text : texts) {
            Statement row = s.query("INSERT INTO v (t, b) VALUES (?1, ?2) RETURNING t, b", text, Blob{text});
            EXPECT_TRUE(row.next());
            EXPECT_FALSE(row.isNull(0));
            EXPECT_FALSE(row.isNull(1));
            EXPECT_EQ(row.text(0), text);
            EXPECT_EQ(row.text(1), text);
            POSTERN_TRY(row.finish());
        }
        // A view without bytes behind it is the empty text, not NULL.
        Statement row = s.query("SELECT ?1, ?2, ?3, ?4, ?5, ?6", std::string_view(), Blob{}, std::nullopt,
                                std::optional<std::string>(), std::optional<int>(7), MessageId{42});
        EXPECT_TRUE(row.next());
        EXPECT_FALSE(row.isNull(0));
        EXPECT_FALSE(row.isNull(1));
        EXPECT_TRUE(row.isNull(2));
        EXPECT_TRUE(row.isNull(3));
        EXPECT_EQ(row.text(3), "");
        EXPECT_EQ(row.integer(4), 7);
        EXPECT_EQ(row.integer(5), 42);
        return row.finish();
    });
}

TEST(Session, QueryKeepsItsArgumentsWhileTheyLast) {
    onWriter([](WriteSession& s) -> Result<void> {
        std::string text(1000, 'a');
        Statement row = s.query("SELECT ?1, ?1 FROM (SELECT 1 UNION SELECT 2)", text);
        text.assign(1000, 'b');
        int rows = 0;
        while (row.next()) {
            ++rows;
            EXPECT_EQ(row.text(1), std::string(1000, 'a'));
        }
        EXPECT_EQ(rows, 2);
        return row.finish();
    });
}

constexpr char kNested[] = "SELECT value FROM json_each(?1)";

TEST(Session, TheSameTextMayRunInsideItself) {
    onWriter([](WriteSession& s) -> Result<void> {
        int seen = 0;
        Statement outer = s.query(kNested, "[1,2,3]");
        while (outer.next()) {
            Statement inner = s.query(kNested, "[10,20]");
            while (inner.next()) seen += static_cast<int>(outer.integer(0) * inner.integer(0));
            POSTERN_TRY(inner.finish());
        }
        EXPECT_EQ(seen, (1 + 2 + 3) * (10 + 20));
        return outer.finish();
    });
}

TEST(Session, AnErrorSticksUntilFinishAndTheNextUseIsClean) {
    onWriter([](WriteSession& s) -> Result<void> {
        for (int i = 0; i < 2; ++i) {
            const auto failed = s.run("INSERT INTO note (text) VALUES (?1)", "forbidden");
            EXPECT_FALSE(failed.ok());
            const auto good = s.run("INSERT INTO note (text) VALUES (?1)", std::to_string(i));
            EXPECT_TRUE(good.ok() && *good == 1);
        }
        Statement missing = s.query("SELECT nothing FROM nowhere WHERE x = ?1", 1);
        EXPECT_FALSE(missing.next());
        EXPECT_FALSE(missing.next());
        const auto finished = missing.finish();
        EXPECT_FALSE(finished.ok());
        EXPECT_NE(finished.error().text.find("nowhere"), std::string::npos) << describe(finished);
        return {};
    });
}

TEST(Session, AnArgumentWithoutAPlaceIsAnError) {
    onWriter([](WriteSession& s) -> Result<void> {
        EXPECT_FALSE(s.one("SELECT ?1", 1, 2).ok());
        return {};
    });
}

TEST(Session, OneSaysWhenThereIsNoRow) {
    onWriter([](WriteSession& s) -> Result<void> {
        const auto none = s.one("SELECT id FROM note WHERE id = ?1", 77);
        EXPECT_FALSE(none.ok());
        EXPECT_EQ(none.error().code, Errc::NotFound);
        return {};
    });
}

TEST(Session, RunCountsTheRowsItChanged) {
    onWriter([](WriteSession& s) -> Result<void> {
        for (const char* text : {"a", "b", "c"}) POSTERN_TRY(addNote(s, text));
        POSTERN_LET(changed, s.run("UPDATE note SET text = text || 'x' WHERE text <> ?1", "b"));
        EXPECT_EQ(changed, 2);
        POSTERN_LET(none, s.run("DELETE FROM note WHERE id > ?1", 1000));
        EXPECT_EQ(none, 0);
        POSTERN_LET(read, s.run("SELECT * FROM note"));
        EXPECT_EQ(read, 0);
        return {};
    });
}

// One row of RETURNING is read, all rows are changed.
TEST(Session, AWriteIsRunToItsEnd) {
    onWriter([](WriteSession& s) -> Result<void> {
        for (const char* text : {"a", "b", "c"}) POSTERN_TRY(addNote(s, text));
        POSTERN_TRY(s.one("UPDATE note SET text = text || 'x' RETURNING id"));
        POSTERN_LET(changed, s.one("SELECT count(*) FROM note WHERE text LIKE '%x'"));
        EXPECT_EQ(changed, 3);
        return {};
    });
}

// A caller that builds its SQL breaks the contract; it must still not run another statement.
TEST(Session, ATextAtAUsedAddressIsNotTakenForTheOldOne) {
    onWriter([](WriteSession& s) -> Result<void> {
        char sql[] = "SELECT 1";
        POSTERN_LET(first, s.one(sql));
        sql[7] = '2';
        POSTERN_LET(second, s.one(sql));
        EXPECT_EQ(first, 1);
        EXPECT_EQ(second, 2);
        return {};
    });
}

}  // namespace
}  // namespace postern::tests
