// Paths and names as Windows has them.

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/library_error.h"
#include "base/path.h"
#include "base/windows/named.h"
#include "tests/temp_folder.h"

namespace postern {
namespace {

TEST(WindowsPaths, AreJoinedAndTakenApart) {
    EXPECT_EQ(joinPath(R"(C:\a)", "b"), R"(C:\a\b)");
    EXPECT_EQ(joinPath(R"(C:\a\)", "b"), R"(C:\a\b)");
    EXPECT_EQ(joinPath("C:/a/", "b"), "C:/a/b");
    EXPECT_EQ(joinPath("C:/a", "b"), "C:/a/b");
    EXPECT_EQ(joinPath(R"(C:\a/b)", "c"), R"(C:\a/b\c)");
    EXPECT_EQ(joinPath("", "b"), "b");
    const std::vector<std::pair<std::string, std::string>> parents{
        {R"(C:\a\b)", R"(C:\a)"},
        {"C:/a/b", "C:/a"},
        {R"(C:\a)", R"(C:\)"},
        {R"(C:\)", R"(C:\)"},
        {"C:", "C:"},
        {"a", "."},
        {R"(\\server\share\a\b)", R"(\\server\share\a)"},
        {R"(\\server\share\a)", R"(\\server\share\)"},
        {R"(\\server\share)", R"(\\server\share)"},
        {R"(\\?\C:\a)", R"(\\?\C:\)"},
        {R"(\\?\UNC\server\share\a)", R"(\\?\UNC\server\share\)"},
    };
    for (const auto& [path, parent] : parents) EXPECT_EQ(parentPath(path), parent) << path;
    EXPECT_EQ(lastName(R"(C:\a\b.txt)"), "b.txt");
    EXPECT_EQ(lastName("C:/a/b.txt"), "b.txt");
    EXPECT_EQ(lastName(R"(C:\)"), "");
    EXPECT_EQ(lastName("b"), "b");
}

TEST(WindowsPaths, ArePlainWhenTheyLeadToOnePlace) {
    for (const char* path : {R"(C:\a\b)", R"(c:/A/b/)", R"(C:\a\x\..\B\)", R"(C:\\a/./b)"})
        EXPECT_EQ(plainPath(path), R"(C:\A\B)") << path;
    EXPECT_EQ(plainPath("C:\\\u00e9"), plainPath("C:/\u00c9"));
    EXPECT_EQ(plainPath("C:/"), R"(C:\)");
    EXPECT_NE(plainPath(R"(C:\a)"), plainPath(R"(D:\a)"));
    EXPECT_EQ(unlimitedPath("C:/a/../b"), R"(\\?\C:\b)");
    EXPECT_EQ(unlimitedPath("//server/share/a"), R"(\\?\UNC\server\share\a)");
}

TEST(WindowsPaths, WithANameThatNoFileMayHaveAreRefused) {
    for (const char* path : {R"(C:\a\con)", "C:/a./b", R"(C:\a\b:c)", R"(\\server\share\nul.txt)", ""})
        EXPECT_EQ(usablePath(path).error().code, Errc::Invalid) << path;
    for (const char* path : {R"(C:\a\b)", "C:/a/../b", R"(\\server\share\a)", R"(\\?\C:\a)"})
        EXPECT_TRUE(usablePath(path).ok()) << path;
}

TEST(WindowsPaths, AbsoluteOnesLeanOnNoDriveAndNoFolder) {
    for (const char* path : {R"(C:\a)", "c:/a", R"(\\server\share\a)", "//server/share/a", R"(\\?\C:\a)"})
        EXPECT_TRUE(isAbsolutePath(path)) << path;
    for (const char* path :
         {"", "a", R"(\a)", "/a", "C:", "C:a", R"(a\b)", R"(\\.\pipe\x)", R"(\\.\C:)", "1:\\a"})
        EXPECT_FALSE(isAbsolutePath(path)) << path;
}

// Names that lead elsewhere than they say: devices, streams of another file, and what Windows would cut off.
const char* const kRefused[] = {"con",  "CON.txt", "nul",      "aux.eml.bak", "com1", "LPT9.log", "COM\u00b9",
                                "prn ", "x:y",     "x::$DATA", "a ",          "a.",   "a*",       "a?",
                                "a<b",  "a>b",     "a|b",      "a\"b",        "a\\b", "a/b",      "a\tb",
                                "a\nb", "conin$",  ".",        "..",          ""};

TEST(WindowsNames, ThatLeadElsewhereAreRefusedEverywhere) {
    const tests::TempFolder temp;
    const auto folder = Folder::open(temp.path());
    ASSERT_TRUE(folder.ok());
    ASSERT_TRUE(folder->create("real").ok());
    for (const char* name : kRefused) {
        EXPECT_EQ(folder->create(name).error().code, Errc::Invalid) << name;
        EXPECT_EQ(folder->openRead(name).error().code, Errc::Invalid) << name;
        EXPECT_EQ(folder->openShared(name).error().code, Errc::Invalid) << name;
        EXPECT_EQ(folder->has(name).error().code, Errc::Invalid) << name;
        EXPECT_EQ(folder->facts(name).error().code, Errc::Invalid) << name;
        EXPECT_EQ(folder->remove(name).error().code, Errc::Invalid) << name;
        EXPECT_EQ(folder->moveNoReplace("real", *folder, name).error().code, Errc::Invalid) << name;
        EXPECT_EQ(folder->moveReserving("real", *folder, name).error().code, Errc::Invalid) << name;
        EXPECT_EQ(folder->moveReplacing("real", *folder, name).error().code, Errc::Invalid) << name;
    }
    EXPECT_TRUE(*folder->has("real"));
    for (const char* name : {"console", "com", "com10", "null.txt", ".con", "a b", "a.b", "~", "x;2,S"})
        EXPECT_TRUE(folder->create(name).ok()) << name;
}

TEST(WindowsNames, ThatLeadElsewhereAreRefusedInPaths) {
    const tests::TempFolder temp;
    ASSERT_TRUE(replaceFile(temp / "real", "x").ok());
    for (const std::string& path :
         {temp / "con", temp / "nul.txt/x", temp / "real:stream", temp / "a./x", temp / "a /x", temp / "a\nb",
          std::string(R"(\\.\NUL)"), std::string(R"(\\.\pipe\x)"), std::string()}) {
        EXPECT_EQ(File::openRead(path).error().code, Errc::Invalid) << path;
        EXPECT_EQ(File::openAppend(path).error().code, Errc::Invalid) << path;
        EXPECT_EQ(Folder::open(path).error().code, Errc::Invalid) << path;
        EXPECT_EQ(makeFolders(path).error().code, Errc::Invalid) << path;
        EXPECT_EQ(removeFile(path).error().code, Errc::Invalid) << path;
        EXPECT_FALSE(pathExists(path)) << path;
    }
    EXPECT_EQ(*readFile(temp / "real", 10), "x");
}

TEST(WindowsNames, OfAnyAlphabetComeBackAsTheyWere) {
    const tests::TempFolder temp;
    const std::vector<std::string> names{"\u00c4rger \u00fcber M\u00fcller.eml", "\u65e5\u672c\u8a9e",
                                         "\U0001F4EC post"};
    ASSERT_TRUE(makeFolders(temp / "B\u00fcro").ok());
    const auto folder = Folder::open(temp / "B\u00fcro");
    ASSERT_TRUE(folder.ok()) << folder.error().text;
    for (const std::string& name : names) ASSERT_TRUE(folder->create(name).ok()) << name;
    std::vector<std::string> seen;
    ASSERT_TRUE(folder
                    ->list([&](std::string_view name) {
                        seen.emplace_back(name);
                        return true;
                    })
                    .ok());
    std::sort(seen.begin(), seen.end());
    auto wanted = names;
    std::sort(wanted.begin(), wanted.end());
    EXPECT_EQ(seen, wanted);
    EXPECT_TRUE(std::filesystem::exists(libraryPath(temp / ("B\u00fcro/" + names[0]))));
}

TEST(WindowsNames, PathsMayBeLongerThan260Characters) {
    const tests::TempFolder temp;
    std::string path = temp.path();
    for (int i = 0; i < 8; ++i) path += "/" + std::string(60, static_cast<char>('a' + i));
    ASSERT_TRUE(makeFolders(path).ok());
    const auto folder = Folder::make(path + "/stage");
    ASSERT_TRUE(folder.ok()) << folder.error().text;
    ASSERT_TRUE(replaceFile(path + "/stage/file", "deep").ok());
    const std::string longest(255, 'n');
    EXPECT_EQ(*folder->moveNoReplace("file", *folder, longest), Moved::Done);
    EXPECT_EQ(*readFile(path + "/stage/" + longest, 10), "deep");
    EXPECT_TRUE(folder->stillThere().ok());
    EXPECT_EQ(folder->create(longest + "n").error().code, Errc::Invalid) << "a name has 255 at most";
    EXPECT_TRUE(freeSpace(path).ok());
}

TEST(WindowsNames, DifferInMoreThanTheirCase) {
    const tests::TempFolder temp;
    const auto folder = Folder::open(temp.path());
    ASSERT_TRUE(replaceFile(temp / "Mail", "first").ok());
    ASSERT_TRUE(replaceFile(temp / "other", "second").ok());
    EXPECT_TRUE(*folder->has("mAIL"));
    EXPECT_EQ(folder->create("MAIL").error().code, Errc::Exists);
    EXPECT_EQ(*folder->moveNoReplace("other", *folder, "mail"), Moved::TargetExists);
    EXPECT_EQ(*readFile(temp / "mail", 10), "first");
    EXPECT_EQ(*folder->moveNoReplace("Mail", *folder, "MAIL"), Moved::Done)
        << "its own name, written otherwise";
    EXPECT_EQ(*folder->moveNoReplace("MAIL", *folder, "MAIL"), Moved::TargetExists);
    EXPECT_EQ(*folder->moveNoReplace("none", *folder, "none"), Moved::SourceMissing);
}

}  // namespace
}  // namespace postern
