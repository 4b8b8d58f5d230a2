#include "tests/unit/cli/gateway.h"

#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include <gtest/gtest.h>

#include "adapters/registry.h"
#include "base/service_manager.h"
#include "connector/admin/commands.h"
#include "connector/cli/backend.h"
#include "connector/cli/cli.h"
#include "connector/config/load.h"

namespace postern::tests {

namespace {

// @ stands for the folder.
constexpr const char* kConfig = R"(hostname = "gw.example.org"
store = "@/store"
submit_message_size = "100 MiB"
reserve = 0
[[listener]]
protocol = "smtp"
address = "127.0.0.1:0"
[adapter.drop1]
kind = "drop"
folder = "@/drop1"
most_recipients = 2
[adapter.box]
kind = "maildir"
folder = "@/missing/box"
create = false
[adapter.cc]
kind = "ccmail"
folder = "@/cc"
gateway = "INTERNET"
post_office = "PO1"
attachments = "drop"
on_loss = "bounce"
[[route]]
recipient = "*@legacy.example"
adapter = "drop1"
legacy = "{local} at PO1"
[[route]]
recipient = "*@box.example"
adapter = "box"
[[route]]
recipient = "*@cc.example"
adapter = "cc"
legacy = "{local} of CC"
[[route]]
recipient = "*"
adapter = "drop1"
legacy = "%e at INTERNET"
use = "replies"
[[table]]
name = "people"
file = "@/people.csv"
adapter = "drop1"
[[rule]]
name = "lottery"
header = "Subject: *lottery*"
recipient = "*@legacy.example"
action = "reject"
text = "no lotteries"
[[rule]]
name = "odd"
sender = "*@odd.example"
action = "hold"
)";

void must(const Result<void>& result) {
    if (!result.ok()) throw std::runtime_error(result.error().text);
}

}  // namespace

Gateway::Gateway() {
    ignoreBrokenPipes();
    std::string text = kConfig;
    for (auto at = text.find('@' + std::string("/")); at != std::string::npos; at = text.find("@/"))
        text.replace(at, 1, folder.path());
    std::ofstream(configPath, std::ios::binary) << text;
    std::ofstream(folder / "people.csv", std::ios::binary) << "chief@legacy.example,\"Chief, The at HQ\"\n";
    withStore([](store::Store&) {});
}

Gateway::~Gateway() {
    down();
}

config::Config Gateway::loadConfig() const {
    config::Loaded loaded = config::load(configPath);
    for (const config::Problem& problem : loaded.problems)
        ADD_FAILURE() << config::placeText(problem.place) << problem.text;
    return *loaded.config;
}

void Gateway::openStore() {
    store::StoreOptions options;
    options.folder = folder / "store";
    options.migrations = cli::allMigrations();
    auto store = store::Store::open(options);
    if (!store.ok()) throw std::runtime_error(store.error().text);
    store_ = std::move(store).value();
}

void Gateway::withStore(const std::function<void(store::Store&)>& work) {
    const bool closed = store_ == nullptr;
    if (closed) openStore();
    work(*store_);
    if (closed) store_.reset();
}

void Gateway::up() {
    openStore();
    config_ = std::make_shared<const config::Config>(loadConfig());
    acceptor_ = std::make_unique<intake::Acceptor>(*store_, notifier_, clock, disk::Limits{});
    std::vector<routing::Target> targets;
    for (const config::Adapter& each : config_->adapters) {
        auto made = adapters::kindNamed(each.kind)->make({each.name, config_->hostname, store_->id(), {}},
                                                         each.settings);
        adapters_[each.name] = std::move(made).value();
        targets.push_back(routing::targetFor(each, *adapters_[each.name]));
    }
    const auto router = std::make_shared<const routing::Router>(config_->routes, targets, config_->rules,
                                                                routing::readTables(*config_).tables);
    acceptor_->setRouter(router);
    reporter_ = std::make_unique<reports::Reporter>(*store_, notifier_);
    reporter_->use(router, *config_);
    const auto handler = [this, router](const admin::Request& request, admin::ByteStream& body,
                                        const admin::RowSink& row) {
        const admin::ServiceView view{
            *store_,
            notifier_,
            clock,
            *acceptor_,
            [this] { return config_; },
            [this](const std::string& name) { return adapters_.contains(name) ? adapters_[name] : nullptr; },
            [this] {
                admin::Reloaded reloaded;
                reloaded.done = problems.empty();
                if (!problems.empty()) reloaded.problems.push_back({{"postern.toml", 3, 1}, problems});
                reloaded.notes.emplace_back("a note");
                return reloaded;
            },
            [] { return admin::Record().add("version", "test").add("sessions", 3); },
            [this](store::WriteSession& session, const queue::Fate& fate) {
                return reporter_->tell(session, fate);
            },
            {},
            &feed_,
            {},
            [router] { return router; },
            [this] { return pickupTroubles; }};
        return admin::runCommand(view, admin::Role::Admin, request, body, row);
    };
    server_ = std::make_unique<admin::ControlServer>(config_->controlSocket, handler, clock);
    must(server_->start());
}

void Gateway::down() {
    server_.reset();
    acceptor_.reset();
    adapters_.clear();
    store_.reset();
    reporter_.reset();
}

Ran Gateway::run(const std::vector<std::string>& words, const std::string& input, Screen screen) {
    std::istringstream in(input);
    return run(words, in, screen);
}

Ran Gateway::run(const std::vector<std::string>& words, std::istream& input, Screen screen) {
    std::ostringstream out, err;
    cli::Console console{input, out, err, clock};
    console.terminal = screen.terminal;
    console.width = screen.width;
    console.colour = screen.colour;
    std::vector<std::string> all = {"--config", configPath};
    all.insert(all.end(), words.begin(), words.end());
    Ran ran;
    ran.exit = cli::runCli(all, console);
    ran.out = out.str();
    ran.err = err.str();
    return ran;
}

void Gateway::claim(ItemId id) {
    withStore([&](store::Store& store) {
        queue::Queue queue(store, clock, {"test", Millis{60'000}, 5, {}});
        const auto claims = queue.claim("drop1", 100);
        if (!claims.ok()) throw std::runtime_error(claims.error().text);
        for (const queue::Claim& each : *claims)
            if (each.item != id) must(queue.giveBack({&each, 1}));
    });
}

void Gateway::settle(ItemId id, queue::Settlement::Kind kind, const std::string& reason) {
    using Kind = queue::Settlement::Kind;
    withStore([&](store::Store& store) {
        queue::Queue queue(store, clock, {"test", Millis{60'000}, 5, {}});
        const auto claims = queue.claim("drop1", 100);
        if (!claims.ok()) throw std::runtime_error(claims.error().text);
        for (const queue::Claim& each : *claims) {
            if (each.item != id) {
                must(queue.giveBack({&each, 1}));
                continue;
            }
            if (kind == Kind::Exported || kind == Kind::InDoubt) {
                const queue::Queue::Mark mark{id, each.epoch, "evidence"};
                EXPECT_EQ(queue.markPublishing({&mark, 1})->size(), 1u);
            }
            queue::Settlement settlement;
            settlement.kind = kind;
            settlement.item = id;
            settlement.epoch = each.epoch;
            settlement.reason = kind == Kind::Exported ? "" : reason;
            settlement.target = kind == Kind::Exported ? reason : "";
            settlement.due = clock.now() + Millis{60'000};
            EXPECT_EQ(queue.settle({&settlement, 1})->size(), 1u);
        }
    });
}

}  // namespace postern::tests
