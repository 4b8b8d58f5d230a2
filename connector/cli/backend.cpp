#include "connector/cli/backend.h"

#include "adapters/registry.h"
#include "base/file.h"
#include "base/owners_rights.h"
#include "connector/admin/commands.h"
#include "connector/admin/control_client.h"
#include "connector/disk/watch.h"
#include "connector/reports/reporter.h"
#include "queue/queue.h"
#include "store/messages.h"

namespace postern::cli {

namespace {

class ServiceBackend final : public Backend {
  public:
    explicit ServiceBackend(admin::ControlClient client) : client_(std::move(client)) {}
    Result<void> call(const admin::Request& request, admin::ByteStream& body,
                      const admin::RowSink& row) override {
        return client_.call(request, body, row);
    }

  private:
    admin::ControlClient client_;
};

// What the service is made of, as far as commands need it; without watchers and listeners.
class OwnBackend final : public Backend {
  public:
    OwnBackend(const config::Config& config, Clock& clock, std::unique_ptr<store::Store> store)
        : config_(&config, [](const config::Config*) {}),  // the caller's
          clock_(clock),
          store_(std::move(store)),
          reporter_(*store_, notifier_),
          acceptor_(*store_, notifier_, clock, {config.reserve, config.warnBelow}) {}

    Result<void> makeAdapters();
    // A ballast that was given away keeps mail out, and without the service nobody else fills it.
    void fillBallast() {
        if (!store_->ballast().released()) return;
        disk::Watch(acceptor_.room(), store_->ballast(), clock_, {[this] { return config_->ballast; }}, false)
            .runOnce();
    }
    Result<void> call(const admin::Request& request, admin::ByteStream& body,
                      const admin::RowSink& row) override;

  private:
    std::shared_ptr<adapters::Adapter> adapterNamed(const std::string& name) const {
        const auto found = adapters_.find(name);
        return found == adapters_.end() ? nullptr : found->second;
    }
    const std::shared_ptr<const config::Config> config_;
    Clock& clock_;
    store::Notifier notifier_;  // nobody listens: the service looks for itself when it starts
    std::unique_ptr<store::Store> store_;
    std::map<std::string, std::shared_ptr<adapters::Adapter>> adapters_;
    std::shared_ptr<const routing::Router> router_;
    reports::Reporter reporter_;
    intake::Acceptor acceptor_;
};

Result<void> OwnBackend::makeAdapters() {
    std::vector<routing::Target> targets;
    for (const config::Adapter& each : config_->adapters) {
        const adapters::Kind* kind = adapters::kindNamed(each.kind);
        if (kind == nullptr) return fail(Errc::Invalid, "there is no adapter kind \"" + each.kind + "\"");
        auto made = kind->make({each.name, config_->hostname, store_->id(), {}}, each.settings);
        if (!made.ok()) return made.error().within("adapter " + each.name);
        adapters_[each.name] = std::move(made).value();
        targets.push_back(routing::targetFor(each, *adapters_[each.name]));
    }
    auto tables = routing::readTables(*config_);
    if (!tables.problems.empty()) {
        const config::Problem& first = tables.problems.front();
        return fail(Errc::Invalid, config::placeText(first.place) + ": " + first.text);
    }
    const auto router = std::make_shared<const routing::Router>(config_->routes, std::move(targets),
                                                                config_->rules, std::move(tables.tables));
    acceptor_.setRouter(router);
    router_ = router;
    reporter_.use(router, *config_);
    return {};
}

Result<void> OwnBackend::call(const admin::Request& request, admin::ByteStream& body,
                              const admin::RowSink& row) {
    const admin::ServiceView view{*store_,
                                  notifier_,
                                  clock_,
                                  acceptor_,
                                  [this] { return config_; },
                                  [this](const std::string& name) { return adapterNamed(name); },
                                  {},
                                  {},
                                  [this](store::WriteSession& session, const queue::Fate& fate) {
                                      return reporter_.tell(session, fate);
                                  },
                                  {},
                                  nullptr,
                                  {},
                                  [this] { return router_; }};
    return admin::runCommand(view, admin::Role::Admin, request, body, row);
}

Error noStore(const config::Config& config) {
    return fail(Errc::Unavailable, "there is no store in " + config.store + " yet: start posternd once");
}

Result<std::unique_ptr<Backend>> openOwn(const config::Config& config, Clock& clock) {
    POSTERN_TRY(checkStoreOwner(config));
    store::StoreOptions options;
    options.folder = config.store;
    options.migrations = allMigrations();
    options.create = false;
    options.inlineBodyLimit = config.inlineBody;
    options.readers = 1;
    auto store = store::Store::open(std::move(options));
    if (!store.ok() && store.error().code == Errc::NotFound) return noStore(config);
    if (!store.ok() && store.error().code == Errc::Busy)
        return fail(Errc::Busy, store.error().text + ", and no service answers on " + config.controlSocket);
    if (!store.ok()) return store.error();
    auto own = std::make_unique<OwnBackend>(config, clock, std::move(store).value());
    POSTERN_TRY(own->makeAdapters());
    own->fillBallast();
    return std::unique_ptr<Backend>(std::move(own));
}

}  // namespace

Result<void> checkStoreOwner(const config::Config& config) {
    if (!pathExists(config.store)) return noStore(config);
    const auto may = mayWorkFor(config.store);
    return may.ok() ? may : Result<void>(may.error().within("the service does not run"));
}

std::vector<store::Migration> allMigrations() {
    std::vector<store::Migration> all = store::messageMigrations();
    const auto& queue = queue::queueMigrations();
    all.insert(all.end(), queue.begin(), queue.end());
    return all;
}

Result<std::unique_ptr<Backend>> Backend::open(const config::Config& config, Clock& clock) {
    auto client = admin::ControlClient::connect(config.controlSocket);
    if (client.ok())
        return std::unique_ptr<Backend>(std::make_unique<ServiceBackend>(std::move(client).value()));
    if (client.error().code != Errc::NotFound) return client.error();
    return openOwn(config, clock);
}

Result<admin::ControlClient> connectService(const config::Config& config) {
    auto client = admin::ControlClient::connect(config.controlSocket);
    if (!client.ok() && client.error().code == Errc::NotFound)
        return fail(Errc::Unavailable, client.error().text);
    return client;
}

Result<std::unique_ptr<store::StoreReader>> openReader(const config::Config& config) {
    auto reader = store::StoreReader::open(config.store, allMigrations());
    if (!reader.ok() && reader.error().code == Errc::NotFound) return noStore(config);
    if (!reader.ok() && reader.error().code == Errc::Invalid)
        return fail(Errc::Unavailable, reader.error().text);  // our program's age, not the user's input
    return reader;
}

}  // namespace postern::cli
