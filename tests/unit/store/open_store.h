#pragma once
// What nearly every test of the store begins with.

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "store/messages.h"
#include "store/store.h"
#include "tests/temp_folder.h"

namespace postern::tests {

inline constexpr char kNotesTable[] =
    "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE CHECK (text <> 'forbidden')) "
    "STRICT;";

// The messages' schema and a table to play with.
inline store::StoreOptions optionsFor(const TempFolder& folder) {
    store::StoreOptions options;
    options.folder = folder / "store";
    options.migrations = store::messageMigrations();
    options.migrations.push_back({2, "notes", kNotesTable});
    return options;
}

inline std::unique_ptr<store::Store> openStore(store::StoreOptions options) {
    auto opened = store::Store::open(std::move(options));
    if (!opened.ok()) {
        ADD_FAILURE() << "open: " << opened.error().text;
        return nullptr;
    }
    return std::move(opened).value();
}

inline std::string describe(const Result<void>& result) {
    return result.ok() ? "ok" : std::string(errcName(result.error().code)) + ": " + result.error().text;
}

inline Result<void> addNote(store::WriteSession& session, const std::string& text) {
    POSTERN_TRY(session.run("INSERT INTO note (text) VALUES (?1)", text));
    return {};
}

inline std::int64_t countNotes(store::Store& store) {
    std::int64_t count = -1;
    const Result<void> read = store.read([&](store::ReadSession& session) -> Result<void> {
        POSTERN_LET(found, session.one("SELECT count(*) FROM note"));
        count = found;
        return {};
    });
    EXPECT_TRUE(read.ok()) << describe(read);
    return count;
}

}  // namespace postern::tests
