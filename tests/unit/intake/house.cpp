#include "tests/unit/intake/house.h"

#include <chrono>
#include <filesystem>
#include <future>

#include "queue/inspect.h"
#include "queue/queue.h"

namespace postern::intake {

namespace {

class AskedAdapter final : public adapters::Adapter {
  public:
    explicit AskedAdapter(adapters::Grouping grouping) : grouping_(std::move(grouping)) {}
    adapters::Grouping grouping() const override { return grouping_; }
    std::optional<std::string> refuses(const adapters::Recipient& recipient) const override {
        if (recipient.legacy != "unwanted") return std::nullopt;
        return "the post office can not hold this name";
    }
    Result<void> probe() override { return {}; }
    void stage(std::span<adapters::Job>, const std::function<void()>&) override {}
    void publish(std::span<adapters::Job>, const std::function<void()>&) override {}
    void abandon(adapters::Job&) override {}
    adapters::Recovery recover(const adapters::DeliveryKey&, std::string_view) override { return {}; }
    Result<int> sweep(const std::function<bool(const adapters::DeliveryKey&)>&) override { return 0; }
    std::string describe() const override { return "asked"; }

  private:
    adapters::Grouping grouping_;
};

std::unique_ptr<store::Store> openStore(const std::string& folder, const std::string& engineOption) {
    store::StoreOptions options;
    options.folder = folder + "/store";
    options.migrations = store::messageMigrations();
    for (const auto& migration : queue::queueMigrations()) options.migrations.push_back(migration);
    options.inlineBodyLimit = kInlineBody;
    options.engineOption = engineOption;
    auto store = store::Store::open(std::move(options));
    EXPECT_TRUE(store.ok()) << (store.ok() ? "" : store.error().text);
    return std::move(store).value();
}

// Our own field is the first, and ends at the first line that does not continue it; the second is ours as
// well.
void cutTrace(const std::string& bytes, const std::string& storeId, Stored& into) {
    std::size_t end = bytes.find("\r\n");
    while (end != std::string::npos && end + 2 < bytes.size() && bytes[end + 2] == '\t') {
        end = bytes.find("\r\n", end + 2);
    }
    for (const char c : bytes.substr(0, end)) {
        if (c == '\t') into.trace += ' ';
        if (c != '\r' && c != '\n' && c != '\t') into.trace += c;
    }
    into.body = bytes.substr(end + 2);
    if (const auto id = into.trace.find(" id "); id != std::string::npos) {
        EXPECT_EQ(into.trace.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789", id + 4), id + 14);
        into.trace.replace(id + 4, 10, "TRACE");
    }
    const std::string own = "Postern-Trace: " + storeId + "\r\n";
    if (into.body.starts_with(own)) into.body.erase(0, own.size());
}

}  // namespace

House::House(std::int64_t reserve, std::string engineOption)
    : reserve_(reserve),
      engineOption_(std::move(engineOption)),
      store_(openStore(folder_.path(), engineOption_)) {
    demo_ = std::make_unique<AskedAdapter>(adapters::Grouping{});
    other_ = std::make_unique<AskedAdapter>(adapters::Grouping{1, 0, {}});
    acceptor_ = std::make_unique<Acceptor>(*store_, notifier_, clock_, disk::Limits{{reserve}, {}});
    acceptor_->setRouter(router(routes()));
    if (engineOption_.empty()) openAccounts();
}

void House::openAccounts() {
    const auto added = store_->write([this](store::WriteSession& session) -> Result<void> {
        POSTERN_LET(verifier, accounts::makeVerifier("pencil", accounts::kLeastIterations));
        POSTERN_TRY(accounts::addAccount(session, {"ann", verifier, {.send = true}, clock_.now()}));
        return accounts::addAccount(session, {"viewer", verifier, {.viewer = true}, clock_.now()});
    });
    EXPECT_TRUE(added.ok()) << (added.ok() ? "" : added.error().text);
    auto directory = accounts::Directory::open(*store_);
    EXPECT_TRUE(directory.ok());
    if (directory.ok()) acceptor_->setAccounts(std::move(*directory));
}
House::~House() = default;

void House::reopen() {
    acceptor_.reset();
    store_.reset();
    store_ = openStore(folder_.path(), engineOption_);
    acceptor_ = std::make_unique<Acceptor>(*store_, notifier_, clock_, disk::Limits{{reserve_}, {}});
    acceptor_->setRouter(router(routes()));
}

std::vector<config::Route> House::routes() {
    return {{"a%b@example.org", "demo", "mapped", {}},
            {"gone@nowhere.test", "gone", "{local}", {}},
            {"postmaster@mx.example.org", "demo", "POSTMASTER", {}},
            {"*@example.org", "demo", "{local}", {}},
            {"*@example.net", "other", "{address}", {}}};
}

std::shared_ptr<const routing::Router> House::router(std::vector<config::Route> routes,
                                                     std::vector<config::Rule> rules,
                                                     std::int64_t most) const {
    return std::make_shared<const routing::Router>(
        std::move(routes),
        std::vector<routing::Target>{{"demo", demo_.get(), Millis(1000), most},
                                     {"other", other_.get(), Millis(2000)}},
        std::move(rules));
}

std::vector<Stored> House::stored() {
    std::vector<Stored> all;
    const auto read = store_->read([&](store::ReadSession& session) -> Result<void> {
        std::vector<MessageId> ids;
        auto rows = session.query("SELECT id FROM message ORDER BY id");
        while (rows.next()) ids.push_back({rows.integer(0)});
        POSTERN_TRY(rows.finish());
        for (const MessageId id : ids) {
            Stored& mail = all.emplace_back();
            POSTERN_LET(row, store::readMessage(session, id));
            mail.row = row;
            POSTERN_LET(body, store::openBody(session, store_->folder(), id));
            POSTERN_LET(bytes, readAll(*body, 100 << 20));
            cutTrace(bytes, store_->id(), mail);
            queue::Filter filter;
            filter.message = id;
            std::vector<queue::ItemRow> items;
            POSTERN_TRY(queue::listItems(session, filter, [&](const queue::ItemRow& item) {
                items.push_back(item);
                return true;
            }));
            for (const auto& item : items) {
                std::string text = item.adapter + "/" + item.group + ":";
                POSTERN_LET(recipients, queue::readRecipients(session, item.id));
                for (const auto& each : recipients)
                    text += " " + each.address + "=" + each.legacy +
                            (each.notify.empty() ? "" : " [" + each.notify + "]") +
                            (each.original.empty() ? "" : " [" + each.original + "]");
                mail.items.push_back(text);
            }
        }
        return {};
    });
    EXPECT_TRUE(read.ok()) << (read.ok() ? "" : read.error().text);
    return all;
}

std::int64_t House::count(const char* sql) {
    std::int64_t value = -1;
    const auto read = store_->read([&](store::ReadSession& session) -> Result<void> {
        POSTERN_LET(number, session.one(sql));
        value = number;
        return {};
    });
    EXPECT_TRUE(read.ok()) << sql;
    return value;
}

std::size_t House::bodyFiles() const {
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(store_->folder() + "/bodies")) {
        if (entry.is_regular_file()) ++files;
    }
    return files;
}

Answer House::accept(IncomingMail mail) {
    auto promise = std::make_shared<std::promise<Answer>>();
    auto future = promise->get_future();
    acceptor_->accept(std::move(mail), [promise](const Answer& answer) { promise->set_value(answer); });
    if (future.wait_for(std::chrono::seconds(30)) != std::future_status::ready) {
        ADD_FAILURE() << "no answer";
        return {0, "", ""};
    }
    return future.get();
}

IncomingMail House::mail(const std::vector<std::string>& recipients, const std::string& body) {
    IncomingMail mail;
    mail.message.received = clock_.now();
    mail.message.sender = "sender@example.com";
    mail.message.source = "smtp";
    mail.message.client = "192.0.2.1:4711";
    mail.message.protocol = "ESMTP";
    mail.body = acceptor_->newBody();
    EXPECT_TRUE(mail.body->append(body).ok());
    for (const std::string& address : recipients) {
        auto routed = acceptor_->routeRecipient(address, {});
        EXPECT_TRUE(routed.ok()) << address;
        if (routed.ok()) mail.recipients.push_back(*routed);
    }
    return mail;
}

Result<routing::Router::Routed> ScriptedDoor::routeRecipient(const std::string& address,
                                                             const Envelope&) const {
    return routing::Router::Routed{address, {"demo", address, "*"}, {}, {}, {}};
}

std::unique_ptr<store::BodyWriter> ScriptedDoor::newBody() const {
    return std::make_unique<store::BodyWriter>(store_);
}

void ScriptedDoor::accept(IncomingMail mail, std::function<void(const Answer&)> done) {
    mails.push_back(std::move(mail));
    if (hold) {
        held.push_back(std::move(done));
    } else {
        done(answer);
    }
}

config::Listener listenerOf(config::Protocol protocol) {
    config::Listener listener;
    listener.protocol = protocol;
    listener.networks = {"192.0.2.0/24", "127.0.0.0/8"};
    listener.name = protocol == config::Protocol::Lmtp ? "lmtp" : "smtp";
    return listener;
}

Talk::Talk(House& house, Door& door, config::Listener listener, Client client)
    : house_(house),
      door_(door),
      listener_(std::move(listener)),
      session_(hostname_, listener_, door, std::move(client), house.now()) {
    if (listener_.certificate != "broken") session_.allowTls();
    session_.greet();
}

void Talk::send(std::string_view bytes) {
    session_.received(bytes, house_.now());
    if (autoSettle) settle();
}

void Talk::settle() {
    while (auto step = session_.takeLogOn()) {
        auto promise = std::make_shared<std::promise<LogOnAnswer>>();
        auto future = promise->get_future();
        door_.logOn(std::move(*step), [promise](const LogOnAnswer& answer) { promise->set_value(answer); });
        session_.logOnAnswered(future.get(), house_.now());
    }
    while (auto mail = session_.takeMail()) {
        ++mails_;
        auto promise = std::make_shared<std::promise<Answer>>();
        auto future = promise->get_future();
        door_.accept(std::move(*mail), [promise](const Answer& answer) { promise->set_value(answer); });
        if (future.wait_for(std::chrono::seconds(30)) != std::future_status::ready) {
            ADD_FAILURE() << "no answer";
            return;
        }
        session_.answered(future.get(), house_.now());
    }
}

std::string Talk::say(std::string_view line) {
    send(std::string(line) + "\r\n");
    return read();
}

std::string Talk::read() {
    return std::exchange(session_.replies(), {});
}

}  // namespace postern::intake
