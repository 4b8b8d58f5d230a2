#include "adapters/command/uucp_spool.h"

#include <functional>
#include <vector>

#include "base/file.h"

namespace postern::adapters {

namespace {

constexpr std::size_t kMostFiles = 100'000;
constexpr std::size_t kMostBytes = 65'536;

// The beginning of each file of the folder. A file that goes while we look is done; a folder that is not
// there holds none.
Result<void> eachFile(const std::string& path,
                      const std::function<void(const std::string& name, std::string_view text)>& visit) {
    const auto folder = Folder::open(path);
    if (!folder.ok() && folder.error().code == Errc::NotFound) return {};
    if (!folder.ok()) return folder.error();
    std::vector<std::string> names;
    POSTERN_TRY(folder->list([&](std::string_view name) {
        names.emplace_back(name);
        return names.size() < kMostFiles;
    }));
    if (names.size() >= kMostFiles) return fail(Errc::TooLarge, path + " holds too many files");
    std::string buffer(kMostBytes, '\0');
    for (const std::string& name : names) {
        auto file = folder->openRead(name);
        if (!file.ok() && file.error().code == Errc::NotFound) continue;
        if (!file.ok()) return file.error().within(joinPath(path, name));
        std::size_t got = 0;
        for (std::size_t more = 1; more > 0 && got < buffer.size(); got += more) {
            const auto read =
                file->readAt(static_cast<std::int64_t>(got), buffer.data() + got, buffer.size() - got);
            if (!read.ok()) return read.error().within(joinPath(path, name));
            more = *read;
        }
        visit(name, std::string_view(buffer).substr(0, got));
    }
    return {};
}

// A word of the line, as "D.0001" in "E D.0001 D.aN0001 uucp -CR D.0001 0666 ...".
bool holdsWord(std::string_view text, std::string_view word) {
    const auto ends = [&](std::size_t at) {
        return at >= text.size() || text[at] == ' ' || text[at] == '\n' || text[at] == '\t';
    };
    for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1))
        if ((at == 0 || ends(at - 1)) && ends(at + word.size())) return true;
    return false;
}

}  // namespace

Result<UucpJob> lookInUucpSpool(const std::string& spool, const std::string& system,
                                const std::string& mark) {
    const std::string folder = joinPath(spool, system);
    // Data first: a job that is sent meanwhile is then seen as not there, which claims nothing.
    std::vector<std::string> data;
    POSTERN_TRY(eachFile(joinPath(folder, "D."), [&](const std::string& name, std::string_view text) {
        if (text.find(mark) != std::string_view::npos) data.push_back(name);
    }));
    if (data.empty()) return UucpJob::NotThere;
    bool named = false;
    POSTERN_TRY(eachFile(joinPath(folder, "C."), [&](const std::string& line, std::string_view text) {
        // TMP... is the line before its link: no job.
        if (!line.starts_with("C.")) return;
        for (const std::string& name : data) named = named || holdsWord(text, name);
    }));
    if (named) return UucpJob::Queued;
    // Both are removed when a job is done; one that was done between the two looks has no data either.
    POSTERN_LET(still, Folder::open(joinPath(folder, "D.")));
    for (const std::string& name : data) {
        POSTERN_LET(there, still.has(name));
        if (!there) return UucpJob::NotThere;
    }
    return UucpJob::NotQueued;
}

}  // namespace postern::adapters
