#include "base/file.h"

#include "base/path.h"
#include "base/random.h"
#include "base/replace_with.h"

namespace postern {

Result<std::string> readFile(const std::string& path, std::size_t limit) {
    POSTERN_LET(file, File::openRead(path));
    std::string bytes;
    char chunk[16384];
    for (;;) {
        POSTERN_LET(got, file.readAt(static_cast<std::int64_t>(bytes.size()), chunk, sizeof chunk));
        if (got == 0) return bytes;
        if (bytes.size() + got > limit)
            return fail(Errc::NoSpace, path + " is longer than " + std::to_string(limit) + " bytes");
        bytes.append(chunk, got);
    }
}

Result<void> replaceWith(const std::string& path, unsigned mode,
                         const std::function<Result<void>(File&)>& fill) {
    POSTERN_LET(folder, Folder::open(parentPath(path)));
    const std::string name(lastName(path));
    const std::string aside = "." + name + "." + randomName(8);
    const auto written = [&]() -> Result<void> {
        POSTERN_LET(file, folder.create(aside, mode));
        POSTERN_TRY(fill(file));
        POSTERN_TRY(file.sync());
        POSTERN_TRY(file.close());
        return folder.moveReplacing(aside, folder, name);
    }();
    if (!written.ok()) {
        (void)folder.remove(
            aside);  // a leftover hidden file is harmless; the error that matters is `written`
        return written.error().within(path);
    }
    return folder.sync();
}

Result<void> replaceFile(const std::string& path, std::string_view bytes, unsigned mode) {
    return replaceWith(path, mode, [&](File& file) { return file.write(bytes); });
}

}  // namespace postern
