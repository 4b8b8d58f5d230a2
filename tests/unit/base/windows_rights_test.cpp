// Who may do what: lists of rights instead of permission bits.

#include <gtest/gtest.h>

#include "base/folder_access.h"
#include "base/journal.h"
#include "base/owners_rights.h"
#include "base/rewrite_file.h"
#include "base/trusted_path.h"
#include "base/windows/named.h"
#include "tests/kit/platform.h"
#include "tests/temp_folder.h"
// After the system's own types.
#include <sddl.h>

namespace postern {
namespace {

// A list of rights in the system's own notation (SDDL).
void give(const std::string& path, const wchar_t* list) {
    PSECURITY_DESCRIPTOR rights = nullptr;
    ASSERT_TRUE(
        ::ConvertStringSecurityDescriptorToSecurityDescriptorW(list, SDDL_REVISION_1, &rights, nullptr));
    EXPECT_TRUE(::SetFileSecurityW(windows::systemPath(path).c_str(),
                                   DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION, rights));
    ::LocalFree(rights);
}

std::string listOf(const std::string& path) {
    std::vector<unsigned char> space(4096);
    DWORD size = 0;
    EXPECT_TRUE(::GetFileSecurityW(windows::systemPath(path).c_str(), DACL_SECURITY_INFORMATION, space.data(),
                                   static_cast<DWORD>(space.size()), &size));
    LPWSTR text = nullptr;
    EXPECT_TRUE(::ConvertSecurityDescriptorToStringSecurityDescriptorW(
        space.data(), SDDL_REVISION_1, DACL_SECURITY_INFORMATION, &text, nullptr));
    const std::string list = text == nullptr ? "" : windows::narrow(text);
    ::LocalFree(text);
    return list;
}

TEST(TrustedPath, IsOneThatOnlyWeAndAdministratorsChange) {
    const tests::TempFolder temp;
    const std::string path = temp / "extension.dll";
    ASSERT_TRUE(replaceFile(path, "code").ok());
    give(path, L"D:P(A;;FA;;;OW)(A;;FA;;;BA)(A;;FA;;;SY)");
    const auto ours = onlyOursToWrite(path);
    EXPECT_TRUE(ours.ok()) << ours.error().text;
    give(path, L"D:P(A;;FA;;;OW)(A;;FA;;;WD)");
    const auto everybodys = onlyOursToWrite(path);
    ASSERT_FALSE(everybodys.ok());
    EXPECT_EQ(everybodys.error().code, Errc::Denied);
    EXPECT_NE(everybodys.error().text.find("icacls"), std::string::npos) << everybodys.error().text;
    EXPECT_EQ(onlyOursToWrite(temp / "none").error().code, Errc::NotFound);
}

TEST(RewriteFile, KeepsWhoMayReadTheOldOneAndCopiesTheModels) {
    SKIP_UNDER_WINE("it keeps of a list what permission bits can say");
    const tests::TempFolder temp;
    ASSERT_TRUE(replaceFile(temp / "old", "before").ok());
    give(temp / "old", L"D:P(A;;FA;;;OW)(A;;FR;;;AU)");
    const std::string list = listOf(temp / "old");
    ASSERT_TRUE(rewriteFile(temp / "old", "after").ok());
    EXPECT_EQ(listOf(temp / "old"), list);
    ASSERT_TRUE(rewriteFile(temp / "new", "text", temp / "old").ok());
    EXPECT_EQ(listOf(temp / "new"), list);
}

TEST(RewriteFile, ReplacesAndMakes) {
    const tests::TempFolder temp;
    ASSERT_TRUE(rewriteFile(temp / "file", "one").ok());
    const auto again = rewriteFile(temp / "file", "two");
    ASSERT_TRUE(again.ok()) << again.error().text;
    EXPECT_EQ(*readFile(temp / "file", 10), "two");
    EXPECT_EQ(rewriteFile(temp / "other", "x", temp / "no model").error().code, Errc::NotFound);
    EXPECT_FALSE(pathExists(temp / "other"));
    EXPECT_TRUE(makeFolderLikeItsParent(temp / "folder").ok());
    EXPECT_TRUE(makeFolderLikeItsParent(temp / "folder").ok());
    EXPECT_FALSE(makeFolderLikeItsParent(temp / "none/folder").ok());
}

TEST(FolderAccess, ReadOnlyFilesAreNamedWithTheRemedy) {
    const tests::TempFolder temp;
    ASSERT_TRUE(replaceFile(temp / "file", "x").ok());
    EXPECT_FALSE(hindrance(temp / "file"));
    EXPECT_FALSE(hindrance(temp / "not/made/yet"));
    ASSERT_NE(::SetFileAttributesW(windows::systemPath(temp / "file").c_str(), FILE_ATTRIBUTE_READONLY), 0);
    const auto found = hindrance(temp / "file");
    ASSERT_TRUE(found);
    EXPECT_NE(found->find("attrib -r"), std::string::npos) << *found;
    ASSERT_NE(::SetFileAttributesW(windows::systemPath(temp / "file").c_str(), FILE_ATTRIBUTE_NORMAL), 0);
}

TEST(FolderAccess, OnlyWhatTheSystemDeniedIsExplained) {
    const tests::TempFolder temp;
    const Error denied = systemError(ERROR_ACCESS_DENIED, "x");
    EXPECT_GT(explainDenied(denied, {temp.path()}).text.size(), denied.text.size());
    for (const Error& other : {systemError(ERROR_FILE_NOT_FOUND, "x"), fail(Errc::Denied, "it is a link")})
        EXPECT_EQ(explainDenied(other, {temp.path()}).text, other.text);
}

TEST(FolderAccess, ThereAreNoGroups) {
    const tests::TempFolder temp;
    const auto facts = lookAtFolder(temp.path());
    ASSERT_TRUE(facts.ok());
    EXPECT_FALSE(facts->handsOnGroup);
    EXPECT_EQ(facts->number, lookAtFolder(temp.path())->number);
    const auto file = Folder::open(temp.path())->create("file");
    EXPECT_TRUE(setFileGroup(*file, *fileGroup(*file)).ok());
    EXPECT_EQ(lookAtFolder(temp / "none").error().code, Errc::NotFound);
}

TEST(OwnersRights, NeedNotBeTaken) {
    const tests::TempFolder temp;
    EXPECT_TRUE(OwnersRights::of(temp.path()).ok());
    EXPECT_EQ(OwnersRights::of(temp / "none").error().code, Errc::NotFound);
    EXPECT_FALSE(leadsToJournal("1:2", 2));
}

}  // namespace
}  // namespace postern
