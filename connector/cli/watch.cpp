// postern watch: what the service does, as it does it.

#include <ostream>

#include <CLI/CLI.hpp>

#include "base/file.h"
#include "base/text.h"
#include "connector/admin/control_client.h"
#include "connector/cli/backend.h"
#include "connector/cli/verbs.h"
#include "connector/cli/whole_number.h"

namespace postern::cli {

namespace {

struct Watch {
    std::string adapter, event, after;
    std::int64_t item = 0, limit = 0;
};

admin::Request requestOf(const Watch& wanted) {
    admin::Request request;
    request.verb = "watch";
    request.who = userName();
    const auto set = [&](const char* name, const std::string& value) {
        if (!value.empty()) request.fields[name] = value;
    };
    set("adapter", wanted.adapter);
    set("event", wanted.event);
    set("after", wanted.after);
    set("item", wanted.item > 0 ? std::to_string(wanted.item) : "");
    return request;
}

// A line for people: nothing is held back to measure columns.
std::string lineOf(const admin::Record& event) {
    const admin::Value* at = event.find("at");
    std::string line = at == nullptr ? "" : formatUtc(fromMillis(at->number)) + "  ";
    line += event.text("event");
    if (const admin::Value* item = event.find("item"); item != nullptr && item->number > 0)
        line += "  item " + std::to_string(item->number);
    if (const auto adapter = event.text("adapter"); !adapter.empty()) line += "  " + std::string(adapter);
    return line + "  " + std::string(event.text("text"));
}

class Printer {
  public:
    Printer(const Run& run, std::int64_t limit)
        : run_(run), limit_(limit), output_(run.console, run.form()) {}

    Result<void> operator()(const admin::Record& event) {
        const std::string_view name = event.text("event");
        if (name == "watch.beat") return {};
        if (name == "watch.missed") {
            const admin::Value* count = event.find("count");
            run_.complain(std::to_string(count == nullptr ? 0 : count->number) +
                          " events were missed: they came faster than they were taken");
            return {};
        }
        POSTERN_TRY(print(event));
        if (limit_ > 0 && ++shown_ == limit_) return fail(Errc::Stopped, "enough");
        return {};
    }
    bool enough() const { return limit_ > 0 && shown_ == limit_; }

  private:
    Result<void> print(const admin::Record& event) {
        if (output_.form() == Form::Table) {
            run_.console.out << escapeLine(lineOf(event), 4000) << "\n";
        } else {
            POSTERN_TRY(output_.row(event));
        }
        run_.console.out.flush();
        if (!run_.console.out) return fail(Errc::Io, "the output could not be written");
        return {};
    }
    const Run& run_;
    const std::int64_t limit_;
    std::int64_t shown_ = 0;
    Output output_;
};

Result<int> watchEvents(const Run& run, const Watch& wanted) {
    const auto config = run.config();
    if (!config) return int{kExitConfig};
    POSTERN_LET(client, connectService(*config));
    Printer printer(run, wanted.limit);
    admin::NoBytes none;
    const Result<void> watched = client.call(requestOf(wanted), none, std::ref(printer));
    if (printer.enough()) return int{kExitDone};
    POSTERN_TRY(watched);
    run.complain("the service has stopped");
    return int{kExitDone};
}

}  // namespace

Carry setupWatch(CLI::App& command, Run& run) {
    const auto wanted = std::make_shared<Watch>();
    command.add_option("--adapter", wanted->adapter, "Only this adapter's")->option_text("NAME");
    wholeFrom(1, command.add_option("--item", wanted->item, "Only this item's"))->option_text("ITEM");
    command.add_option("--event", wanted->event, "Only those whose name begins so: item, item.exported")
        ->option_text("EVENT");
    wholeFrom(0, command.add_option(
                     "--after", wanted->after,
                     "Begin behind the event with this serial; 0: with the oldest that is remembered"))
        ->option_text("SERIAL");
    wholeFrom(0, command.add_option("--limit", wanted->limit, "End after so many"))->option_text("N");
    command.footer("Ends with Ctrl-C or with the service. docs/LOG.md lists the events.");
    return [&run, wanted] { return run.end(watchEvents(run, *wanted)); };
}

}  // namespace postern::cli
