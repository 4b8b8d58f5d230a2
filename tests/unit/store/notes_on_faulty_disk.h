#pragma once
// A store with notes on a disk that fails.

#include <set>
#include <string>

#include "tests/unit/store/faulty_disk.h"
#include "tests/unit/store/open_store.h"

namespace postern::tests {

inline store::StoreOptions optionsOn(const FaultyDisk&, const TempFolder& folder) {
    store::StoreOptions options = optionsFor(folder);
    options.engineOption = FaultyDisk::kName;
    return options;
}

inline Result<void> write(store::Store& store, const std::string& text) {
    return store.write([&](store::WriteSession& s) { return addNote(s, text); });
}

inline std::set<std::string> notes(store::Store& store) {
    std::set<std::string> texts;
    const auto read = store.read([&](store::ReadSession& session) -> Result<void> {
        store::Statement row = session.query("SELECT text FROM note");
        while (row.next()) texts.emplace(row.text(0));
        return row.finish();
    });
    EXPECT_TRUE(read.ok()) << describe(read);
    return texts;
}

}  // namespace postern::tests
