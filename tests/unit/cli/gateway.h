#pragma once
// A small gateway for tests of the command line: a configuration, a real store, and, when it is "up", the
// service's commands behind a real control socket. It has no watchers: items change only when a test says so.

#include <functional>
#include <istream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "connector/admin/control_server.h"
#include "connector/admin/feed.h"
#include "connector/config/config.h"
#include "connector/intake/acceptor.h"
#include "connector/reports/reporter.h"
#include "queue/queue.h"
#include "store/notifier.h"
#include "store/store.h"
#include "tests/fake_clock.h"
#include "tests/temp_folder.h"

namespace postern::tests {

struct Ran {
    int exit = 0;
    std::string out, err;
};

struct Screen {
    bool terminal = false;
    int width = 100;
    bool colour = false;
};

class Gateway {
  public:
    Gateway();
    ~Gateway();

    void up();    // commands go over the control socket
    void down();  // nobody has the store
    bool isUp() const { return server_ != nullptr; }

    // `words` without the program's name; --config is added.
    Ran run(const std::vector<std::string>& words, const std::string& input = {}, Screen screen = {});
    Ran run(const std::vector<std::string>& words, std::istream& input, Screen screen = {});

    // Opens the store for a moment when it is down.
    void withStore(const std::function<void(store::Store&)>& work);
    // As a watcher would: claims item `id`, marks it when the end needs it, and settles it.
    void settle(ItemId id, queue::Settlement::Kind kind, const std::string& reason);
    void claim(ItemId id);
    // The next service to start has it in its feed of events.
    void event(LogEvent event, ItemId item, const std::string& line) {
        feed_.push(clock.now(), event, item, line);
    }
    void stopFeed() { feed_.stop(); }

    FakeClock clock;
    TempFolder folder;
    const std::string configPath = folder / "postern.toml";
    std::string problems;  // for the next reload; empty: it succeeds
    std::map<std::string, Error> pickupTroubles;

  private:
    void openStore();
    config::Config loadConfig() const;
    std::unique_ptr<store::Store> store_;
    store::Notifier notifier_;
    admin::Feed feed_{100};
    std::unique_ptr<reports::Reporter> reporter_;
    std::unique_ptr<intake::Acceptor> acceptor_;
    std::map<std::string, std::shared_ptr<adapters::Adapter>> adapters_;
    std::shared_ptr<const config::Config> config_;
    std::unique_ptr<admin::ControlServer> server_;
};

}  // namespace postern::tests
