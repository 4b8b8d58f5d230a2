// Whose libraries are loaded: permission bits and owners.

#include <filesystem>
#include <unistd.h>

#include <gmock/gmock.h>

#include "adapters/extension/loader.h"
#include "tests/temp_folder.h"

namespace postern::tests {

namespace fs = std::filesystem;
using testing::HasSubstr;

// What is loaded runs with our rights before anything of it can be asked.
TEST(LibraryWriters, WhatOthersCouldWriteIsNotLoaded) {
    const TempFolder folder;
    const std::string library = folder / "other_slip.so";
    fs::copy_file(POSTERN_LIBRARIES "/outdated.so", library);
    const auto why = [&]() -> std::string {
        const auto refused = adapters::loadExtensions(folder.path(), {});
        return refused.size() == 1 ? refused.front().reason
                                   : "(" + std::to_string(refused.size()) + " refused)";
    };
    for (const fs::perms others : {fs::perms::group_write, fs::perms::others_write}) {
        fs::permissions(library, fs::perms::owner_all | others);
        EXPECT_EQ(why(), "is not loaded: " + library +
                             " can be written by others than its owner: chmod go-w " + library);
        fs::permissions(library, fs::perms::owner_all);
        fs::permissions(folder.path(), fs::perms::owner_all | others);
        EXPECT_EQ(why(), "is not loaded: " + folder.path() +
                             " can be written by others than its owner: chmod go-w " + folder.path());
        fs::permissions(folder.path(), fs::perms::owner_all);
    }
    if (::geteuid() == 0) {  // only root can give a file away
        ASSERT_EQ(::chown(library.c_str(), 4711, 4711), 0);
        EXPECT_THAT(why(), HasSubstr(library + " belongs to user 4711, who could change it"));
        ASSERT_EQ(::chown(library.c_str(), 0, 0), 0);
    }
    EXPECT_THAT(why(), HasSubstr("was built for")) << "mended: looked at again";
}

}  // namespace postern::tests
