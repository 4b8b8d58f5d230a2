#include "base/result.h"

#include <cerrno>
#include <memory>

#include <gtest/gtest.h>

#ifdef _WIN32
#include <winsock2.h>
// After it: windows.h alone would bring the first version of sockets.
#include <windows.h>
#endif

namespace postern {
namespace {

Result<int> half(int number) {
    if (number % 2 != 0) return fail(Errc::Invalid, "odd");
    return number / 2;
}

Result<int> quarter(int number) {
    POSTERN_LET(once, half(number));
    POSTERN_LET(twice, half(once));
    return twice;
}

Result<void> check(int number) {
    POSTERN_TRY(half(number));
    return {};
}

TEST(Result, ValuesAndErrorsTravelUp) {
    EXPECT_EQ(*quarter(8), 2);
    EXPECT_EQ(quarter(6).error().text, "odd");
    EXPECT_TRUE(check(2).ok());
    EXPECT_EQ(check(1).error().code, Errc::Invalid);
    EXPECT_EQ(quarter(6).valueOr(7), 7);
}

TEST(Result, HoldsWhatCanOnlyBeMoved) {
    Result<std::unique_ptr<int>> result(std::make_unique<int>(5));
    const std::unique_ptr<int> taken = std::move(result).value();
    EXPECT_EQ(*taken, 5);
}

TEST(Result, AnErrorSaysWhere) {
    const Error error = fail(Errc::Io, "broken").within("bodies/7").within("store");
    EXPECT_EQ(error.text, "store: bodies/7: broken");
    EXPECT_EQ(error.code, Errc::Io);
}

TEST(Result, SystemErrorsBecomeOurKinds) {
    const struct {
        int number;
        Errc code;
    } cases[] = {
#ifdef _WIN32
        {ERROR_FILE_NOT_FOUND, Errc::NotFound},
        {ERROR_PATH_NOT_FOUND, Errc::NotFound},
        {ERROR_ALREADY_EXISTS, Errc::Exists},
        {ERROR_ACCESS_DENIED, Errc::Denied},
        {ERROR_WRITE_PROTECT, Errc::Denied},
        {ERROR_SHARING_VIOLATION, Errc::Busy},
        {ERROR_LOCK_VIOLATION, Errc::Busy},
        {ERROR_DELETE_PENDING, Errc::Busy},
        {ERROR_DISK_FULL, Errc::NoSpace},
        {ERROR_INVALID_NAME, Errc::Invalid},
        {ERROR_TOO_MANY_OPEN_FILES, Errc::Unavailable},
        {ERROR_BAD_NETPATH, Errc::Unavailable},
        {ERROR_CRC, Errc::Io},
#else
        {ENOENT, Errc::NotFound}, {ENOTDIR, Errc::NotFound},   {EEXIST, Errc::Exists},
        {EACCES, Errc::Denied},   {EPERM, Errc::Denied},       {EROFS, Errc::Denied},
        {EBUSY, Errc::Busy},      {EAGAIN, Errc::Busy},        {ENOSPC, Errc::NoSpace},
        {EDQUOT, Errc::NoSpace},  {EFBIG, Errc::NoSpace},      {EINVAL, Errc::Invalid},
        {ELOOP, Errc::Invalid},   {EMFILE, Errc::Unavailable}, {ESTALE, Errc::Unavailable},
        {EIO, Errc::Io},          {ENOTRECOVERABLE, Errc::Io},
#endif
    };
    for (const auto& c : cases) {
        const Error error = systemError(c.number, "here");
        EXPECT_EQ(errcName(error.code), errcName(c.code)) << c.number;
        EXPECT_EQ(error.text.rfind("here: ", 0), 0u) << error.text;
    }
}

}  // namespace
}  // namespace postern
