// What looking for duplicates costs: mails a second through the acceptor without a digest, with one (exact,
// on by default), with one and no confirmation, and with a window. The ways take turns, so that one busy
// moment of the machine does not decide; each number is the best of its rounds. Also the memory of
// unconfirmed mails.
//
//     tests/bench/duplicates [MAILS] [FOLDER]      20,000 mails a round in a temporary folder when not said

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <malloc.h>
#include <semaphore>
#include <thread>

#include "base/digest.h"
#include "base/log.h"
#include "connector/intake/acceptor.h"
#include "connector/intake/duplicates.h"
#include "queue/queue.h"
#include "tests/temp_folder.h"

namespace postern {
namespace {

constexpr int kWaiting = 256;  // mails under way, as of many sessions
constexpr int kRounds = 6;

class Silent final : public adapters::Adapter {
  public:
    adapters::Grouping grouping() const override { return {}; }
    std::optional<std::string> refuses(const adapters::Recipient&) const override { return std::nullopt; }
    Result<void> probe() override { return {}; }
    void stage(std::span<adapters::Job>, const std::function<void()>&) override {}
    void publish(std::span<adapters::Job>, const std::function<void()>&) override {}
    void abandon(adapters::Job&) override {}
    adapters::Recovery recover(const adapters::DeliveryKey&, std::string_view) override { return {}; }
    Result<int> sweep(const std::function<bool(const adapters::DeliveryKey&)>&) override { return 0; }
    std::string describe() const override { return "silent"; }
};

struct Way {
    const char* name;
    bool digest, confirm;
    Millis within;
    double best = 0;
};

class Bench {
  public:
    explicit Bench(const std::string& folder) {
        store::StoreOptions options;
        options.folder = folder;
        options.migrations = store::messageMigrations();
        for (const auto& migration : queue::queueMigrations()) options.migrations.push_back(migration);
        auto opened = store::Store::open(std::move(options));
        if (!opened.ok()) {
            std::fprintf(stderr, "duplicates_bench: %s\n", opened.error().text.c_str());
            std::exit(1);
        }
        store_ = std::move(opened).value();
        acceptor_ = std::make_unique<intake::Acceptor>(*store_, notifier_, Clock::system(), disk::Limits{});
        acceptor_->setRouter(std::make_shared<const routing::Router>(
            std::vector<config::Route>{{"*", "silent", "{local}", {}}},
            std::vector<routing::Target>{{"silent", &adapter_, Millis(1'000'000)}}));
    }

    double run(const Way& way, int mails) {
        std::counting_semaphore<> room(kWaiting);
        const SteadyTime begin = Clock::system().steady();
        for (int i = 0; i < mails; ++i) {
            room.acquire();
            acceptor_->accept(mail(way), [&](const intake::Answer& answer) {
                if (answer.code != 250) std::exit(1);
                if (way.confirm) acceptor_->confirm(answer.message);
                room.release();
            });
        }
        for (int i = 0; i < kWaiting; ++i) room.acquire();
        return mails / std::chrono::duration<double>(Clock::system().steady() - begin).count();
    }

  private:
    intake::IncomingMail mail(const Way& way) {
        intake::IncomingMail mail;
        mail.message.received = Clock::system().now();
        mail.message.sender = "sender@example.com";
        mail.message.source = "smtp";
        mail.message.client = "192.0.2.1:4711";
        mail.message.protocol = "ESMTP";
        mail.message.headerId = "<" + std::to_string(++number_) + "@example.com>";
        const std::string text = "Message-ID: " + mail.message.headerId + "\r\n\r\n" + std::string(2048, 'x');
        mail.body = acceptor_->newBody();
        (void)mail.body->append(text);
        mail.recipients.push_back({"joe@example.org", {"silent", "joe", "*"}, {}, {}, {}});
        if (way.digest) mail.digest = sha256(text);
        mail.duplicatesWithin = way.within;
        return mail;
    }

    Silent adapter_;
    store::Notifier notifier_;
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<intake::Acceptor> acceptor_;
    std::int64_t number_ = 0;
};

void measureMemory(const std::string& folder) {
    constexpr int kEntries = 100'000;
    store::StoreOptions options;
    options.folder = folder;
    options.migrations = store::messageMigrations();
    auto store = store::Store::open(std::move(options));
    if (!store.ok()) return;
    intake::Duplicates duplicates;
    std::size_t before = 0, after = 0;
    (void)(*store)->write([&](store::WriteSession& session) -> Result<void> {
        before = mallinfo2().uordblks;
        for (int i = 1; i <= kEntries; ++i)
            POSTERN_TRY(duplicates.remember(session, {sha256(std::to_string(i)), {}, Millis{0}}, {i},
                                            Clock::system().now()));
        after = mallinfo2().uordblks;
        return {};
    });
    std::printf("memory of an unconfirmed mail      %7.0f bytes, SQLite's page cache included\n",
                static_cast<double>(after - before) / kEntries);
}

}  // namespace
}  // namespace postern

int main(int count, char** words) {
    using namespace postern;
    setLogLevel(Severity::Error);
    const int mails = count > 1 ? std::atoi(words[1]) : 20'000;
    tests::TempFolder temporary;
    const std::string folder = count > 2 ? words[2] : temporary.path();
    Way ways[] = {{"no digest", false, false, Millis{0}},
                  {"exact, each confirmed", true, true, Millis{0}},
                  {"exact, none confirmed", true, false, Millis{0}},
                  {"exact and a window of one hour", true, true, Millis{3'600'000}}};
    {
        Bench bench(folder + "/store");
        for (int round = 0; round < kRounds; ++round)
            for (Way& way : ways) way.best = std::max(way.best, bench.run(way, mails));
    }
    for (const Way& way : ways)
        std::printf("%-34s %7.0f mails/s   %.2f of the first\n", way.name, way.best, way.best / ways[0].best);
    measureMemory(folder + "/memory");
    return 0;
}
