#include "adapters/spool/spool_evidence.h"

#include <gtest/gtest.h>

namespace postern::adapters {

TEST(StagedName, IsReadBackAndNothingElseIsTakenForOne) {
    for (const DeliveryKey key : {DeliveryKey{ItemId{1}, Epoch{1}}, {ItemId{INT64_MAX}, Epoch{INT64_MAX}}}) {
        const auto back = parseStagedName(stagedName(key));
        ASSERT_TRUE(back) << stagedName(key);
        EXPECT_EQ(back->item, key.item);
        EXPECT_EQ(back->epoch, key.epoch);
    }
    for (const char* text : {"", ".", "1", "1.", ".1", "1.2.3", "01.2", "1.02", "-1.2", "1.-2", "0.1", "a.b",
                             "1.2 ", ".store-x", "99999999999999999999.1", "minutes.txt"})
        EXPECT_FALSE(parseStagedName(text)) << text;
}

TEST(SpoolEvidence, IsReadBackAndEveryCutIsNoticed) {
    for (const char* folder : {"", "new", "bob/new"}) {
        const std::string text = formatEvidence({"token", "12.3", folder, "name.eml"});
        const auto back = parseEvidence(text);
        ASSERT_TRUE(back) << text;
        EXPECT_EQ(back->token, "token");
        EXPECT_EQ(back->staged, "12.3");
        EXPECT_EQ(back->folder, folder);
        EXPECT_EQ(back->name, "name.eml");
        for (std::size_t length = 0; length < text.size(); ++length)
            EXPECT_FALSE(parseEvidence(text.substr(0, length))) << text.substr(0, length);
    }
}

}  // namespace postern::adapters
