// postern top: the state of everything, drawn again and again; one frame where nobody watches.

#include "connector/admin/top.h"

#include <ostream>

#include <CLI/CLI.hpp>

#include "base/file.h"
#include "base/poller.h"
#include "base/text.h"
#include "connector/admin/control_client.h"
#include "connector/cli/backend.h"
#include "connector/cli/top_page.h"
#include "connector/cli/verbs.h"
#include "connector/cli/whole_number.h"

namespace postern::cli {

namespace {

constexpr Millis kSilence{5000};  // of the service, before it counts as gone: keys wait as long
constexpr Millis kShortest{100}, kLongest{3'600'000};

struct Top {
    std::string interval = "2s";
    std::int64_t count = 0;  // 0: not said
};

// Asks the service, again over a new connection when the old one broke; counts the store itself while there
// is none.
class Source {
  public:
    Source(const config::Config& config, Clock& clock, Millis over)
        : config_(config), clock_(clock), over_(over) {}

    Result<TopFrame> take() {
        TopFrame frame;
        const Result<void> asked = ask(frame);
        if (asked.ok()) return frame;
        client_.reset();
        frame = {};
        frame.trouble = asked.error().text;
        POSTERN_LET(reader, openReader(config_));
        POSTERN_TRY(
            admin::topRows(reader->session(), config_, std::nullopt, clock_.now(), over_, into(frame)));
        return frame;
    }

  private:
    static admin::RowSink into(TopFrame& frame) {
        return [&frame](const admin::Record& row) -> Result<void> {
            if (row.text("type") == "service")
                frame.service = row;
            else
                frame.adapters.push_back(row);
            return {};
        };
    }

    Result<void> ask(TopFrame& frame) {
        if (!client_) {
            auto client = admin::ControlClient::connect(config_.controlSocket, kSilence);
            if (!client.ok()) return client.error();
            client_.emplace(std::move(client).value());
        }
        admin::Request request;
        request.verb = "top";
        request.who = userName();
        request.fields["over"] = std::to_string(over_.count());
        admin::NoBytes none;
        return client_->call(request, none, into(frame));
    }

    const config::Config& config_;
    Clock& clock_;
    const Millis over_;
    std::optional<admin::ControlClient> client_;
};

// Frames one below the other.
class Printer {
  public:
    Printer(const Run& run, const TopView& view) : run_(run), view_(view) { view_.keys = false; }

    Result<void> print(TopFrame frame) {
        sortAdapters(frame, view_);
        Console& console = run_.console;
        if (run_.form() == Form::Json) {
            console.out << topJson(frame) << "\n";
        } else if (run_.form() == Form::Table) {
            console.out << topPage(frame, view_, console, console.width);
        } else {
            Output output(console, Form::Tabs);
            POSTERN_TRY(output.details(frame.service));
            for (const admin::Record& adapter : frame.adapters) POSTERN_TRY(output.row(adapter));
        }
        console.out.flush();
        return console.out ? Result<void>() : fail(Errc::Io, "the output could not be written");
    }

  private:
    const Run& run_;
    TopView view_;
};

Result<int> printFrames(const Run& run, Source& source, const TopView& view, std::int64_t count) {
    Printer printer(run, view);
    POSTERN_LET(pause, Poller::create());
    std::string trouble;
    for (std::int64_t shown = 0; shown < count; ++shown) {
        if (shown > 0) pause->wait(view.interval);
        POSTERN_LET(frame, source.take());
        trouble = frame.trouble;
        POSTERN_TRY(printer.print(std::move(frame)));
    }
    if (trouble.empty()) return int{kExitDone};
    run.complain(trouble);
    return int{kExitUnavailable};
}

// The live display. The keys change only what is seen.
class Display {
  public:
    Display(const Run& run, Source& source, LiveScreen& screen, TopView view)
        : run_(run), source_(source), screen_(screen), view_(std::move(view)) {}

