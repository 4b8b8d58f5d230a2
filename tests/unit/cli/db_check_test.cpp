// postern db check on stores that are not whole.

#include <fstream>

#include <gtest/gtest.h>

#include "base/file.h"
#include "tests/unit/cli/gateway.h"

namespace postern::tests {
namespace {

class DbCheckTest : public testing::Test {
  protected:
    DbCheckTest() {
        gateway_.run({"submit", "--from", "a@example.org", "a@legacy.example"}, "Subject: x\n\ntext\n");
        EXPECT_EQ(gateway_.run({"db", "check"}).exit, 0);
    }
    std::string faultsAfter(const char* damage) {
        gateway_.withStore([&](store::Store& store) {
            const auto done = store.write([&](store::WriteSession& session) -> Result<void> {
                POSTERN_TRY(session.run(damage));
                return {};
            });
            EXPECT_TRUE(done.ok());
        });
        const Ran ran = gateway_.run({"db", "check"});
        EXPECT_EQ(ran.exit, 69);
        EXPECT_EQ(ran.err, "postern: 1 faults in " + (gateway_.folder / "store") + "\n");
        return ran.out;
    }
    Gateway gateway_;
};

TEST_F(DbCheckTest, ABodyThatIsGone) {
    EXPECT_EQ(faultsAfter("DELETE FROM body"), "message without a body\tmessage m1\n");
}

TEST_F(DbCheckTest, ABodysFileThatIsGone) {
    const std::string out = faultsAfter("UPDATE message SET body_file = 'bodies/aa/gone.eml'");
    EXPECT_EQ(out, "body missing\tmessage m1, " + (gateway_.folder / "store/bodies/aa/gone.eml") + "\n");
}

TEST_F(DbCheckTest, AnItemThatNobodyGets) {
    EXPECT_EQ(faultsAfter("DELETE FROM recipient"), "item without recipients\titem 1\n");
}

TEST_F(DbCheckTest, AMessageThatGoesNowhere) {
    EXPECT_EQ(faultsAfter("DELETE FROM item"), "message without items\tmessage m1\n");
}

TEST_F(DbCheckTest, AFileIsAStrayOnlyWhenItIsOld) {
    ASSERT_TRUE(makeFolders(gateway_.folder / "store/bodies/aa").ok());
    std::ofstream(gateway_.folder / "store/bodies/aa/left.eml") << "text";
    EXPECT_EQ(gateway_.run({"db", "check"}).exit, 0) << "its mail may come in now";
    gateway_.clock.advance(std::chrono::hours(24 * 365 * 100));
    const Ran ran = gateway_.run({"db", "check"});
    EXPECT_EQ(ran.exit, 69);
    EXPECT_EQ(ran.out, "file without a message\t" + (gateway_.folder / "store/bodies/aa/left.eml") + "\n");
}

}  // namespace
}  // namespace postern::tests
