#pragma once
// A store with accounts, and a site over it, without sockets.

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "base/digest.h"
#include "connector/http/operator_site.h"
#include "queue/queue.h"
#include "store/messages.h"
#include "tests/fake_clock.h"
#include "tests/temp_folder.h"

namespace postern::http {

class SiteRig {
  public:
    explicit SiteRig(SiteOptions options = {}) {
        store::StoreOptions wanted;
        wanted.folder = folder_.path();
        wanted.migrations = store::messageMigrations();
        for (const store::Migration& each : queue::queueMigrations()) wanted.migrations.push_back(each);
        store_ = store::Store::open(std::move(wanted)).value();
        acceptor_ = std::make_unique<intake::Acceptor>(*store_, notifier_, clock_, disk::Limits{});
        directory_ = std::make_unique<accounts::Directory>(accounts::Directory::open(*store_).value());
        logins_ = std::make_unique<Logins>(*directory_, clock_);
        site_ = std::make_unique<OperatorSite>(
            std::move(options), [this] { return view(); }, *logins_);
    }

    void addAccount(const std::string& name, const std::string& password, const std::string& roles) {
        accounts::Account account;
        account.name = name;
        account.verifier = accounts::makeVerifier(password).value();
        account.roles = accounts::parseRoles(roles).value();
        const auto added = store_->write(
            [&](store::WriteSession& session) { return accounts::addAccount(session, account); });
        EXPECT_TRUE(added.ok()) << added.error().text;
    }
    void removeAccount(const std::string& name) {
        EXPECT_TRUE(
            store_
                ->write([&](store::WriteSession& session) { return accounts::removeAccount(session, name); })
                .ok());
    }

    HttpAnswer get(const std::string& path, std::map<std::string, std::string> headers = {},
                   std::map<std::string, std::string> query = {}) {
        return ask("GET", path, std::move(headers), "", std::move(query));
    }
    HttpAnswer post(const std::string& path, const std::string& body,
                    std::map<std::string, std::string> headers = {}) {
        headers.emplace("content-type", "application/json");
        return ask("POST", path, std::move(headers), body);
    }
    HttpAnswer ask(const std::string& method, const std::string& path,
                   std::map<std::string, std::string> headers, const std::string& body = "",
                   std::map<std::string, std::string> query = {}) {
        HttpRequest request;
        request.method = method;
        request.path = path;
        request.query = std::move(query);
        request.headers = std::move(headers);
        request.headers.emplace("host", "127.0.0.1:8025");
        request.body = body;
        request.peer = "127.0.0.1";
        return site_->answer(request);
    }
    static std::map<std::string, std::string> basic(const std::string& name, const std::string& password) {
        return {{"authorization", "Basic " + base64Encode(name + ":" + password)}};
    }

    admin::ServiceView view() {
        return {*store_,
                notifier_,
                clock_,
                *acceptor_,
                [this] { return config_; },
                [](const std::string&) { return nullptr; },
                {},
                {},
                {},
                {},
                &feed_};
    }
    Logins& logins() { return *logins_; }
    OperatorSite& site() { return *site_; }
    tests::FakeClock& clock() { return clock_; }
    admin::Feed& feed() { return feed_; }

  private:
    tests::TempFolder folder_;
    tests::FakeClock clock_;
    store::Notifier notifier_;
    admin::Feed feed_;
    std::shared_ptr<const config::Config> config_ = std::make_shared<const config::Config>();
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<intake::Acceptor> acceptor_;
    std::unique_ptr<accounts::Directory> directory_;
    std::unique_ptr<Logins> logins_;
    std::unique_ptr<OperatorSite> site_;
};

}  // namespace postern::http
