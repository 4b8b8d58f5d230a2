#include "store/log_mark.h"

#include "base/random.h"
#include "base/text.h"
#include "store/log_file.h"
#include "store/sqlite_engine.h"

namespace postern::store {

namespace {

constexpr int kNameLength = 16;

// The own name stands at both ends. A power cut tears a page between two sectors, at one place of so short a
// text, and what is half old and half new then has two different ends.
std::string textOf(const LogMark& mark) {
    return mark.own + " " + mark.before + " " + randomName(8) + " " + mark.own;
}

std::optional<LogMark> parse(std::string_view text) {
    const std::size_t first = text.find(' '), last = text.rfind(' ');
    if (first == std::string_view::npos || text.substr(0, first) != text.substr(last + 1)) return {};
    const std::string_view rest = text.substr(first + 1);
    return LogMark{std::string(text.substr(0, first)), std::string(rest.substr(0, rest.find(' ')))};
}

Error notItsLog(const std::string& why) {
    return fail(Errc::Invalid,
                "the postern.db-wal beside it is not its log (" + why +
                    "): put those two back that belong together, or restore a backup; or, if this postern.db "
                    "is the right one, move postern.db-wal away, with the mail that only it holds");
}

struct Alone {
    std::optional<LogMark> mark;
    std::int64_t page = 0;  // on which it stands: the table is so small that it has one
};

// What SQLite says of a file of which some pages are newer than others, or half new. Its log has them whole.
bool isOfTornPages(const Error& error) {
    return error.code == Errc::Corrupt || error.code == Errc::Internal || error.code == Errc::Invalid;
}

Result<Alone> readAlone(const std::string& path, const std::string& engineOption) {
    POSTERN_LET(reader, SqliteReader::openAlone(path, engineOption));
    Alone alone;
    POSTERN_LET(mark, markOf(*reader));
    alone.mark = std::move(mark);
    if (!alone.mark) return alone;
    POSTERN_LET(page, reader->one("SELECT rootpage FROM sqlite_master WHERE name = 'store'"));
    alone.page = page;
    return alone;
}

}  // namespace

void LogMarker::start(const std::optional<LogMark>& stands) {
    mark_ = LogMark{randomName(kNameLength), stands ? stands->own : "none"};
    due_ = true;
}

std::string LogMarker::next() {
    written_ = true;
    return textOf(mark_);
}

void LogMarker::committed(bool begun) {
    const bool marked = std::exchange(written_, false);
    stands_ = stands_ || marked;
    due_ = marked ? false : due_ || begun;
}

void LogMarker::folded() {
    due_ = true;
    if (!std::exchange(stands_, false)) return;
    mark_ = LogMark{randomName(kNameLength), mark_.own};
}

Result<std::optional<LogMark>> markOf(Session& session) {
    POSTERN_LET(tables, session.one("SELECT count(*) FROM sqlite_master WHERE name = 'store'"));
    std::optional<LogMark> mark;
    if (tables == 0) return mark;
    Statement row = session.query("SELECT value FROM store WHERE key = 'log'");
    if (row.next()) mark = parse(row.text(0));
    POSTERN_TRY(row.finish());
    return mark;
}

Result<std::optional<LogMark>> markOfFile(const std::string& path, const std::string& engineOption) {
    const Result<Alone> alone = readAlone(path, engineOption);
    if (!alone.ok() && isOfTornPages(alone.error())) return std::optional<LogMark>();
    if (!alone.ok()) return alone.error();
    if (!alone->mark) return alone->mark;
    POSTERN_LET(holds, lookIntoLog(path + "-wal", alone->page));
    if (holds == LogHolds::OtherPages)
        return notItsLog(
            "it has no mark, and postern.db has one; if an older Postern or another program wrote to this "
            "store "
            "last, start and stop that one first, and its log is folded back");
    return alone->mark;
}

Result<void> checkLog(Session& session, const std::optional<LogMark>& file) {
    if (!file) return {};
    POSTERN_LET(seen, markOf(session));
    if (seen && (file->own == seen->own || file->own == seen->before)) return {};
    return notItsLog("it was begun upon another database, or upon an older or newer one");
}

}  // namespace postern::store
