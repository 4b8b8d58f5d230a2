#pragma once
// What nearly every test of the store begins with.

#include <memory>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "base/sync.h"
#include "store/messages.h"
#include "store/store.h"
#include "tests/temp_folder.h"

namespace postern::tests {

inline constexpr char kNotesTable[] =
    "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE CHECK (text <> 'forbidden')) "
    "STRICT;";

// The messages' schema and a table to play with.
inline store::StoreOptions optionsIn(std::string folder) {
    store::StoreOptions options;
    options.folder = std::move(folder);
    options.migrations = store::messageMigrations();
    options.migrations.push_back({2, "notes", kNotesTable});
    return options;
}

inline store::StoreOptions optionsFor(const TempFolder& folder) {
    return optionsIn(folder / "store");
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

// Lets a test thread wait for something that another thread does, within a deadline.
class Signal {
  public:
    void raise() {
        MutexLock lock(mutex_);
        raised_ = true;
        condition_.notifyAll();
    }
    bool wait(std::chrono::seconds longest = std::chrono::seconds(20)) {
        const auto deadline = std::chrono::steady_clock::now() + longest;
        MutexLock lock(mutex_);
        while (!raised_)
            if (!condition_.waitUntil(mutex_, deadline)) break;
        return raised_;
    }

  private:
    Mutex mutex_;
    Condition condition_;
    bool raised_ GUARDED_BY(mutex_) = false;
};

// Polls, since the writer tells nobody when it keeps house.
template <class Condition>
bool eventually(Condition holds) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!holds()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::yield();
    }
    return true;
}

}  // namespace postern::tests
