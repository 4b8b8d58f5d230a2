// posternd, the service. Runs in the foreground under a service manager: SIGTERM or SIGINT drains and stops
// within the configured limit, SIGHUP re-reads the configuration. Readiness is told to systemd. On Windows
// its service manager hosts it (base/service_host.h). Options and exit statuses:
// connector/posternd_options.h.

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <iostream>
#include <new>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <Poco/Util/HelpFormatter.h>
#include <Poco/Util/OptionException.h>
#include <Poco/Util/OptionProcessor.h>
#include <Poco/Util/OptionSet.h>
#include <Poco/Util/ServerApplication.h>

#include "base/child_process.h"
#include "base/file.h"
#include "base/log.h"
#include "base/service_host.h"
#include "base/service_manager.h"
#include "base/terminal.h"
#include "connector/config/load.h"
#include "connector/posternd_options.h"
#include "connector/service/service.h"
#include "connector/service/service_log.h"
#include "connector/service/watchdog.h"
#include "connector/version.h"
#include "net/wire.h"

namespace {

using postern::LogEvent;
using postern::LogLine;
using postern::Millis;
using postern::StopSignals;

constexpr int kExitUsage = 64;
constexpr int kExitFault = 70;

class Posternd final : public Poco::Util::ServerApplication {
  public:
    // Throws what is wrong with the command line: run() would end as for a wrong configuration.
    void checkCommandLine(const std::vector<std::string>& words) {
        // The library's own for Windows are written "/registerService"; ours are the same everywhere.
        setUnixOptions(words.size() < 2 || !words[1].starts_with('/'));
        (void)given(words);
    }

    // Without the library's own ways to be a service, and to end as one.
    int runHosted(const std::vector<std::string>& words) {
        for (const auto& [name, value] : given(words)) choose(name, value);
        return only_ == Only::Nothing ? serve() : 0;
    }

  protected:
    void defineOptions(Poco::Util::OptionSet& options) override {
        ServerApplication::defineOptions(options);
        for (const postern::PosterndOption& each : postern::kPosterndOptions) {
            std::string help = each.help;
            if (each.argument != nullptr) help += " (default: " + postern::config::defaultPath() + ")";
            Poco::Util::Option option(each.name, each.letter, help);
            if (each.argument != nullptr) option.argument(each.argument);
            options.addOption(option.callback(Poco::Util::OptionCallback<Posternd>(this, &Posternd::choose)));
        }
    }

    int main(const std::vector<std::string>& arguments) override {
        if (only_ == Only::Help) return showHelp();
        if (only_ == Only::Version) {
            std::cout << "posternd " << postern::kVersion << "\n";
            return 0;
        }
        if (!arguments.empty()) {
            std::cerr << "posternd: unexpected argument '" << arguments.front() << "'; see posternd --help\n";
            return kExitUsage;
        }
        return serve();
    }

  private:
    enum class Only { Nothing, Help, Version };
    using Given = std::vector<std::pair<std::string, std::string>>;

    // The options of the command line; throws what is wrong with it.
    Given given(const std::vector<std::string>& words) {
        Poco::Util::OptionSet options;
        defineOptions(options);
        Poco::Util::OptionProcessor processor(options);
        processor.setUnixStyle(words.size() < 2 || !words[1].starts_with('/'));
        Given all;
        for (std::size_t i = 1; i < words.size(); ++i) {
            std::string name, value;
            if (processor.process(words[i], name, value) && !name.empty()) all.emplace_back(name, value);
        }
        processor.checkRequired();
        return all;
    }

    void choose(const std::string& name, const std::string& value) {
        if (name == "config") {
            configPath_ = value;
            return;
        }
        only_ = name == "help" ? Only::Help : Only::Version;
        stopOptionsProcessing();
    }

    int showHelp() {
        Poco::Util::HelpFormatter formatter(options());
        formatter.setCommand("posternd");
        formatter.setUsage("[--config FILE]");
        formatter.setHeader(
            "The Postern service: takes Internet mail and exports it, exactly once, to legacy mail systems.");
        formatter.format(std::cout);
        return 0;
    }

    static int report(const postern::service::Failure& failure) {
        for (const std::string& line : failure.lines) std::cerr << "posternd: " << line << "\n";
        LogLine(LogEvent::ServiceFailed)
            .with("status", failure.exitStatus)
            .with("reason", failure.lines.empty() ? "" : failure.lines.front());
        return failure.exitStatus;
    }

