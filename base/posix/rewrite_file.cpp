#include "base/rewrite_file.h"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/peer.h"
#include "base/replace_with.h"

namespace postern {

namespace {

Result<void> giveAs(int handle, const struct stat& old) {
    struct stat made {};
    if (::fstat(handle, &made) != 0) return systemError(errno, "looking at a file");
    const bool same = made.st_uid == old.st_uid && made.st_gid == old.st_gid;
    if (!same && ::fchown(handle, old.st_uid, old.st_gid) != 0)
        return systemError(errno, "keeping its owner and group");
    // Behind the owner: changing that takes bits away.
    if (::fchmod(handle, old.st_mode & 07777) != 0) return systemError(errno, "keeping its mode");
    return {};
}

// Only the administrator may give a file away; for others the group alone is tried, and both are as good as
// asked for.
Result<struct stat> giveLike(const std::string& model, int handle, const std::string& path) {
    struct stat facts {};
    if (::stat(model.c_str(), &facts) != 0) return systemError(errno, model);
    if (::fchown(handle, facts.st_uid, facts.st_gid) != 0 &&
        ::fchown(handle, static_cast<uid_t>(-1), facts.st_gid) != 0 && errno != EPERM)
        return systemError(errno, path + ": giving it the group of " + model);
    return facts;
}

// A file that was not there before.
Result<void> dressNew(const File& file, const std::string& path, const std::string& like) {
    POSTERN_LET(facts, giveLike(like.empty() ? parentPath(path) : like, file.handle(), path));
    return setOpenFileMode(file.handle(), like.empty() ? 0640u : facts.st_mode & 0777u);
}

}  // namespace

Result<void> makeFolderLikeItsParent(const std::string& path) {
    if (pathExists(path)) return {};
    const std::string parent = parentPath(path);
    struct stat around {};
    if (::stat(parent.c_str(), &around) != 0) return systemError(errno, parent);
    POSTERN_TRY(makeFolders(path, around.st_mode & 0777));
    const File made(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!made.isOpen()) return systemError(errno, path);
    POSTERN_TRY(giveLike(parent, made.handle(), path));
    return {};
}

Result<void> rewriteFile(const std::string& path, std::string_view bytes, const std::string& like) {
    struct stat old {};
    const bool known = ::stat(path.c_str(), &old) == 0;
    if (!known && errno != ENOENT) return systemError(errno, path);
    std::string target = path;
    if (known) {
        std::error_code wrong;
        target = std::filesystem::canonical(path, wrong).string();
        if (wrong) return systemError(wrong.value(), path);
    }
    return replaceWith(target, 0600, [&](File& file) -> Result<void> {
        if (known) POSTERN_TRY(giveAs(file.handle(), old));
        if (!known) POSTERN_TRY(dressNew(file, path, like));
        return file.write(bytes);
    });
}

}  // namespace postern
