// The promises A1 to A5 of adapters/adapter.h where the consumer is a host: its ledger is what counts. What
// is published lies with somebody else, so the evidence of another process can tell nothing: CannotTell.

#include <thread>

#include "adapters/spool/staged_file.h"
#include "base/service_manager.h"
#include "tests/conformance/adapter_cases.h"
#include "tests/kit/starting_line.h"
#include "tests/receiving_host.h"

namespace postern::tests {

using adapters::Found;
using adapters::Job;
using adapters::Verdict;

void PrintTo(const WireCase& which, std::ostream* out) {
    *out << which.label;
}

class WireSuite : public testing::TestWithParam<WireCase> {
  protected:
    WireSuite() {
        ignoreBrokenPipes();
        restart();
    }
    // As after a crash: connections are gone, nothing is remembered.
    void restart() {
        restartWithoutProbe();
        const auto probed = adapter_->probe();
        ASSERT_TRUE(probed.ok()) << probed.error().text;
    }
    void restartWithoutProbe() {
        SettingMap settings = GetParam().settings;
        settings["hosts"] = host_.place();
        settings["tls"] = "none";
        adapter_ = makeKind(GetParam().kind, settings, kRigContext).value();
    }
    void TearDown() override {
        adapter_.reset();
        EXPECT_TRUE(host_.wrongs().empty()) << testing::PrintToString(host_.wrongs());
    }

    Job job(std::int64_t item, std::int64_t epoch, const std::string& message = AdapterRig::kPlain) {
        return jobs_.make(item, epoch, "", message);
    }
    void stage(Job& job) {
        adapter_->stage({&job, 1}, [] {});
    }
    void publish(Job& job) {
        adapter_->publish({&job, 1}, [] {});
    }
    std::size_t mails() const { return host_.taken().size(); }

