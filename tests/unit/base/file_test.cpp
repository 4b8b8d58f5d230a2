#include "base/file.h"

#include <filesystem>
#include <set>

#include <gtest/gtest.h>

#include "base/library_error.h"
#include "base/path.h"
#include "base/temporary_file.h"
#include "tests/kit/platform.h"
#include "tests/temp_folder.h"
#ifdef _WIN32
#include <windows.h>
#else
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace postern {
namespace {

namespace fs = std::filesystem;
using tests::kOnWindows;

std::string contentOf(const std::string& path) {
    const auto bytes = readFile(path, 1 << 20);
    return bytes.ok() ? *bytes : "error: " + bytes.error().text;
}

std::set<std::string> namesIn(const std::string& path) {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(path)) names.insert(entry.path().filename().string());
    return names;
}

#ifdef _WIN32
bool isOpenHandle(int handle) {
    DWORD flags = 0;
    return ::GetHandleInformation(reinterpret_cast<HANDLE>(std::intptr_t{handle}), &flags) != 0;
}
bool isInherited(int handle) {
    DWORD flags = 0;
    return ::GetHandleInformation(reinterpret_cast<HANDLE>(std::intptr_t{handle}), &flags) == 0 ||
           (flags & HANDLE_FLAG_INHERIT) != 0;
}
#else
bool isOpenHandle(int handle) {
    return ::fcntl(handle, F_GETFD) != -1;
}
bool isInherited(int handle) {
    return (::fcntl(handle, F_GETFD) & FD_CLOEXEC) == 0;
}
#endif

TEST(File, WritesAtTheEndAndReadsAnywhere) {
    const tests::TempFolder folder;
    auto file = File::openAppend(folder / "log");
    ASSERT_TRUE(file.ok()) << file.error().text;
    ASSERT_TRUE(file->write("abc").ok());
    ASSERT_TRUE(file->write("def").ok());
    file->startWriteback();
    ASSERT_TRUE(file->sync().ok());
    char buffer[8];
    EXPECT_EQ(*file->readAt(2, buffer, 8), 4u);
    EXPECT_EQ(std::string_view(buffer, 4), "cdef");
    EXPECT_EQ(*file->readAt(6, buffer, 8), 0u);
    EXPECT_EQ(*file->size(), 6);
}

TEST(File, AppendingOpensWhatIsThere) {
    const tests::TempFolder folder;
    ASSERT_TRUE(replaceFile(folder / "log", "one ").ok());
    ASSERT_TRUE(File::openAppend(folder / "log")->write("two").ok());
    EXPECT_EQ(contentOf(folder / "log"), "one two");
}

// What is read or written elsewhere in between does not move the end of what was written.
TEST(File, WritesGoOnWhereTheLastOneEnded) {
    const tests::TempFolder folder;
    const auto open = Folder::open(folder.path());
    auto file = open->create("page");
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(file->write("abcdef").ok());
    ASSERT_TRUE(file->writeAt(0, "X").ok());
    char buffer[4];
    EXPECT_EQ(*file->readAt(1, buffer, 2), 2u);
    ASSERT_TRUE(file->write("gh").ok());
    ASSERT_TRUE(file->truncate(8).ok());
    ASSERT_TRUE(file->write("ij\r\n\x1a").ok()) << "no end of a line and no end of a text is changed";
    EXPECT_EQ(contentOf(folder / "page"), "Xbcdefghij\r\n\x1a");
}

TEST(File, WriteAtOverwritesInPlace) {
    const tests::TempFolder folder;
    const auto open = Folder::open(folder.path());
    auto file = open->create("page");
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(file->write("abcdef").ok());
    ASSERT_TRUE(file->writeAt(2, "XY").ok());
    ASSERT_TRUE(file->close().ok());
    EXPECT_EQ(contentOf(folder / "page"), "abXYef");
}

TEST(File, AFullDeviceIsNoSpace) {
    auto full = File::openAppend("/dev/full");
    if (!full.ok()) GTEST_SKIP() << "no /dev/full here";
    EXPECT_EQ(full->write("x").error().code, Errc::NoSpace);
    EXPECT_EQ(full->writeAt(0, "x").error().code, Errc::NoSpace);
}

TEST(File, ClosingTwiceIsHarmlessAndAClosedFileRefusesWork) {
    const tests::TempFolder folder;
    auto file = File::openAppend(folder / "f");
    ASSERT_TRUE(file.ok());
    EXPECT_TRUE(file->close().ok());
    EXPECT_TRUE(file->close().ok());
    EXPECT_FALSE(file->isOpen());
    EXPECT_FALSE(file->write("x").ok());
    EXPECT_FALSE(file->sync().ok());
    EXPECT_FALSE(file->size().ok());
}

TEST(File, MovingHandsTheHandleOver) {
    const tests::TempFolder folder;
    auto first = File::openAppend(folder / "1");
    auto second = File::openAppend(folder / "2");
    const int kept = second->handle();
    const int dropped = first->handle();
    *first = std::move(*second);
    EXPECT_EQ(first->handle(), kept);
    EXPECT_FALSE(second->isOpen());
    EXPECT_TRUE(isOpenHandle(kept));
    EXPECT_FALSE(isOpenHandle(dropped)) << "the handle that was replaced is closed";
}

TEST(File, HandlesAreNotInheritedByOtherPrograms) {
    const tests::TempFolder folder;
    const auto open = Folder::open(folder.path());
    const auto made = open->create("a");
    const auto read = File::openRead(folder / "a");
    const auto append = File::openAppend(folder / "b");
    for (const File* file : {&*made, &*read, &*append}) EXPECT_FALSE(isInherited(file->handle()));
}

TEST(ReadFile, HasALimit) {
    const tests::TempFolder folder;
    const std::string bytes(40'000, 'b');
    ASSERT_TRUE(replaceFile(folder / "f", bytes).ok());
    EXPECT_EQ(readFile(folder / "f", 40'000)->size(), 40'000u);
    EXPECT_EQ(readFile(folder / "f", 39'999).error().code, Errc::NoSpace);
    EXPECT_EQ(readFile(folder / "none", 10).error().code, Errc::NotFound);
    EXPECT_FALSE(readFile(folder.path(), 10).ok()) << "a folder is no file";
}

TEST(ReplaceFile, ReplacesAsAWhole) {
    const tests::TempFolder folder;
    ASSERT_TRUE(replaceFile(folder / "state", "a long first version").ok());
    ASSERT_TRUE(replaceFile(folder / "state", "second", 0600).ok());
    EXPECT_EQ(contentOf(folder / "state"), "second");
    EXPECT_EQ(namesIn(folder.path()), (std::set<std::string>{"state"})) << "no working file stays";
#ifndef _WIN32
    struct stat info;
    ASSERT_EQ(::stat((folder / "state").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777u, 0600u);
#endif
}

// A reader that opened the old file keeps reading the old file: nothing is written into it.
TEST(ReplaceFile, NeverWritesIntoTheOldFile) {
    SKIP_UNDER_WINE("it knows no rename over a file that is open");
    const tests::TempFolder folder;
    ASSERT_TRUE(replaceFile(folder / "state", "old").ok());
    auto reader = File::openRead(folder / "state");
    ASSERT_TRUE(replaceFile(folder / "state", "new").ok());
    char buffer[8];
    EXPECT_EQ(*reader->readAt(0, buffer, 8), 3u);
    EXPECT_EQ(std::string_view(buffer, 3), "old");
}

TEST(ReplaceFile, AFailureLeavesNothingBehind) {
    const tests::TempFolder folder;
    EXPECT_EQ(replaceFile(folder / "none/state", "x").error().code, Errc::NotFound);
    ASSERT_TRUE(makeFolders(folder / "state").ok());
    EXPECT_FALSE(replaceFile(folder / "state", "x").ok()) << "a folder has that name";
    EXPECT_EQ(namesIn(folder.path()), (std::set<std::string>{"state"}));
}

TEST(MakeFolders, MakesParentsAndAcceptsWhatIsThere) {
    const tests::TempFolder folder;
    EXPECT_TRUE(makeFolders(folder / "a/b/c").ok());
    EXPECT_TRUE(makeFolders(folder / "a/b/c/").ok());
    EXPECT_TRUE(fs::is_directory(folder / "a/b/c"));
    ASSERT_TRUE(replaceFile(folder / "file", "x").ok());
    EXPECT_EQ(makeFolders(folder / "file").error().code, Errc::Exists);
    EXPECT_FALSE(makeFolders(folder / "file/below").ok());
}

TEST(RemoveFile, IsContentWhenItIsGone) {
    const tests::TempFolder folder;
    ASSERT_TRUE(replaceFile(folder / "f", "x").ok());
    EXPECT_TRUE(pathExists(folder / "f"));
    EXPECT_TRUE(removeFile(folder / "f").ok());
    EXPECT_FALSE(pathExists(folder / "f"));
    EXPECT_TRUE(removeFile(folder / "f").ok());
    ASSERT_TRUE(makeFolders(folder / "d").ok());
    EXPECT_FALSE(removeFile(folder / "d").ok()) << "a folder is not removed as a file";
}

TEST(FreeSpace, SaysBytesAndFiles) {
    const tests::TempFolder folder;
    const auto space = freeSpace(folder.path());
    ASSERT_TRUE(space.ok()) << space.error().text;
    EXPECT_GT(space->freeBytes, 0);
    EXPECT_GT(space->freeFiles, 0);
    EXPECT_EQ(freeSpace(folder / "none").error().code, Errc::NotFound);
}

#ifndef _WIN32  // windows_path_test.cpp
TEST(Paths, AreJoinedAndTakenApart) {
    EXPECT_EQ(joinPath("a", "b"), "a/b");
    EXPECT_EQ(joinPath("a/", "b"), "a/b");
    EXPECT_EQ(joinPath("", "b"), "b");
    EXPECT_EQ(joinPath("/", "b"), "/b");
    EXPECT_EQ(parentPath("/a/b"), "/a");
    EXPECT_EQ(parentPath("/a"), "/");
    EXPECT_EQ(parentPath("a"), ".");
    EXPECT_TRUE(isAbsolutePath("/a"));
    EXPECT_FALSE(isAbsolutePath("a"));
    EXPECT_FALSE(isAbsolutePath(""));
    EXPECT_EQ(lastName("/a/b"), "b");
    EXPECT_EQ(lastName("a/"), "");
    EXPECT_EQ(lastName("a"), "a");
}

TEST(Paths, ArePlainWhenTheyLeadToOnePlace) {
    for (const char* path : {"/a/b", "/a/b/", "//a//b", "/a/x/../b", "/a/./b"})
        EXPECT_EQ(plainPath(path), "/a/b") << path;
    EXPECT_EQ(plainPath("/"), "/");
    EXPECT_NE(plainPath("/a/B"), plainPath("/a/b"));
    EXPECT_EQ(unlimitedPath("/a/b"), "/a/b");
}

TEST(Paths, WithoutANameAreRefused) {
    for (const char* name : {"", ".", "..", "a/b"})
        EXPECT_EQ(usableFileName(name).error().code, Errc::Invalid) << name;
    EXPECT_TRUE(usableFileName("con: *.").ok());
    EXPECT_EQ(usablePath("").error().code, Errc::Invalid);
    EXPECT_TRUE(usablePath("/a/../con").ok());
}
#endif

TEST(Paths, BeyondAsciiAreTheSameToTheLibrary) {
    const tests::TempFolder folder;
    const std::string inside = folder / "\u00e9\u4e2d";
    ASSERT_TRUE(makeFolders(inside).ok());
    EXPECT_TRUE(fs::is_directory(libraryPath(inside)));
    EXPECT_EQ(lastName(textOf(libraryPath(inside))), "\u00e9\u4e2d");
    const auto whole = absolutePath(inside + "/x/../y");
    ASSERT_TRUE(whole.ok()) << whole.error().text;
    EXPECT_EQ(plainPath(*whole), plainPath(inside + "/y"));
}

TEST(TemporaryFile, HasNoNameAndHoldsWhatIsWritten) {
    auto file = temporaryFile();
    ASSERT_TRUE(file.ok()) << file.error().text;
    ASSERT_TRUE(file->write("some bytes").ok());
    char bytes[16];
    EXPECT_EQ(file->readAt(5, bytes, sizeof bytes).valueOr(0), 5u);
    EXPECT_EQ(std::string(bytes, 5), "bytes");
    const auto facts = file->facts();
    ASSERT_TRUE(facts.ok());
    if (!kOnWindows) {
        EXPECT_EQ(facts->links, 0u);
    }
}

TEST(Process, KnowsItself) {
    EXPECT_GT(processId(), 0);
    EXPECT_FALSE(hostName().empty());
    EXPECT_FALSE(userName().empty());
}

TEST(FileLock, IsHeldOnceAndSaysByWhom) {
    const tests::TempFolder folder;
    {
        const auto lock = FileLock::acquire(folder / "lock");
        ASSERT_TRUE(lock.ok()) << lock.error().text;
        const auto second = FileLock::acquire(folder / "lock");
        ASSERT_FALSE(second.ok());
        EXPECT_EQ(second.error().code, Errc::Busy);
        EXPECT_NE(second.error().text.find("process " + std::to_string(processId())), std::string::npos)
            << second.error().text;
    }
    EXPECT_TRUE(FileLock::acquire(folder / "lock").ok()) << "letting go frees it";
}

#ifndef _WIN32  // windows_file_test.cpp
// Another process that takes the lock, says so, and waits to be killed.
class Holder {
  public:
    explicit Holder(const std::string& path) {
        EXPECT_EQ(::pipe2(pipes_, O_CLOEXEC), 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            const auto lock = FileLock::acquire(path);
            const char answer = lock.ok() ? 'y' : 'n';
            if (::write(pipes_[1], &answer, 1) != 1) ::_exit(1);
            for (;;) ::pause();
        }
        ::close(pipes_[1]);
        char answer = 0;
        EXPECT_EQ(::read(pipes_[0], &answer, 1), 1);
        EXPECT_EQ(answer, 'y');
    }
    ~Holder() {
        if (pid_ > 0) kill();
        ::close(pipes_[0]);
    }
    void kill() {
        ::kill(pid_, SIGKILL);
        int status = 0;
        EXPECT_EQ(::waitpid(pid_, &status, 0), pid_);
        pid_ = -1;
    }
    int pid() const { return pid_; }

  private:
    int pipes_[2] = {-1, -1};
    pid_t pid_ = -1;
};

TEST(FileLock, HoldsBetweenProcessesAndACrashReleasesIt) {
    const tests::TempFolder folder;
    Holder other(folder / "lock");
    const auto refused = FileLock::acquire(folder / "lock");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Errc::Busy);
    EXPECT_NE(refused.error().text.find("process " + std::to_string(other.pid())), std::string::npos)
        << refused.error().text;
    other.kill();
    EXPECT_TRUE(FileLock::acquire(folder / "lock").ok());
}
#endif

}  // namespace
}  // namespace postern
