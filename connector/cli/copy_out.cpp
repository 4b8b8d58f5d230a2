#include "connector/cli/copy_out.h"

#include <ostream>

#include "base/file.h"
#include "base/path.h"

namespace postern::cli {

namespace {
constexpr unsigned kMode = 0600;  // it is somebody's mail
}

Result<void> copyOut(std::ostream& out, ByteSource& source) {
    return copyAll(source, [&](std::string_view bytes) -> Result<void> {
        out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        if (!out) return fail(Errc::Io, "the output could not be written");
        return {};
    });
}

Result<void> copyInto(const std::string& folder, const std::string& name, ByteSource& source) {
    POSTERN_LET(place, Folder::open(folder));
    auto made = place.create(name, kMode);
    if (!made.ok() && made.error().code == Errc::Exists)
        return fail(Errc::Exists, (folder == "." ? name : joinPath(folder, name)) + " is there already");
    if (!made.ok()) return made.error();
    File file = std::move(made).value();
    Result<void> written = copyAll(source, [&](std::string_view bytes) { return file.write(bytes); });
    if (written.ok()) written = file.sync();
    if (written.ok()) written = file.close();
    if (written.ok()) return place.sync();
    (void)place.remove(name);  // half a mail must not look like one
    return written;
}

std::pair<std::string, std::string> placeOf(const std::string& path) {
    return {parentPath(path), std::string(lastName(path))};
}

}  // namespace postern::cli
