// postern queue captured: copies of what the legacy side got, for adapters whose `capture` keeps them.
// Whoever may read the store's folder may read them: nobody else.

#include <ostream>

#include <CLI/CLI.hpp>

#include "base/source.h"
#include "base/text.h"
#include "connector/cli/copy_out.h"
#include "connector/cli/verbs.h"
#include "connector/cli/whole_number.h"
#include "connector/export/capture.h"

namespace postern::cli {

namespace {

struct Wanted {
    std::string item, output, adapter;
    std::int64_t epoch = 0;
    bool list = false;
};

Result<void> tellAll(const Run& run, const std::vector<exporting::Captured>& copies) {
    Output output(run.console, run.form());
    for (const exporting::Captured& each : copies)
        POSTERN_TRY(output.row(admin::Record()
                                   .add("id", each.item.value)
                                   .add("adapter", each.adapter)
                                   .add("epoch", each.epoch.value)
                                   .add("at", each.at)
                                   .add("bytes", admin::Value::size(each.size))
                                   .add("file", each.path)));
    return {};
}

Result<int> showCaptured(const Run& run, const Wanted& wanted) {
    const auto config = run.config();
    if (!config) return int{kExitConfig};
    const auto item = parseInt(wanted.item);
    if (!item || *item <= 0) {
        run.complain("\"" + wanted.item + "\" is no item: name one by its number");
        return int{kExitUsage};
    }
    POSTERN_LET(copies, exporting::capturedOf(config->store, ItemId{*item}));
    std::erase_if(copies, [&](const exporting::Captured& each) {
        return (!wanted.adapter.empty() && each.adapter != wanted.adapter) ||
               (wanted.epoch > 0 && each.epoch.value != wanted.epoch);
    });
    if (copies.empty()) {
        run.complain("there is no copy of item " + wanted.item +
                     ": its adapter keeps none (see \"capture\"), or it is past its time");
        return int{kExitNoInput};
    }
    if (wanted.list) {
        POSTERN_TRY(tellAll(run, copies));
        return int{kExitDone};
    }
    POSTERN_LET(copy, FileSource::open(copies.back().path));
    if (wanted.output.empty() || wanted.output == "-") {
        POSTERN_TRY(copyOut(run.console.out, *copy));
        return int{kExitDone};
    }
    const auto [folder, name] = placeOf(wanted.output);
    const Result<void> written = copyInto(folder, name, *copy);
    if (written.ok()) return int{kExitDone};
    run.complain(written.error().text);
    return written.error().code == Errc::Exists ? int{kExitCantCreate} : exitFor(written.error().code);
}

}  // namespace

Carry setupCaptured(CLI::App& command, Run& run) {
    const auto wanted = std::make_shared<Wanted>();
    command.add_option("ITEM", wanted->item, "The item's number")->required();
    CLI::Option* list = command.add_flag("--list", wanted->list, "Which copies there are, oldest first");
    command.add_option("--output", wanted->output, "Into this new file")->option_text("FILE")->excludes(list);
    wholeFrom(1, command.add_option("--epoch", wanted->epoch, "The one of this attempt; else the newest"))
        ->option_text("N");
    command.add_option("--adapter", wanted->adapter, "The one of this adapter")->option_text("NAME");
    command.footer("Copies are kept while the adapter's \"capture\" says so. They are people's mail.");
    return [&run, wanted] { return run.end(showCaptured(run, *wanted)); };
}

}  // namespace postern::cli
