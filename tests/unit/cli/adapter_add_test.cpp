// Who may read what `postern adapter add` writes.

#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/unit/cli/gateway.h"

namespace postern {
namespace {

struct stat addedFor(tests::Gateway& gateway) {
    const tests::Ran ran = gateway.run({"adapter", "add", "fax", "drop", "folder=" + gateway.folder / "fax"});
    EXPECT_EQ(ran.exit, 0) << ran.err;
    struct stat facts {};
    EXPECT_EQ(::stat((gateway.folder / "adapters.d/fax.toml").c_str(), &facts), 0);
    return facts;
}

TEST(AdapterAdd, TheNewFileHasTheModeOfTheMainFile) {
    for (const mode_t mode : {mode_t{0600}, mode_t{0664}}) {
        tests::Gateway gateway;
        ASSERT_EQ(::chmod(gateway.configPath.c_str(), mode), 0);
        EXPECT_EQ(addedFor(gateway).st_mode & 07777, mode);
    }
}

TEST(AdapterAdd, AddedByRootTheNewFileBelongsToTheOwnersOfTheMainFile) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
    tests::Gateway gateway;
    ASSERT_EQ(::chown(gateway.configPath.c_str(), 1, 65534), 0);
    const struct stat facts = addedFor(gateway);
    EXPECT_EQ(facts.st_uid, 1u);
    EXPECT_EQ(facts.st_gid, 65534u);
}

}  // namespace
}  // namespace postern