    // What nobody caught, like a thread that the system does not give us, is said as every other failure is.
    int serve() {
        try {
            return serveUntilAsked();
        } catch (const Poco::Exception& error) {
            return report({kExitFault, {error.displayText()}});
        } catch (const std::exception& error) {
            return report({kExitFault, {std::string("it can not go on: ") + error.what()}});
        }
    }

    int serveUntilAsked() {
        StopSignals signals;  // before any other thread
        const auto offered = postern::net::offerSockets(postern::inheritedSockets());
        const postern::service::ServiceLog log;
        for (const std::string& trouble : offered) LogLine(LogEvent::ListenerStrange).with("reason", trouble);
        postern::raiseHandleLimit();
        postern::service::Service service(configPath_, postern::Clock::system());
        LogLine(LogEvent::ServiceStarting).with("version", postern::kVersion).with("config", configPath_);
        if (const auto failed = service.start()) return report(*failed);
        for (const std::string& place : postern::net::untakenSockets())
            LogLine(LogEvent::ListenerStrange)
                .with("reason",
                      place + ": the service manager opened it and no [[listener]] has this address");
        postern::notifyServiceManager("READY=1\nSTATUS=Accepting and exporting mail");
        std::jthread reload;  // it may wait for a batch, and the watchdog must not
        const auto failed = waitForTheEnd(service, signals, reload);
        postern::notifyServiceManager("STOPPING=1");
        LogLine(LogEvent::ServiceStopping).with("why", failed ? "failure" : "asked to");
        service.requestStop();
        if (reload.joinable()) reload.join();
        service.stop();
        LogLine(LogEvent::ServiceStopped).with("pid", postern::processId());
        return failed ? report(*failed) : 0;
    }

    static std::optional<postern::service::Failure> waitForTheEnd(postern::service::Service& service,
                                                                  StopSignals& signals,
                                                                  std::jthread& reload) {
        postern::service::Watchdog watchdog(
            postern::Clock::system(), postern::watchdogLimit(), [&] { return service.life(); },
            [] { postern::notifyServiceManager("WATCHDOG=1"); });
        for (;;) {
            switch (signals.wait(Millis(500))) {
                case StopSignals::Request::Stop: return std::nullopt;
                case StopSignals::Request::Reload: beginReload(service, reload); break;
                case StopSignals::Request::None: break;
            }
            watchdog.look();
            if (auto failed = service.failure()) return failed;
        }
    }

    // Behind the one before, and in a thread of its own: the watchdog goes on.
    static void beginReload(postern::service::Service& service, std::jthread& reload) try {
        reload = std::jthread([&service, before = std::move(reload)]() mutable {
            if (before.joinable()) before.join();
            postern::notifyServiceManager("RELOADING=1");
            (void)service.reload();  // it logs what came of it
            postern::notifyServiceManager("READY=1");
        });
    } catch (const std::system_error& error) {
        LogLine(LogEvent::ConfigRejected)
            .with("problem", std::string("no thread to reload in: ") + error.what());
    }

    Only only_ = Only::Nothing;
    std::string configPath_ = postern::config::defaultPath();
};

// A thread met what nobody caught: the system has no memory or no thread for it, for the most part. Said with
// what is there: nothing may be allocated. What is on the disk is as behind a kill, and the next start goes
// on from there. Any other exception is a fault of ours, and its core file is wanted.
[[noreturn]] void endWithAWord() {
    const char* what = "an exception of no known kind";
    bool ours = true;
    try {
        if (const auto thrown = std::current_exception()) std::rethrow_exception(thrown);
    } catch (const std::bad_alloc& error) {
        what = error.what();
        ours = false;
    } catch (const std::system_error& error) {
        what = error.what();
        ours = false;
    } catch (const std::exception& error) {
        what = error.what();
    } catch (...) {
    }
    std::fputs("posternd: it can not go on: ", stderr);
    std::fputs(what, stderr);
    std::fputs("\n", stderr);
    if (ours) std::abort();
    std::_Exit(kExitFault);
}

int guarded(const std::function<int()>& body) {
    try {
        return body();
    } catch (const Poco::Exception& error) {
        std::cerr << "posternd: " << error.displayText() << "; see posternd --help\n";
        return kExitUsage;
    }
}

}  // namespace

int main(int argc, char** argv) {
    std::set_terminate(endWithAWord);
    postern::useStandardStreams();
    const std::vector<std::string> words = postern::ownArguments(argc, argv);
    Posternd application;
    const auto hosted =
        postern::hostService([&] { return guarded([&] { return application.runHosted(words); }); });
    if (hosted) return *hosted;
    return guarded([&] {
        application.checkCommandLine(words);
        return application.run(words);
    });
}
