#include "base/set_aside.h"

#include "base/random.h"

namespace postern {

namespace {

constexpr int kMostTries = 10'000;
constexpr std::size_t kLongestName = 200;  // room for "~9999" and ".reason.txt" below the 255 bytes of a name

Result<std::string> reasonFile(const Folder& folder, std::string_view reason) {
    const std::string name = ".reason-" + randomName(12);
    POSTERN_LET(file, folder.create(name));
    POSTERN_TRY(file.write(std::string(reason) + "\n"));
    POSTERN_TRY(file.sync());
    POSTERN_TRY(file.close());
    return name;
}

}  // namespace

Result<std::string> setAside(const Folder& from, std::string_view name, const Folder& to,
                             std::string_view wanted, std::string_view reason) {
    POSTERN_LET(text, reasonFile(to, reason));
    const std::string plain(wanted.size() > kLongestName ? wanted.substr(wanted.size() - kLongestName)
                                                         : wanted);
    std::string held = text;  // under which name the reason stands now
    for (int number = 0; number < kMostTries; ++number) {
        const std::string target = number == 0 ? plain : plain + "~" + std::to_string(number);
        const std::string note = target + ".reason.txt";
        POSTERN_LET(noted, to.moveNoReplace(held, to, note));
        if (noted != Moved::Done) continue;
        held = note;
        POSTERN_LET(moved, from.moveNoReplace(name, to, target));
        if (moved == Moved::TargetExists) continue;
        if (moved == Moved::SourceMissing) {
            (void)to.remove(held);
            return fail(Errc::NotFound, std::string(name) + " is gone");
        }
        POSTERN_TRY(to.sync());
        POSTERN_TRY(from.sync());
        return target;
    }
    (void)to.remove(held);
    return fail(Errc::Exists, to.path() + " holds too many files named " + plain);
}

}  // namespace postern
