#include "adapters/ftn/flow_files.h"

#include <cstdio>
#include <set>

#include "adapters/any_case.h"
#include "base/peer.h"
#include "base/text.h"

namespace postern::adapters::ftn {

namespace {

constexpr std::size_t kLongestFlow = 8 * 1024 * 1024;

std::string hex(int number, int digits) {
    char text[16];
    std::snprintf(text, sizeof text, "%0*x", digits, static_cast<unsigned>(number) & 0xffffu);
    return text;
}

// The files that a list names, whatever is to become of them: the first letter says that, "~" is done.
std::set<std::string, std::less<>> namedIn(std::string_view list) {
    std::set<std::string, std::less<>> files;
    for (std::string_view line : split(list, '\n')) {
        line = trim(line);
        if (!line.empty() && std::string_view("^#~-!@").find(line.front()) != std::string_view::npos)
            line.remove_prefix(1);
        if (!line.empty()) files.emplace(line);
    }
    return files;
}

}  // namespace

FlowPlace flowPlace(const Node& link, const FlowPlan& plan) {
    FlowPlace place{plan.outbound, hex(link.net, 4) + hex(link.node, 4)};
    if (link.zone != plan.zone) place.folder += "." + hex(link.zone, 3);
    if (link.point == 0) return place;
    place.folder += "/" + place.base + ".pnt";
    place.base = hex(link.point, 8);
    return place;
}

namespace {

// Folder by folder, each as it is spelled there.
Result<Folder> openPlace(const std::string& relative, const FlowPlan& plan) {
    POSTERN_LET(folder, Folder::open(plan.folder));
    for (const std::string_view name : split(relative, '/')) {
        POSTERN_LET(spelled, spelledThere(folder, name));
        POSTERN_LET(inner, Folder::make(joinPath(folder.path(), spelled), plan.folderMode));
        folder = std::move(inner);
    }
    return folder;
}

Result<std::string> readList(const Folder& folder, const std::string& name) {
    auto list = readFile(joinPath(folder.path(), name), kLongestFlow);
    if (list.ok() || list.error().code != Errc::NoSpace) return list;
    return fail(Errc::Denied, list.error().text);  // no disk is full
}

}  // namespace

Result<std::unique_ptr<Flow>> Flow::open(const Node& link, const FlowPlan& plan) {
    const FlowPlace place = flowPlace(link, plan);
    POSTERN_LET(folder, openPlace(place.folder, plan));
    POSTERN_LET(file, spelledThere(folder, place.base + "." + plan.flavour + "lo"));
    std::unique_ptr<Flow> flow(new Flow(std::move(folder), std::move(file), plan.fileMode));
    POSTERN_LET(busy, takeLockInAnyCase(flow->folder_, place.base + ".bsy", plan.lock));
    flow->busy_ = std::move(busy);
    return flow;
}

Result<std::string> Flow::list() const {
    POSTERN_LET(there, folder_.has(file_));
    return there ? readList(folder_, file_) : Result<std::string>(std::string());
}

// In its place: "~/path" becomes "~~path", which mailers skip as before and which names no file of ours.
Result<void> Flow::forgetSent(const Folder& packets, const std::vector<std::string>& names) {
    POSTERN_LET(text, list());
    std::set<std::string, std::less<>> coming;
    for (const std::string& name : names) {
        POSTERN_LET(there, packets.has(name));
        if (!there) coming.insert(joinPath(packets.path(), name));
    }
    File file;
    for (std::string_view line : split(text, '\n')) {
        line = trim(line);
        if (!line.starts_with("~") || !coming.contains(line.substr(1))) continue;
        if (!file.isOpen()) {
            POSTERN_LET(opened, folder_.openShared(file_, false));
            file = std::move(opened);
        }
        POSTERN_TRY(file.writeAt(line.data() - text.data() + 1, "~"));
    }
    return file.isOpen() ? file.sync() : Result<void>();
}

Result<void> Flow::add(const Folder& packets, const std::vector<std::string>& names) {
    if (names.empty()) return {};
    POSTERN_LET(there, folder_.has(file_));
    POSTERN_LET(old, list());
    auto listed = namedIn(old);
    std::string lines;
    for (const std::string& name : names) {
        const std::string path = joinPath(packets.path(), name);
        if (listed.contains(path)) continue;
        POSTERN_LET(waits, packets.has(name));
        if (!waits) continue;
        lines += "^" + path + "\n";
        listed.insert(path);
    }
    if (lines.empty()) return {};
    // A line that a power failure cut off must not be joined with ours.
    if (!old.empty() && old.back() != '\n') lines.insert(0, "\n");
    auto file = there ? folder_.openShared(file_) : folder_.create(file_, fileMode_);
    if (!file.ok()) return file.error();
    if (!there) POSTERN_TRY(setOpenFileMode(file->handle(), fileMode_));  // whatever the umask is
    POSTERN_TRY(file->write(lines));
    POSTERN_TRY(file->sync());
    return there ? Result<void>() : folder_.sync();
}

}  // namespace postern::adapters::ftn
