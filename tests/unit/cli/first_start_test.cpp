// What can be asked before the service has been started once.

#include <filesystem>

#include <gmock/gmock.h>

#include "base/file.h"
#include "tests/unit/cli/gateway.h"

namespace postern {
namespace {

using testing::HasSubstr;

TEST(BeforeTheFirstStart, AdaptersAreTestedByALookThatMakesNothing) {
    tests::Gateway gateway;
    std::filesystem::remove_all(gateway.folder / "store");
    const tests::Ran fine = gateway.run({"adapter", "test", "drop1"});
    EXPECT_EQ(fine.exit, 0) << fine.err;
    EXPECT_THAT(fine.out, HasSubstr("drop1\ttrue"));
    EXPECT_THAT(fine.err, HasSubstr("was not started yet"));
    const tests::Ran missing = gateway.run({"adapter", "test"});
    EXPECT_EQ(missing.exit, 69);
    EXPECT_THAT(missing.out, HasSubstr("box\tfalse\tthere is no folder"));
    EXPECT_EQ(gateway.run({"adapter", "test", "nope"}).exit, 66);
    for (const char* name : {"store", "drop1"}) EXPECT_FALSE(pathExists(gateway.folder / name)) << name;
}

TEST(BeforeTheFirstStart, FoldersThatCanNotWorkAreWarnedOf) {
    tests::Gateway gateway;
    ASSERT_TRUE(replaceFile(gateway.folder / "drop1", "a file").ok());
    const tests::Ran checked = gateway.run({"config", "check"});
    EXPECT_EQ(checked.exit, 0) << checked.out;
    EXPECT_THAT(checked.out,
                HasSubstr("warning: adapter \"drop1\": " + (gateway.folder / "drop1") + " is no folder"));
}

}  // namespace
}  // namespace postern
