// What a webhook adapter sends, and what it makes of answers.

#include <gtest/gtest.h>

#include "adapters/spool/staged_file.h"
#include "adapters/webhook/webhook_settings.h"
#include "base/digest.h"
#include "base/service_manager.h"
#include "tests/adapter_rig.h"
#include "tests/hook_receiver.h"

namespace postern::adapters {
namespace {

using tests::HookReceiver;

const std::string kBody = "{\"type\":\"item.failed\"}\r\n";
const std::string kMail = "Subject: item.failed\r\nContent-Type: application/json\r\n\r\n" + kBody;

class WebhookTest : public testing::Test {
  protected:
    WebhookTest() {
        ignoreBrokenPipes();
        tests::spill(temp_ / "secret", "whsec_" + base64Encode("key of the test") + "\n");
    }
    std::unique_ptr<Adapter> adapter(const std::string& url, tests::SettingMap more = {}) {
        tests::SettingMap settings = {
            {"url", url}, {"events", "item.failed"}, {"secret_file", temp_ / "secret"}};
        for (const auto& [key, value] : more) settings[key] = value;
        auto made = tests::makeKind("webhook", settings, tests::kRigContext);
        EXPECT_TRUE(made.ok()) << made.error().text;
        return made.ok() ? std::move(*made) : nullptr;
    }
    Result<std::unique_ptr<Adapter>> tryMake(tests::SettingMap more) {
        tests::SettingMap settings = {
            {"url", "https://h.example/"}, {"events", "item.failed"}, {"secret_file", "/s"}};
        for (const auto& [key, value] : more) settings[key] = value;
        return tests::makeKind("webhook", settings, tests::kRigContext);
    }
    Job deliver(Adapter& adapter, std::int64_t item = 7, const std::string& mail = kMail) {
        Job job = jobs_.make(item, 1, "", mail);
        adapter.stage({&job, 1}, [] {});
        if (!job.outcome) adapter.publish({&job, 1}, [] {});
        return job;
    }
    tests::TempFolder temp_;
    tests::JobMaker jobs_;
};

TEST_F(WebhookTest, SendsTheDocumentSignedUnderAnIdThatStays) {
    HookReceiver host;
    const auto hook = adapter(host.url("/in?key=1"));
    ASSERT_TRUE(hook->probe().ok());
    const Job job = deliver(*hook);
    ASSERT_EQ(job.outcome->verdict, Verdict::Exported) << tests::outcomeText(job);
    EXPECT_NE(job.outcome->target.find("msg_abcdefgh12345678_7: HTTP/1.1 200 OK"), std::string::npos)
        << job.outcome->target;
    deliver(*adapter(host.url()), 7);
    const auto taken = host.taken();
    ASSERT_EQ(taken.size(), 2u);
    EXPECT_EQ(taken[0].line, "POST /in?key=1 HTTP/1.1");
    EXPECT_EQ(taken[0].body, kBody);
    EXPECT_EQ(taken[0].fields.at("content-type"), "application/json");
    EXPECT_EQ(taken[0].fields.at("webhook-id"), "msg_abcdefgh12345678_7");
    EXPECT_EQ(taken[1].fields.at("webhook-id"), "msg_abcdefgh12345678_7") << "another process, the same item";
    EXPECT_EQ(taken[0].fields.count("authorization"), 0u);
    const std::string signedText =
        "msg_abcdefgh12345678_7." + taken[0].fields.at("webhook-timestamp") + "." + kBody;
    EXPECT_EQ(taken[0].fields.at("webhook-signature"),
              "v1," + base64Encode(hmacSha256("key of the test", signedText)));
}

TEST_F(WebhookTest, ASecretOfAnyTextAndAnAuthorizationAreRead) {
    HookReceiver host;
    tests::spill(temp_ / "secret", "just words");
    tests::spill(temp_ / "token", "Bearer abc\n");
    const auto hook = adapter(host.url(), {{"authorization_file", temp_ / "token"}});
    deliver(*hook);
    const auto taken = host.taken();
    ASSERT_EQ(taken.size(), 1u);
    EXPECT_EQ(taken[0].fields.at("authorization"), "Bearer abc");
    const std::string signedText =
        taken[0].fields.at("webhook-id") + "." + taken[0].fields.at("webhook-timestamp") + "." + kBody;
    EXPECT_EQ(taken[0].fields.at("webhook-signature"),
              "v1," + base64Encode(hmacSha256("just words", signedText)));
}

TEST_F(WebhookTest, AnswersAreJudgedAndToldWhole) {
    const struct {
        const char* status;
        Verdict verdict;
        bool unusable = false;
    } cases[] = {
        {"200 OK", Verdict::Exported},
        {"204 No Content", Verdict::Exported},
        {"301 Moved", Verdict::Deferred, true},
        {"307 Elsewhere", Verdict::Deferred, true},
        {"400 Bad Request", Verdict::Rejected},
        {"401 Who", Verdict::Deferred, true},
        {"403 Not you", Verdict::Deferred, true},
        {"404 Not here", Verdict::Deferred, true},
        {"405 Not so", Verdict::Deferred, true},
        {"407 Who, says the proxy", Verdict::Deferred, true},
        {"408 Slow", Verdict::Deferred},
        {"410 Gone", Verdict::Deferred, true},
        {"413 Too large", Verdict::Rejected},
        {"422 Odd", Verdict::Rejected},
        {"425 Early", Verdict::Deferred},
        {"429 Too Many", Verdict::Deferred},
        {"500 Oops", Verdict::Deferred},
        {"503 Busy", Verdict::Deferred},
    };
    for (const auto& each : cases) {
        HookReceiver host([&](int) {
            return HookReceiver::answer(each.status, "because \x1b[31mof\nthat", "Location: /other\r\n");
        });
        const auto hook = adapter(host.url());
        const Job job = deliver(*hook);
        ASSERT_TRUE(job.outcome);
        EXPECT_EQ(job.outcome->verdict, each.verdict) << each.status << ": " << tests::outcomeText(job);
        EXPECT_EQ(job.outcome->adapterUnusable, each.unusable) << each.status;
        EXPECT_EQ(host.taken().size(), 1u) << "a redirect is not followed";
        if (each.verdict == Verdict::Exported) continue;
        const std::string& reason = job.outcome->reason;
        EXPECT_NE(reason.find("POST to "), std::string::npos) << reason;
        EXPECT_NE(reason.find("webhook-id msg_abcdefgh12345678_7: HTTP/1.1 " + std::string(each.status) +
                              ": because \\x1b[31mof\\x0athat"),
                  std::string::npos)
            << reason;
    }
}

TEST_F(WebhookTest, ALostAnswerLeavesADoubtAndAClosedDoorNone) {
    HookReceiver silent([](int) { return std::string(); });
    const auto hook = adapter(silent.url());
    const Job job = deliver(*hook);
    EXPECT_EQ(job.outcome->verdict, Verdict::Unknown) << tests::outcomeText(job);
    const Recovery seen = hook->recover(job.delivery.key, job.evidence);
    EXPECT_EQ(seen.found, Found::CannotTell);
    EXPECT_NE(seen.text.find("Look there for the webhook-id msg_abcdefgh12345678_7"), std::string::npos)
        << seen.text;
    silent.leave();
    const Job later = deliver(*hook, 8);
    EXPECT_EQ(later.outcome->verdict, Verdict::Deferred);
    EXPECT_TRUE(later.outcome->adapterUnusable) << tests::outcomeText(later);
    EXPECT_FALSE(hook->probe().ok());
}

TEST_F(WebhookTest, ARetryAfterStopsAllForThatLong) {
    HookReceiver host([](int) { return HookReceiver::answer("429 Slow down", "", "Retry-After: 600\r\n"); });
    const auto hook = adapter(host.url());
    ASSERT_TRUE(hook->probe().ok());
    EXPECT_FALSE(deliver(*hook, 7).outcome->adapterUnusable);
    const Job next = deliver(*hook, 8);
    EXPECT_TRUE(next.outcome->adapterUnusable) << tests::outcomeText(next);
    EXPECT_NE(next.outcome->reason.find("asked for no more requests until"), std::string::npos);
    EXPECT_FALSE(hook->probe().ok());
    EXPECT_EQ(host.taken().size(), 1u);
}

TEST_F(WebhookTest, MailIsRefused) {
    HookReceiver host;
    const auto hook = adapter(host.url());
    EXPECT_TRUE(hook->refuses({1, "bob@corp.example", ""}));
    const Job job = deliver(*hook, 7, tests::AdapterRig::kPlain);
    EXPECT_EQ(job.outcome->verdict, Verdict::Rejected) << tests::outcomeText(job);
    EXPECT_TRUE(host.taken().empty());
}

TEST_F(WebhookTest, AMissingSecretStopsTheAdapterAndNoMail) {
    HookReceiver host;
    std::filesystem::remove(temp_ / "secret");
    const auto hook = adapter(host.url());
    const auto probed = hook->probe();
    ASSERT_FALSE(probed.ok());
    EXPECT_NE(probed.error().text.find("secret"), std::string::npos) << probed.error().text;
    const Job job = deliver(*hook);
    EXPECT_TRUE(job.outcome->adapterUnusable) << tests::outcomeText(job);
    EXPECT_TRUE(host.taken().empty());
}

// Otherwise the text itself were the key, and no receiver would ever verify.
TEST_F(WebhookTest, ASecretThatIsNoKeyStopsTheAdapterAndNoMail) {
    for (const char* secret : {"whsec_", "whsec_ \n", "whsec_not*base64\n"}) {
        HookReceiver host;
        const auto hook = adapter(host.url());
        ASSERT_TRUE(hook->probe().ok());
        tests::spill(temp_ / "secret", secret);
        const auto probed = hook->probe();
        ASSERT_FALSE(probed.ok()) << secret;
        EXPECT_NE(probed.error().text.find("whsec_"), std::string::npos) << probed.error().text;
        const Job job = deliver(*hook);
        EXPECT_TRUE(job.outcome->adapterUnusable) << secret << tests::outcomeText(job);
        EXPECT_EQ(job.outcome->verdict, Verdict::Deferred);
        EXPECT_TRUE(host.taken().empty()) << secret;
        tests::spill(temp_ / "secret", "whsec_" + base64Encode("key of the test") + "\n");
    }
}

TEST_F(WebhookTest, ConvertingGivesTheDocument) {
    const auto hook = adapter("https://hooks.example/");
    Job job = jobs_.make(7, 1, "", kMail);
    std::string buffer;
    const std::function<void()> beat = [] {};
    StagedFile file(Folder::open(temp_.path())->create("out").value(), buffer, beat);
    const auto outcome = hook->convert(job, file);
    ASSERT_TRUE(outcome.ok());
    EXPECT_FALSE(*outcome);
    ASSERT_TRUE(file.flush().ok());
    EXPECT_EQ(tests::slurp(temp_ / "out"), kBody);
}

TEST_F(WebhookTest, SettingsThatCanNotWorkAreToldByTheirKey) {
    const struct {
        tests::SettingMap settings;
        const char* begins;
    } cases[] = {
        {{{"url", "https://anna:pw@h.example/"}}, "url: "},
        {{{"events", ""}}, "events: "},
        {{{"events", "item.gone"}}, "events: there is no event \"item.gone\", only item.queued"},
        {{{"secret_file", ""}}, "secret_file: "},
        {{{"fingerprint", "12"}}, "fingerprint: "},
        {{{"url", "http://h.example/"}, {"ca_file", "/ca.pem"}}, "ca_file: "},
    };
    for (const auto& each : cases) {
        const auto made = tryMake(each.settings);
        ASSERT_FALSE(made.ok()) << each.begins;
        EXPECT_TRUE(made.error().text.starts_with(each.begins)) << made.error().text;
        EXPECT_EQ(made.error().text.find("pw"), std::string::npos);
    }
    const auto made = tryMake({{"url", "https://h.example:8443/secret/path?token=x"}});
    ASSERT_TRUE(made.ok());
    EXPECT_NE((*made)->describe().find("https://h.example:8443 of"), std::string::npos)
        << (*made)->describe();
}

}  // namespace
}  // namespace postern::adapters
