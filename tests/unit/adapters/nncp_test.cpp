#include <gtest/gtest.h>

#include "tests/command_rig.h"

namespace postern::adapters {

using tests::CommandRig;
using tests::spill;

// A nncp-exec that can not write waits for ever: what it needs is looked at before a mail is given to it.
TEST(Nncp, TheProbeLooksWhereNncpExecWrites) {
    for (const char* inside : {"tmp", "oldbox", "oldbox/tx"}) {
        CommandRig rig("nncp");
        ASSERT_TRUE(rig.probed().ok()) << rig.probed().error().text;
        const std::string path = rig.temp() + "/spool/" + inside;
        std::filesystem::create_directories(std::filesystem::path(path).parent_path());
        spill(path, "a file, where a folder is needed");
        const Result<void> probed = rig.adapter().probe();
        ASSERT_FALSE(probed.ok()) << inside;
        EXPECT_NE(probed.error().text.find(path), std::string::npos) << probed.error().text;
        std::filesystem::remove(path);
        EXPECT_TRUE(rig.adapter().probe().ok()) << inside;
    }
}

}  // namespace postern::adapters