    ReceivingHost host_;
    std::unique_ptr<adapters::Adapter> adapter_;
    JobMaker jobs_;
};

TEST_P(WireSuite, A1StagingShowsNothingAndPublishingOne) {
    Job one = job(1, 1);
    stage(one);
    ASSERT_FALSE(one.outcome) << outcomeText(one);
    EXPECT_FALSE(one.evidence.empty());
    EXPECT_LE(one.evidence.size(), 1024u);
    EXPECT_EQ(mails(), 0u);
    publish(one);
    EXPECT_EQ(one.outcome->verdict, Verdict::Exported) << outcomeText(one);
    ASSERT_EQ(mails(), 1u);
    EXPECT_EQ(host_.taken()[0].sender, "alice@example.org");
    EXPECT_EQ(host_.taken()[0].to, std::vector<std::string>{"bob@legacy.example"});
    EXPECT_NE(host_.taken()[0].text.find("Hello from the gateway.\r\nLine two.\r\n"), std::string::npos);
}

TEST_P(WireSuite, A2PublishingTwiceSendsOnce) {
    Job first = job(1, 1);
    stage(first);
    Job late = first;
    publish(first);
    publish(late);
    EXPECT_EQ(late.outcome->verdict, Verdict::Exported) << outcomeText(late);
    EXPECT_EQ(mails(), 1u);
}

TEST_P(WireSuite, A2PublishingFromManyThreadsSendsOnce) {
    for (int round = 1; round <= (kOnWindows ? 5 : 20); ++round) {
        Job staged = job(round, 1);
        stage(staged);
        std::vector<Job> copies(8, staged);
        StartingLine start(8);
        {
            std::vector<std::jthread> threads;
            for (Job& copy : copies)
                threads.emplace_back([&] {
                    start.wait();
                    publish(copy);
                });
        }
        int exported = 0;
        for (const Job& copy : copies) {
            if (copy.outcome->verdict == Verdict::Exported) ++exported;
            EXPECT_TRUE(copy.outcome->verdict == Verdict::Exported ||
                        copy.outcome->verdict == Verdict::Unknown)
                << outcomeText(copy);
        }
        EXPECT_GE(exported, 1);
        ASSERT_EQ(mails(), static_cast<std::size_t>(round));
    }
}

TEST_P(WireSuite, A3RecoveredBeforePublishingIsNeverPublished) {
    Job one = job(1, 1);
    stage(one);
    EXPECT_EQ(adapter_->recover(one.delivery.key, one.evidence).found, Found::NotPublished);
    publish(one);  // the late worker
    EXPECT_NE(one.outcome->verdict, Verdict::Exported) << outcomeText(one);
    EXPECT_EQ(adapter_->recover(one.delivery.key, one.evidence).found, Found::NotPublished);
    EXPECT_EQ(mails(), 0u);
}

TEST_P(WireSuite, A3WhoSawTheAnswerKnowsAndAnotherProcessCanNotTell) {
    Job one = job(1, 1);
    stage(one);
    publish(one);
    EXPECT_EQ(adapter_->recover(one.delivery.key, one.evidence).found, Found::Published);
    restart();
    const auto seen = adapter_->recover(one.delivery.key, one.evidence);
    EXPECT_EQ(seen.found, Found::CannotTell);
    EXPECT_FALSE(seen.unusable);
    EXPECT_NE(seen.text.find(host_.place() + " may have it"), std::string::npos) << seen.text;
}

TEST_P(WireSuite, A3RecoveryAndPublishingAtOnceAgree) {
    std::size_t sent = 0;
    for (int round = 1; round <= (kOnWindows ? 5 : 100); ++round) {
        Job one = job(round, 1);
        stage(one);
        adapters::Recovery seen;
        StartingLine start(2);
        {
            const std::jthread worker([&] {
                start.wait();
                publish(one);
            });
            const std::jthread recovery([&] {
                start.wait();
                seen = adapter_->recover(one.delivery.key, one.evidence);
            });
        }
        if (one.outcome->verdict == Verdict::Exported) ++sent;
        ASSERT_EQ(mails(), sent) << seen.text << outcomeText(one);
        ASSERT_TRUE(seen.found != Found::Published || one.outcome->verdict == Verdict::Exported);
        ASSERT_EQ(seen.found == Found::NotPublished, one.outcome->verdict != Verdict::Exported) << seen.text;
    }
}

TEST_P(WireSuite, StagingAgainUnderAnotherEpochSendsTheOneThatIsPublished) {
    Job first = job(7, 1), second = job(7, 2);
    stage(first);
    stage(second);
    publish(second);
    adapter_->abandon(first);
    publish(first);
    EXPECT_EQ(second.outcome->verdict, Verdict::Exported) << outcomeText(second);
    EXPECT_NE(first.outcome->verdict, Verdict::Exported) << outcomeText(first);
    EXPECT_EQ(mails(), 1u);
}

TEST_P(WireSuite, SweepingDropsWhatIsOverAndNothingElse) {
    Job over = job(1, 1), waiting = job(2, 1);
    stage(over);
    stage(waiting);
    const auto isOver = [](const adapters::DeliveryKey& key) { return key.item.value == 1; };
    EXPECT_EQ(adapter_->sweep(isOver).value(), 1);
    EXPECT_EQ(adapter_->sweep(isOver).value(), 0);
    publish(over);
    publish(waiting);
    EXPECT_NE(over.outcome->verdict, Verdict::Exported);
    EXPECT_EQ(waiting.outcome->verdict, Verdict::Exported) << outcomeText(waiting);
    EXPECT_EQ(mails(), 1u);
}

TEST_P(WireSuite, A5OneThatCanNotBeSentStopsNoOther) {
    std::vector<Job> jobs;
    for (int item = 1; item <= 5; ++item) jobs.push_back(job(item, 1));
    jobs[1].delivery.recipients[0].address = "a>\r\nRCPT TO:<evil@x";
    jobs[1].delivery.recipients[0].legacy = "";
    jobs[3].delivery.sender = std::string("a\0b@x", 5);
    int beats = 0;
    adapter_->stage(jobs, [&] { ++beats; });
    std::vector<Job> staged;
    for (const Job& each : jobs)
        if (!each.outcome) staged.push_back(each);
    adapter_->publish(staged, [&] { ++beats; });
    EXPECT_EQ(jobs[1].outcome->verdict, Verdict::Rejected) << outcomeText(jobs[1]);
    EXPECT_EQ(jobs[3].outcome->verdict, Verdict::Rejected) << outcomeText(jobs[3]);
    ASSERT_EQ(staged.size(), 3u);
    for (const Job& each : staged) EXPECT_EQ(each.outcome->verdict, Verdict::Exported) << outcomeText(each);
    EXPECT_EQ(mails(), 3u);
    EXPECT_GE(beats, 8);
}

// What could end its line or its brackets is refused; what quotes make safe is said as it is.
TEST_P(WireSuite, HostileNamesAreRefusedOrSentAsTheyAre) {
    const std::vector<std::string> hostile = {
        "a@x>\r\nRCPT TO:<evil@x.example",
        "a\r\nDATA\r\n@x.example",
        "a\n@x.example",
        "a\r@x.example",
        std::string("a\0b@x.example", 13),
        "\xff\xfe@x.example",
        "b\xc3\xbcro@x.example",  // the host does not take it
        "a b@x.example",
        "a@x.example> SIZE=1 <b",
        "<a@x.example",
        "\"a@x.example",
        "\"a\\\"@x.example",
        "\x1b[2J@x.example",
        "\x7f@x.example",
        "\"a\tb\"@x.example",
        std::string(300, 'x') + "@x.example",
    };
    int item = 0;
    for (const std::string& name : hostile) {
        for (const char* where : {"address", "legacy", "sender"}) {
            Job one = job(++item, 1);
            adapters::Recipient& to = one.delivery.recipients[0];
            (std::string(where) == "address"  ? to.address
             : std::string(where) == "legacy" ? to.legacy
                                              : one.delivery.sender) = name;
            stage(one);
            if (!one.outcome) publish(one);
            ASSERT_TRUE(one.outcome) << where << " " << testing::PrintToString(name);
            EXPECT_EQ(one.outcome->verdict, Verdict::Rejected)
                << where << " " << testing::PrintToString(name);
            EXPECT_EQ(one.outcome->reason.find_first_of("\r\n\x1b"), std::string::npos)
                << one.outcome->reason;
            ASSERT_EQ(mails(), 0u) << where << " " << testing::PrintToString(name);
        }
    }
    const std::vector<std::string> odd = {"\"bob jones\"@x.example", "\"<evil@x.example>\"@x.example",
                                          "\"a\\\"> b\"@x.example",  "-rf@x.example",
                                          "o'hara@x.example",        "%2e%2e@x.example",
                                          "a@[192.0.2.1]",           "../../etc/passwd@x.example"};
    for (const std::string& name : odd) {
        Job one = job(++item, 1);
        one.delivery.recipients[0].address = one.delivery.sender = name;
        stage(one);
        if (!one.outcome) publish(one);
        ASSERT_EQ(one.outcome->verdict, Verdict::Exported) << name << outcomeText(one);
        EXPECT_EQ(host_.taken().back().to, std::vector<std::string>{name});
        EXPECT_EQ(host_.taken().back().sender, name);
    }
    EXPECT_EQ(mails(), odd.size());
}

TEST_P(WireSuite, DamagedEvidenceIsNeverBelieved) {
    Job one = job(1, 1);
    stage(one);
    for (const std::string& text : {std::string(), std::string("x"), one.evidence.substr(0, 9),
                                    one.evidence + "\tmore", std::string(2000, '\t')})
        EXPECT_EQ(adapter_->recover(one.delivery.key, text).found, Found::CannotTell) << text;
    EXPECT_EQ(adapter_->recover({ItemId{1}, Epoch{2}}, one.evidence).found, Found::CannotTell);
    publish(one);
    EXPECT_EQ(one.outcome->verdict, Verdict::Exported) << "asked with damaged evidence, it was not withdrawn";
}

TEST_P(WireSuite, ALargeMailArrivesWhole) {
    std::string text = AdapterRig::kPlain;
    while (text.size() < (std::size_t{5} << 20)) text += ".a line that begins with a dot\r\n";
    Job one = job(1, 1, text);
    stage(one);
    ASSERT_FALSE(one.outcome) << outcomeText(one);
    publish(one);
    ASSERT_EQ(mails(), 1u);
    const std::string got = host_.taken()[0].text;
    EXPECT_EQ(got.substr(got.find("\r\n\r\n")), text.substr(text.find("\r\n\r\n")));
}

// What `postern convert` shows is what goes over the wire, to a host that offers what this one does.
TEST_P(WireSuite, ConvertShowsWhatIsSent) {
    SettingMap settings = GetParam().settings;
    settings["hosts"] = host_.place();
    settings["tls"] = "none";
    std::string& ignored = settings["ignore"];
    ignored += std::string(ignored.empty() ? "" : "\n") + "SMTPUTF8";
    const auto shown = makeKind(GetParam().kind, settings, kRigContext).value();
    const TempFolder folder;
    int item = 0;
    for (const std::string& text :
         {std::string(AdapterRig::kPlain), AdapterRig::kPlain + std::string(3'000, 'x') + "\r\n.\r\n",
          AdapterRig::kPlain + "Gr\xc3\xbc\xc3\x9f\x65\r\n"}) {
        Job one = job(++item, 1, text), same = one;
        stage(one);
        ASSERT_FALSE(one.outcome) << outcomeText(one);
        publish(one);
        ASSERT_EQ(mails(), static_cast<std::size_t>(item));
        std::string buffer;
        const std::function<void()> beat = [] {};
        adapters::StagedFile file(Folder::open(folder.path())->create(std::to_string(item)).value(), buffer,
                                  beat);
        const auto refused = shown->convert(same, file);
        ASSERT_TRUE(refused.ok() && !*refused);
        ASSERT_TRUE(file.flush().ok());
        EXPECT_EQ(slurp(folder / std::to_string(item)), host_.taken().back().text) << item;
        EXPECT_EQ(same.notes, one.notes);
    }
}

TEST_P(WireSuite, AHostThatIsGoneIsNoVerdictOnMail) {
    host_.leave();
    restartWithoutProbe();
    const auto probed = adapter_->probe();
    ASSERT_FALSE(probed.ok());
    EXPECT_NE(probed.error().text.find(host_.place()), std::string::npos) << probed.error().text;
    Job one = job(1, 1);
    stage(one);
    EXPECT_TRUE(one.outcome && one.outcome->adapterUnusable) << outcomeText(one);
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(WireSuite);  // when a stranger's kind is asked about
INSTANTIATE_TEST_SUITE_P(Kinds, WireSuite, testing::ValuesIn(wireCases()),
                         [](const auto& which) { return std::string(which.param.label); });

}  // namespace postern::tests
