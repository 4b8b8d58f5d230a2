#pragma once
// A real store, queue and reporter: attempts end as a test says, and the reports are the items that came of
// it. Routes: *@legacy.example to "legacy" (a drop), *@home.example to "home" (a maildir) as {local}.

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/log.h"
#include "base/text.h"
#include "connector/reports/reporter.h"
#include "queue/inspect.h"
#include "queue/operate.h"
#include "queue/queue.h"
#include "tests/fake_clock.h"
#include "tests/kit/post_office.h"

namespace postern::reports {

struct Mail {
    std::string sender = "anna@home.example";
    std::vector<queue::RecipientRow> recipients;
    std::string header = "From: anna@home.example\r\nSubject: figures\r\n";
    std::string text = "the text\r\n";
    std::string ret = {};
    ItemId reportsItem = {};
};

inline queue::RecipientRow to(const std::string& address, const std::string& notify = "") {
    queue::RecipientRow row;
    row.address = address;
    row.notify = notify;
    return row;
}

class ReportDesk {
  public:
    ReportDesk() : office_(clock_), reporter_(office_.store(), notifier_) {
        setLogLevel(Severity::Error);
        for (const char* name : {"legacy", "home"})
            adapters_[name] = tests::makeAdapter(name == std::string("home") ? "maildir" : "drop", name,
                                                 {{"folder", office_.folder(name)}});
        config_.hostname = "gw.example.org";
        config_.routes = {{"*@legacy.example", "legacy", "", {}}, {"*@home.example", "home", "{local}", {}}};
        configure();
        queue::QueueOptions options;
        options.owner = "us";
        options.tell = [this](store::WriteSession& session, const queue::Fate& fate) -> Result<void> {
            if (failTelling_) return fail(Errc::Internal, "the test says no");
            return reporter_.tell(session, fate);
        };
        queue_ = std::make_unique<queue::Queue>(office_.store(), clock_, options);
    }

    void configure() {
        std::vector<routing::Target> targets;
        for (const auto& [name, adapter] : adapters_) targets.push_back({name, adapter.get()});
        reporter_.use(std::make_shared<const routing::Router>(config_.routes, targets), config_);
    }

    ItemId post(const Mail& mail, const std::string& adapter = "legacy") {
        ItemId id;
        write([&](store::WriteSession& session) -> Result<void> {
            store::NewMessage message;
            message.received = clock_.now();
            message.sender = mail.sender;
            message.source = mail.reportsItem ? "report" : "smtp";
            message.protocol = "ESMTP";
            message.ret = mail.ret;
            message.reportsItem = mail.reportsItem;
            POSTERN_LET(made, store::insertMessage(session, message, mail.header + "\r\n" + mail.text));
            queue::NewItem item;
            item.adapter = adapter;
            item.group = "1";
            item.recipients = mail.recipients;
            item.expires = clock_.now() + Millis(5LL * 24 * 3'600'000);
            POSTERN_LET(ids, queue::enqueue(session, made, std::span(&item, 1), clock_.now()));
            id = ids.front();
            return {};
        });
        return id;
    }

    // Ends the one attempt that is due: those of `failed` (by ordinal) as failed, the others as exported.
    Result<std::vector<ItemId>> end(const std::string& adapter, const std::vector<int>& failed,
                                    const std::string& reason = "no such user") {
        const auto claims = queue_->claim(adapter, 1);
        if (!claims.ok() || claims->size() != 1) return fail(Errc::Internal, "nothing to claim");
        const queue::Claim& claim = claims->front();
        const queue::Queue::Mark mark{claim.item, claim.epoch, "evidence"};
        POSTERN_TRY(queue_->markPublishing({&mark, 1}));
        queue::Settlement settlement;
        settlement.kind = failed.size() == claim.recipients.size() ? queue::Settlement::Kind::Failed
                                                                   : queue::Settlement::Kind::Exported;
        settlement.item = claim.item;
        settlement.epoch = claim.epoch;
        settlement.reason = settlement.kind == queue::Settlement::Kind::Failed ? reason : "";
        for (const queue::RecipientRow& row : claim.recipients) {
            settlement.successAsked =
                settlement.successAsked || row.notify.find("success") != row.notify.npos;
            if (settlement.kind == queue::Settlement::Kind::Failed ||
                std::find(failed.begin(), failed.end(), row.ordinal) == failed.end())
                continue;
            settlement.recipients.push_back(row);
            settlement.recipients.back().outcome = "failed";
            settlement.recipients.back().reason = "no user " + std::to_string(row.ordinal);
            settlement.recipients.back().status = "5.1.1";
        }
        return queue_->settle({&settlement, 1});
    }

    // The items of reports, oldest first.
    std::vector<queue::ItemRow> reports() {
        std::vector<queue::ItemRow> rows;
        read([&](store::ReadSession& session) {
            return queue::listItems(session, {}, [&](const queue::ItemRow& row) {
                if (row.sender.empty()) rows.push_back(row);
                return true;
            });
        });
        return rows;
    }
    std::string bytesOf(const queue::ItemRow& row) {
        std::string bytes;
        read([&](store::ReadSession& session) -> Result<void> {
            POSTERN_LET(source, store::openBody(session, office_.store().folder(), row.message));
            POSTERN_LET(all, readAll(*source, 1 << 24));
            bytes = all;
            return {};
        });
        return bytes;
    }
    static std::vector<std::string> named(const std::string& bytes) {
        std::vector<std::string> names;
        for (const std::string_view line : split(bytes, '\n'))
            if (line.starts_with("Final-Recipient: "))
                names.emplace_back(trim(line.substr(line.find(';') + 1)));
        return names;
    }
    std::string history(ItemId item) {
        std::string text;
        read([&](store::ReadSession& session) -> Result<void> {
            POSTERN_LET(rows, queue::readHistory(session, item));
            for (const queue::HistoryRow& row : rows) text += row.what + ": " + row.detail + "\n";
            return {};
        });
        return text;
    }
    queue::State state(ItemId item) {
        queue::State found{};
        read([&](store::ReadSession& session) -> Result<void> {
            POSTERN_LET(row, queue::readItem(session, item));
            found = row.state;
            return {};
        });
        return found;
    }
    void operate(queue::Verb verb, ItemId item) {
        write([&](store::WriteSession& session) -> Result<void> {
            POSTERN_LET(done, queue::operate(session, verb, std::span(&item, 1), "anna", "because",
                                             clock_.now(), queue_->options().tell));
            EXPECT_TRUE(done.front().done) << done.front().text;
            return {};
        });
    }
    void read(const std::function<Result<void>(store::ReadSession&)>& work) {
        const auto done = office_.store().read(work);
        ASSERT_TRUE(done.ok()) << done.error().text;
    }
    void write(const std::function<Result<void>(store::WriteSession&)>& work) {
        const auto done = office_.store().write(work);
        ASSERT_TRUE(done.ok()) << done.error().text;
    }

    tests::FakeClock clock_;
    store::Notifier notifier_;
    tests::PostOffice office_;
    std::map<std::string, std::shared_ptr<adapters::Adapter>> adapters_;
    config::Config config_;
    Reporter reporter_;
    std::unique_ptr<queue::Queue> queue_;
    bool failTelling_ = false;
};

}  // namespace postern::reports
