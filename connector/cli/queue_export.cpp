// postern queue export: the stored mail of items, byte for byte, read beside the service if there is one.

#include <ostream>

#include <CLI/CLI.hpp>

#include "base/file.h"
#include "base/source.h"
#include "connector/admin/selection.h"
#include "connector/cli/backend.h"
#include "connector/cli/bar.h"
#include "connector/cli/copy_out.h"
#include "connector/cli/filter_options.h"
#include "connector/cli/verbs.h"
#include "queue/inspect.h"
#include "store/messages.h"

namespace postern::cli {

namespace {

struct Export {
    std::vector<std::string> items;
    std::string output, folder;
    bool trace = false;
};

// Where the field at `begin` ends, with its folded lines; nothing when it is not whole in `text`.
std::size_t fieldEnd(std::string_view text, std::size_t begin) {
    auto end = text.find('\n', begin);
    while (end != std::string_view::npos && end + 1 < text.size() &&
           (text[end + 1] == ' ' || text[end + 1] == '\t'))
        end = text.find('\n', end + 1);
    return end == std::string_view::npos ? 0 : end + 1;
}

// The two fields that intake puts before a mail (connector/intake/trace.h); 0 when they are not there.
Result<std::int64_t> ourTrace(ByteSource& body) {
    char start[4096];
    POSTERN_LET(got, body.readAt(0, start, sizeof start));
    const std::string_view text(start, got);
    const std::size_t second = text.starts_with("Received: ") ? fieldEnd(text, 0) : 0;
    if (second == 0 || !text.substr(second).starts_with("Postern-Trace: ")) return std::int64_t{0};
    return static_cast<std::int64_t>(fieldEnd(text, second));
}

// A mail without its first bytes.
class Behind final : public ByteSource {
  public:
    Behind(ByteSource& whole, std::int64_t skipped) : whole_(whole), skipped_(skipped) {}
    std::int64_t size() const override { return whole_.size() - skipped_; }
    Result<std::size_t> readAt(std::int64_t offset, char* into, std::size_t size) override {
        return whole_.readAt(offset + skipped_, into, size);
    }

  private:
    ByteSource& whole_;
    const std::int64_t skipped_;
};

class Exporting {
  public:
    Exporting(const Run& run, const Export& wanted, const std::string& store, store::ReadSession& session)
        : run_(run), wanted_(wanted), store_(store), session_(session), output_(run.console, run.form()) {}

    Result<void> one(ItemId id) {
        POSTERN_LET(item, queue::readItem(session_, id));
        POSTERN_LET(stored, store::openBody(session_, store_, item.message));
        POSTERN_LET(trace, ourTrace(*stored));
        Behind body(*stored, wanted_.trace ? 0 : trace);
        if (!wanted_.folder.empty())
            return intoFile(item, wanted_.folder, "item-" + std::to_string(id.value) + ".eml", body);
        if (wanted_.output.empty() || wanted_.output == "-") return copyOut(run_.console.out, body);
        const auto [folder, name] = placeOf(wanted_.output);
        return intoFile(item, folder, name, body);
    }

  private:
    Result<void> intoFile(const queue::ItemRow& item, const std::string& folder, const std::string& name,
                          ByteSource& body) {
        POSTERN_TRY(copyInto(folder, name, body));
        return output_.row(admin::Record()
                               .add("id", item.id.value)
                               .add("file", folder == "." ? name : joinPath(folder, name))
                               .add("bytes", admin::Value::size(body.size())));
    }
    const Run& run_;
    const Export& wanted_;
    const std::string& store_;
    store::ReadSession& session_;
    Output output_;
};

Result<int> exportItems(const Run& run, const Export& wanted) {
    const auto config = run.config();
    if (!config) return int{kExitConfig};
    POSTERN_LET(selection, admin::parseSelection(joined(wanted.items)));
    POSTERN_LET(reader, openReader(*config));
    POSTERN_LET(ids, admin::selectItems(reader->session(), selection));
    if (ids.size() != 1 && wanted.folder.empty()) {
        run.complain("these are " + std::to_string(ids.size()) + " items: name a --folder for their files");
        return int{kExitUsage};
    }
    Exporting exporting(run, wanted, config->store, reader->session());
    Bar bar(run, "exporting");
    std::int64_t exported = 0;
    int exit = kExitDone;
    for (const ItemId id : ids) {
        if (!wanted.folder.empty()) bar.at(exported, static_cast<std::int64_t>(ids.size()));
        ++exported;
        const Result<void> done = exporting.one(id);
        if (done.ok()) continue;
        bar.hide();
        run.complain(std::to_string(id.value) + ": " + done.error().text);
        const int status =
            done.error().code == Errc::Exists ? int{kExitCantCreate} : exitFor(done.error().code);
        if (exit == kExitDone || status != kExitNoInput) exit = status;
    }
    return exit;
}

}  // namespace

Carry setupExport(CLI::App& command, Run& run) {
    const auto wanted = std::make_shared<Export>();
    command.add_option("ITEM", wanted->items, "Items: 3, 3-7, or m12 for those of message 12")->required();
    CLI::Option* output = command.add_option("--output", wanted->output, "Into this new file");
    output->option_text("FILE");
    command.add_option("--folder", wanted->folder, "Into files item-N.eml of this folder")
        ->option_text("FOLDER")
        ->excludes(output);
    command.add_flag("--trace", wanted->trace, "With the fields of this host before it, as it is stored");
    command.footer("The bytes as they came in; nothing of a conversion.");
    return [&run, wanted] { return run.end(exportItems(run, *wanted)); };
}

}  // namespace postern::cli
