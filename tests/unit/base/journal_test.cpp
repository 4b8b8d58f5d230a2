#include "base/journal.h"

#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/temp_folder.h"

namespace postern {
namespace {

std::string nameOf(int handle) {
    struct stat about {};
    EXPECT_EQ(::fstat(handle, &about), 0);
    return std::to_string(about.st_dev) + ":" + std::to_string(about.st_ino);
}

TEST(Journal, IsKnownByDeviceAndInode) {
    const tests::TempFolder folder;
    const int one = ::open((folder / "one").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const int other = ::open((folder / "other").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ASSERT_GE(one, 0);
    ASSERT_GE(other, 0);
    EXPECT_TRUE(leadsToJournal(nameOf(one).c_str(), one));
    EXPECT_FALSE(leadsToJournal(nameOf(one).c_str(), other)) << "standard error was led elsewhere";
    for (const char* strange : {"", ":", "1", "9:x", "0:0"})
        EXPECT_FALSE(leadsToJournal(strange, one)) << strange;
    EXPECT_FALSE(leadsToJournal(nullptr, one));
    const std::string name = nameOf(one);
    ::close(one);
    ::close(other);
    EXPECT_FALSE(leadsToJournal(name.c_str(), one)) << "it is closed";
}

}  // namespace
}  // namespace postern