    Result<int> show(std::int64_t count) {
        for (std::int64_t shown = 0;; ++shown) {
            if (!view_.paused) take();
            POSTERN_TRY(draw());
            if (count > 0 && shown + 1 >= count) return int{kExitDone};
            POSTERN_LET(goOn, keysUntil(run_.console.clock.steady() + view_.interval));
            if (!goOn) return int{kExitDone};
        }
    }

  private:
    void take() {
        auto taken = source_.take();
        if (taken.ok())
            frame_ = std::move(taken).value();
        else
            frame_.trouble = taken.error().text;
    }

    Result<void> draw() {
        sortAdapters(frame_, view_);
        if (view_.chosen >= frame_.adapters.size())
            view_.chosen = frame_.adapters.empty() ? 0 : frame_.adapters.size() - 1;
        return screen_.draw(topPage(frame_, view_, run_.console, screen_.size().columns));
    }

    // Until the next frame is due; false: that was enough.
    Result<bool> keysUntil(SteadyTime due) {
        for (;;) {
            const auto left = std::chrono::ceil<Millis>(due - run_.console.clock.steady());
            if (left.count() <= 0) return true;
            const Key key = screen_.wait(left);
            if (key.kind == Key::Kind::None) continue;
            const bool quit =
                key.kind == Key::Kind::Character && (key.character == 'q' || key.character == 'Q');
            if (quit || key.kind == Key::Kind::Ended) return false;
            press(key);
            POSTERN_TRY(draw());
        }
    }

    void press(const Key& key) {
        const std::size_t sorts = topSorts().size();
        switch (key.kind) {
            case Key::Kind::Right: view_.sort = (view_.sort + 1) % sorts; break;
            case Key::Kind::Left:
            case Key::Kind::BackTab: view_.sort = (view_.sort + sorts - 1) % sorts; break;
            case Key::Kind::Up: view_.chosen -= view_.chosen > 0 ? 1 : 0; break;
            case Key::Kind::Down: ++view_.chosen; break;
            case Key::Kind::Character:
                if (key.character == ' ') view_.paused = !view_.paused;
                if (key.character == '\t') view_.sort = (view_.sort + 1) % sorts;
                break;
            default: break;
        }
    }

    const Run& run_;
    Source& source_;
    LiveScreen& screen_;
    TopView view_;
    TopFrame frame_;
};

Result<int> top(const Run& run, const Top& wanted) {
    const auto interval = parseDurationMillis(wanted.interval);
    if (!interval || *interval < kShortest.count() || *interval > kLongest.count()) {
        run.complain("--interval must be a time with its unit, from 100ms to 1h: 500ms, 2s, 1m");
        return int{kExitUsage};
    }
    const auto config = run.config();
    if (!config) return int{kExitConfig};
    Source source(*config, run.console.clock, Millis{*interval});
    TopView view;
    view.title = config->hostname;
    view.interval = Millis{*interval};
    if (run.json || !run.console.openScreen)
        return printFrames(run, source, view, std::max<std::int64_t>(wanted.count, 1));
    POSTERN_LET(screen, run.console.openScreen());
    return Display(run, source, *screen, view).show(wanted.count);
}

}  // namespace

Carry setupTop(CLI::App& command, Run& run) {
    const auto wanted = std::make_shared<Top>();
    command
        .add_option("--interval", wanted->interval,
                    "From one frame to the next: 500ms, 2s, 1m; 2s unless told")
        ->option_text("TIME");
    wholeFrom(1, command.add_option("--count", wanted->count, "End after so many frames"))->option_text("N");
    command.footer(
        "Keys: q quits, space pauses, left, right and tab choose what is sorted by, up and down choose\n"
        "an adapter, whose last error then stands below. Without a terminal, or with --json, frames\n"
        "are printed: one, unless --count says more. In and out are counted over the interval, at most\n"
        "over a minute.");
    return [&run, wanted] { return run.end(top(run, *wanted)); };
}

}  // namespace postern::cli
