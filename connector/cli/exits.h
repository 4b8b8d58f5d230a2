#pragma once
// The exit statuses of `postern`, as sysexits(3) numbers them. `postern --help` lists them from here.

#include "base/result.h"

namespace postern::cli {

#define POSTERN_EXITS(EXIT)                                                                \
    EXIT(Done, 0, "everything asked for was done")                                         \
    EXIT(Usage, 64, "the command line is wrong")                                           \
    EXIT(Data, 65, "an item, mail or account was refused; the others were done")           \
    EXIT(NoInput, 66, "no item, message, adapter, account or file has that name")          \
    EXIT(NoUser, 67, "no route takes a recipient")                                         \
    EXIT(Unavailable, 69, "the service, the store or an adapter is not usable now")        \
    EXIT(Software, 70, "a fault in this program")                                          \
    EXIT(CantCreate, 73, "a file that was to be made is there already")                    \
    EXIT(Io, 74, "reading or writing failed")                                              \
    EXIT(Temporary, 75, "not done now, try again later: busy, full disk, mail not stored") \
    EXIT(Permission, 77, "not permitted to this user")                                     \
    EXIT(Config, 78, "the configuration is wrong")

enum Exit : int {
#define POSTERN_EXIT(name, number, text) kExit##name = number,
    POSTERN_EXITS(POSTERN_EXIT)
#undef POSTERN_EXIT
};

int exitFor(Errc code);

}  // namespace postern::cli
