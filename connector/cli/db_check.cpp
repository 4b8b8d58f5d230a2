// postern db check: whether the store is whole, beside the service if there is one. Only reads.

#include <CLI/CLI.hpp>

#include "base/file.h"
#include "connector/cli/backend.h"
#include "connector/cli/bar.h"
#include "connector/cli/verbs.h"

namespace postern::cli {

namespace {

constexpr std::int64_t kMostTold = 100;            // of one kind of fault
constexpr Millis kBeingWritten{24LL * 3'600'000};  // a file so young may belong to a mail that comes in now

class Check {
  public:
    Check(const Run& run, const config::Config& config, store::ReadSession& session)
        : run_(run),
          config_(config),
          session_(session),
          output_(run.console, run.form()),
          bar_(run, "checking bodies") {}

    Result<int> all() {
        POSTERN_TRY(integrity());
        POSTERN_TRY(rows("item without a message",
                         "SELECT i.id FROM item i LEFT JOIN message m ON m.id = i.message_id"
                         " WHERE m.id IS NULL ORDER BY i.id",
                         "item "));
        POSTERN_TRY(rows("item without recipients",
                         "SELECT id FROM item WHERE NOT EXISTS (SELECT 1 FROM recipient WHERE item_id = id)"
                         " ORDER BY id",
                         "item "));
        POSTERN_TRY(rows("message without items",
                         "SELECT id FROM message WHERE NOT EXISTS (SELECT 1 FROM item WHERE message_id ="
                         " message.id) ORDER BY id",
                         "message m"));
        POSTERN_TRY(rows("message without a body",
                         "SELECT id FROM message WHERE body_file IS NULL AND NOT EXISTS"
                         " (SELECT 1 FROM body WHERE message_id = message.id) ORDER BY id",
                         "message m"));
        POSTERN_TRY(bodies());
        POSTERN_TRY(strays());
        return end();
    }

  private:
    Result<void> fault(const std::string& what, const std::string& where) {
        ++faults_;
        bar_.hide();
        return output_.row(admin::Record().add("fault", what).add("where", where));
    }
    Result<void> integrity();
    Result<void> rows(const char* what, const char* sql, const std::string& named);
    Result<void> bodies();
    Result<void> strays();
    Result<void> straysIn(const std::string& folder);
    Result<int> end();

    const Run& run_;
    const config::Config& config_;
    store::ReadSession& session_;
    Output output_;
    Bar bar_;
    std::int64_t faults_ = 0;
};

Result<void> Check::integrity() {
    store::Statement row = session_.query("PRAGMA integrity_check");
    while (row.next())
        if (row.text(0) != "ok") POSTERN_TRY(fault("database", std::string(row.text(0))));
    return row.finish();
}

Result<void> Check::rows(const char* what, const char* sql, const std::string& named) {
    store::Statement row = session_.query(sql);
    for (std::int64_t told = 0; told < kMostTold && row.next(); ++told)
        POSTERN_TRY(fault(what, named + std::to_string(row.integer(0))));
    return row.finish();
}

// Each body that stands in a file is there, with all its bytes.
Result<void> Check::bodies() {
    store::Statement row =
        session_.query("SELECT id, body_file, size FROM message WHERE body_file IS NOT NULL ORDER BY id");
    POSTERN_LET(all, session_.one("SELECT count(*) FROM message WHERE body_file IS NOT NULL"));
    for (std::int64_t looked = 0; row.next(); ++looked) {
        bar_.at(looked, all);
        const std::string path = joinPath(config_.store, row.text(1));
        const auto file = File::openRead(path);
        const std::string who = "message m" + std::to_string(row.integer(0)) + ", " + path;
        if (!file.ok() && file.error().code == Errc::Denied) return file.error();
        if (!file.ok()) {
            POSTERN_TRY(fault("body missing", who));
            continue;
        }
        POSTERN_LET(size, file->size());
        if (size != row.integer(2))
            POSTERN_TRY(fault("body of another size", who + ", " + std::to_string(size) + " bytes"));
    }
    return row.finish();
}

Result<void> Check::straysIn(const std::string& folder) {
    POSTERN_LET(place, Folder::open(joinPath(config_.store, folder)));
    std::vector<std::string> names;
    POSTERN_TRY(place.list([&](std::string_view name) {
        names.emplace_back(name);
        return true;
    }));
    for (const std::string& name : names) {
        const std::string path = folder + "/" + name;
        const auto facts = place.facts(name);
        if (!facts.ok()) continue;  // its mail went in the purge meanwhile
        const WallTime changed = fromMillis(facts->changedNanos / 1'000'000);
        if (changed + kBeingWritten > run_.console.clock.now()) continue;
        POSTERN_LET(known, session_.one("SELECT count(*) FROM message WHERE body_file = ?1", path));
        if (known == 0) POSTERN_TRY(fault("file without a message", joinPath(config_.store, path)));
    }
    return {};
}

Result<void> Check::strays() {
    const std::string bodies = joinPath(config_.store, "bodies");
    if (!pathExists(bodies)) return {};
    POSTERN_LET(folder, Folder::open(bodies));
    std::vector<std::string> names;
    POSTERN_TRY(folder.list([&](std::string_view name) {
        if (name.size() == 2) names.emplace_back(name);
        return true;
    }));
    for (const std::string& name : names) POSTERN_TRY(straysIn("bodies/" + name));
    return {};
}

Result<int> Check::end() {
    bar_.hide();
    output_.finish();
    if (faults_ > 0) {
        run_.complain(std::to_string(faults_) + " faults in " + config_.store);
        return int{kExitUnavailable};
    }
    return int{kExitDone};
}

Result<int> check(const Run& run) {
    const auto config = run.config();
    if (!config) return int{kExitConfig};
    POSTERN_LET(reader, openReader(*config));
    return Check(run, *config, reader->session()).all();
}

}  // namespace

Carry setupDbCheck(CLI::App& command, Run& run) {
    command.footer(
        "Says nothing and ends with 0 when all is well; 69 when something is wrong. A file that the\n"
        "next start sweeps away is told when it is older than a day.");
    return [&run] { return run.end(check(run)); };
}

}  // namespace postern::cli
