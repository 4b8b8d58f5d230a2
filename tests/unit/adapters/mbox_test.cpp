// Mailbox files: the exact bytes, the locks, and what becomes of an addition that was cut off.

#include <gtest/gtest.h>

#include "adapters/mailbox/mbox_journal.h"
#include "adapters/mailbox/mbox_lines.h"
#include "base/folder_access.h"
#include "base/owners_rights.h"
#include "base/path.h"
#include "base/peer.h"
#include "tests/adapter_rig.h"
#include "tests/kit/modes.h"
#include "tests/kit/odd_files.h"

namespace postern::adapters {

namespace fs = std::filesystem;
using tests::AdapterRig;
using tests::outcomeText;
using tests::slurp;
using tests::spill;

namespace {

const tests::SettingMap kQuick = {{"lock_wait", "40ms"}};

std::string lines(const std::vector<std::string>& pieces, std::vector<std::string>* leftOut = nullptr) {
    std::string out;
    MboxLines writer([&](std::string_view bytes) -> Result<void> {
        out += bytes;
        return {};
    });
    for (const std::string& piece : pieces) EXPECT_TRUE(writer.feed(piece).ok());
    EXPECT_TRUE(writer.end().ok());
    if (leftOut != nullptr) *leftOut = writer.leftOut();
    return out;
}

// Each byte by itself: no cut may change what is written.
std::string bytewise(const std::string& text) {
    std::vector<std::string> pieces;
    for (const char c : text) pieces.emplace_back(1, c);
    return lines(pieces);
}

std::string inbox(const AdapterRig& rig) {
    return rig.folder() + "/inbox";
}

// A lock as another program has it: through a handle of its own.
class ReadersLock {
  public:
    explicit ReadersLock(const std::string& path) : file_(File::openAppend(path).value()) {
        EXPECT_TRUE(file_.tryLock().valueOr(false));
    }

  private:
    File file_;
};

// Of an addition to the empty mailbox there.
Journal journalFor(const std::string& mailbox) {
    const FileFacts facts = File::openRead(mailbox)->facts().value();
    return {std::string(lastName(mailbox)), facts.volume, facts.number, 0, 0, {}, 0};
}

// A worker that died inside an addition: staged files, a journal, so many bytes in the mailbox.
struct CutOff {
    explicit CutOff(AdapterRig& rig, int mails = 1) {
        spill(inbox(rig), "");
        for (int item = 1; item <= mails; ++item) jobs.push_back(rig.job(item, 1));
        rig.adapter().stage(jobs, [] {});
        Journal journal = journalFor(inbox(rig));
        for (const Job& job : jobs) {
            const std::string name = std::to_string(job.delivery.key.item.value) + ".1";
            const std::string staged = slurp(rig.stage() + "/" + name);
            journal.entries.push_back({name, static_cast<std::int64_t>(staged.size())});
            bytes += staged;
        }
        writeJournal(rig, journal);
        spill(inbox(rig) + ".lock", "postern " + tests::kRigContext.storeId + " legacy 1\n");
    }
    void writeJournal(const AdapterRig& rig, const Journal& journal) {
        spill(rig.stage() + "/" + journalName("inbox"), journal.text());
        written = journal;
    }
    // As if it was written long after the last change of the mailbox.
    void noteTouch(const AdapterRig& rig) {
        written.touched = File::openRead(inbox(rig))->touchedNanos().value();
        writeJournal(rig, written);
    }
    Journal written;
    std::vector<Job> jobs;
    std::string bytes;
};

}  // namespace

TEST(MboxLines, QuotesEveryLevelWhereverTheMessageIsCut) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"S: x\r\n\r\nFrom a\r\n>From b\r\n>>From c\r\n From d\r\nFrom: e\r\nFro",  // unended last line
         "S: x\n\n>From a\n>>From b\n>>>From c\n From d\nFrom: e\nFro\n\n"},
        {"From x\r\nS: y\r\n\r\n", ">From x\nS: y\n\n\n"},
        {"", "\n"},
        {"\r\nFrom ", "\n>From \n\n"},
        {"\r\n>>>", "\n>>>\n\n"},
        {"\r\na\rFrom b\r", "\na\rFrom b\r\n\n"},
        {"\r\na\nFrom b\n", "\na\n>From b\n\n"},
        {"\r\n\r\r\n", "\n\r\n\n"},
    };
    for (const auto& [message, wanted] : cases) {
        EXPECT_EQ(lines({message}), wanted) << testing::PrintToString(message);
        EXPECT_EQ(bytewise(message), wanted) << testing::PrintToString(message);
    }
    const std::string many(100'000, '>');
    EXPECT_EQ(lines({"\r\n" + many + "From x\r\n"}), "\n>" + many + "From x\n\n");
}

// A stranger's Status would make a mail look read, a stranger's Content-Length would swallow the next one.
TEST(MboxLines, ReadersOwnFieldsAreLeftOutOfTheHeaderOnly) {
    std::vector<std::string> leftOut;
    EXPECT_EQ(lines({"Content-length: 5\r\nSubject: x\r\nSTATUS: RO\r\n folded\r\nX-UID : "
                     "7\r\nContent-Lengthy: 1\r\n\r\n"
                     "Status: in the text\r\n"},
                    &leftOut),
              "Subject: x\nContent-Lengthy: 1\n\nStatus: in the text\n\n");
    EXPECT_EQ(leftOut, (std::vector<std::string>{"Content-Length", "Status", "X-UID"}));
}

TEST(MboxLines, FromLineIsAsctimeInUtc) {
    EXPECT_EQ(fromLine("alice@example.org", fromMillis(1'700'000'000'000)),
              "From alice@example.org Tue Nov 14 22:13:20 2023\n");
    EXPECT_EQ(fromLine("", fromMillis(1'704'067'200'000)), "From MAILER-DAEMON Mon Jan  1 00:00:00 2024\n");
    EXPECT_EQ(fromLine("\"a b\"\n@x", fromMillis(0)), "From \"a_b\"_@x Thu Jan  1 00:00:00 1970\n");
}

TEST(MboxLines, FromLineIsAscii) {
    const auto lineOf = [](std::string_view sender) {
        const std::string line = fromLine(sender, fromMillis(0));
        EXPECT_TRUE(line.ends_with(" Thu Jan  1 00:00:00 1970\n")) << line;
        return line.substr(5, line.size() - 5 - 26);
    };
    EXPECT_EQ(lineOf("zo\xc3\xab+x=\\@ex\xe4\xbe\x8b.org"),
              "zo\\x{EB}\\x{2B}x\\x{3D}\\x{5C}@ex\\x{4F8B}.org");
    EXPECT_EQ(lineOf("\xf0\x9f\x8e\x88@x"), "\\x{1F388}@x");
    EXPECT_EQ(lineOf("\xff@x"), "\\x{FFFD}@x");
    EXPECT_EQ(lineOf("a+b=c@x"), "a+b=c@x");
}

TEST(Mbox, WritesTheWholeEntry) {
    AdapterRig rig("mbox", {});
    Job job = rig.job(1, 1, "Subject: x\r\nStatus: RO\r\n\r\nFrom here\r\nno end");
    job = rig.exportJob(std::move(job));
    EXPECT_EQ(slurp(inbox(rig)),
              "From alice@example.org Tue Nov 14 22:13:20 2023\nReturn-Path: <alice@example.org>\n"
              "Delivered-To: bob@legacy.example\nSubject: x\n\n>From here\nno end\n\n")
        << outcomeText(job);
    ASSERT_EQ(job.notes.size(), 1u);
    EXPECT_NE(job.notes[0].find("Status"), std::string::npos);
    EXPECT_FALSE(fs::exists(inbox(rig) + ".lock"));
}

TEST(Mbox, WhatIsThereStaysAndIsEndedFirst) {
    for (const char* before :
         {"From a Mon Jan  1 00:00:00 2024\nS: 1\n\nx\n\n", "From a Mon Jan  1 00:00:00 2024\nS: 1\n\nx\n",
          "From a Mon Jan  1 00:00:00 2024\nS: 1\n\nx"}) {
        AdapterRig rig("mbox", {});
        spill(inbox(rig), before);
        rig.exportJob(rig.job(1, 1));
        EXPECT_TRUE(slurp(inbox(rig)).starts_with(before));
        EXPECT_EQ(rig.visible(), (std::vector<std::string>{"inbox#1", "inbox#2"})) << slurp(inbox(rig));
    }
}

TEST(Mbox, MadeWithModeAndOwner) {
    SKIP_ON_WINDOWS("no permission bits");
    if (!isAdministrator()) GTEST_SKIP() << "only root can give files away";
    AdapterRig rig("mbox", {{"file_mode", "0600"}, {"file_owner", "12345:54321"}});
    rig.exportJob(rig.job(1, 1));
    EXPECT_EQ(tests::modeOf(inbox(rig)), 0600u);
    EXPECT_EQ(fileOwner(inbox(rig)).valueOr(""), nameOfUser(12345));
    EXPECT_EQ(fileGroup(File::openRead(inbox(rig)).value()).valueOr(0), 54321u);
}

TEST(Mbox, TheModeIsWhatWasSaid) {
    SKIP_ON_WINDOWS("no permission bits");
    const tests::Umask narrow(077);
    AdapterRig rig("mbox", {{"file_mode", "0664"}});
    rig.exportJob(rig.job(1, 1));
    EXPECT_EQ(tests::modeOf(inbox(rig)), 0664u);
}

TEST(Mbox, LinksPipesAndFoldersAreNotWrittenTo) {
    for (const std::string what : {"symlink", "hard link", "pipe", "folder"}) {
        AdapterRig rig("mbox", {{"layout", "per-recipient"}});
        const std::string box = rig.folder() + "/bob", other = rig.temp() + "/other";
        spill(other, "precious\n");
        if (what == "symlink" && !tests::makeLink(other, box)) continue;
        if (what == "hard link") fs::create_hard_link(other, box);
        if (what == "pipe" && !tests::makePipe(box)) continue;
        if (what == "folder") fs::create_directory(box);
        const Job job = rig.exportJob(rig.job(1, 1));
        EXPECT_EQ(job.outcome->verdict, Verdict::Deferred) << what << outcomeText(job);
        EXPECT_FALSE(job.outcome->adapterUnusable) << what;
        EXPECT_EQ(slurp(other), "precious\n") << what;
        EXPECT_FALSE(fs::exists(box + ".lock")) << what;
    }
    AdapterRig single("mbox", {});
    if (!tests::makeLink(single.temp() + "/other", inbox(single))) return;
    EXPECT_FALSE(single.adapter().probe().ok());
}

TEST(Mbox, ALockedMailboxDefersItsOwnMailOnly) {
    tests::SettingMap settings = kQuick;
    settings["layout"] = "per-recipient";
    for (const bool dotlock : {true, false}) {
        AdapterRig rig("mbox", settings);
        spill(rig.folder() + "/bob", "");
        std::optional<ReadersLock> lock;
        if (dotlock)
            spill(rig.folder() + "/bob.lock", "4711");
        else
            lock.emplace(rig.folder() + "/bob");
        std::vector<Job> jobs = {rig.job(1, 1), rig.job(2, 1)};
        jobs[1].delivery.recipients[0].legacy = "carol";
        rig.adapter().stage(jobs, [] {});
        int beats = 0;
        rig.adapter().publish(jobs, [&] { ++beats; });
        EXPECT_EQ(jobs[0].outcome->verdict, Verdict::Deferred) << outcomeText(jobs[0]);
        EXPECT_EQ(jobs[0].outcome->cause, Cause::Busy);
        EXPECT_NE(jobs[0].outcome->reason.find("locked by its reader"), std::string::npos)
            << outcomeText(jobs[0]);
        EXPECT_EQ(jobs[1].outcome->verdict, Verdict::Exported) << outcomeText(jobs[1]);
        EXPECT_GT(beats, 3) << "the lease is kept while waiting";
        lock.reset();
        fs::remove(rig.folder() + "/bob.lock");
        Job late = jobs[0];
        late.outcome.reset();
        rig.publishJob(late);
        EXPECT_NE(late.outcome->verdict, Verdict::Exported) << "deferred is withdrawn";
        EXPECT_EQ(rig.exportJob(rig.job(1, 2)).outcome->verdict, Verdict::Exported);
        EXPECT_EQ(rig.visible().size(), 2u);
    }
}

TEST(Mbox, AStaleDotlockOfOthersGoesByItsAge) {
    AdapterRig rig("mbox", {{"lock_wait", "0s"}, {"stale_lock", "10m"}});
    spill(inbox(rig) + ".lock", "4711");
    EXPECT_EQ(rig.exportJob(rig.job(1, 1)).outcome->verdict, Verdict::Deferred);
    fs::last_write_time(inbox(rig) + ".lock", fs::file_time_type::clock::now() - std::chrono::minutes(11));
    EXPECT_EQ(rig.exportJob(rig.job(1, 2)).outcome->verdict, Verdict::Exported);
    AdapterRig never("mbox", {{"lock_wait", "0s"}, {"stale_lock", "0s"}});
    spill(inbox(never) + ".lock", "4711");
    fs::last_write_time(inbox(never) + ".lock", fs::file_time_type::clock::now() - std::chrono::hours(24));
    EXPECT_EQ(never.exportJob(never.job(1, 1)).outcome->verdict, Verdict::Deferred);
}

// Every length that a dying worker can leave, of three mails, where no reader can have been there since:
// whole ones are published, the torn one and those behind it are not, and nothing of them stays.
TEST(Mbox, AnAdditionCutOffAnywhereIsToldAndCutBack) {
    const tests::SettingMap dotlock = {{"locks", "dotlock"}};
    std::size_t whole = 0;
    {
        AdapterRig rig("mbox", dotlock);
        whole = CutOff(rig, 3).bytes.size();
    }
    // Wine takes half a second for each.
    const std::size_t step = tests::kOnWindows ? 90 : 6;
    for (std::size_t length = 0; length <= whole; length += length % 7 == 0 ? 1 : step) {
        AdapterRig rig("mbox", dotlock);
        CutOff cut(rig, 3);
        spill(inbox(rig), cut.bytes.substr(0, length));
        rig.restart();
        std::size_t published = 0;
        for (const Job& job : cut.jobs) {
            const auto seen = rig.adapter().recover(job.delivery.key, job.evidence);
            ASSERT_NE(seen.found, Found::CannotTell) << length << ": " << seen.text;
            published += seen.found == Found::Published ? 1 : 0;
        }
        EXPECT_EQ(published, length / (whole / 3)) << length;
        EXPECT_EQ(rig.visible().size(), published) << length;
        EXPECT_FALSE(fs::exists(inbox(rig) + ".lock")) << length;
        for (Job& job : cut.jobs) rig.publishJob(job);  // late workers
        EXPECT_EQ(rig.visible().size(), published) << length;
    }
}

// Our fcntl lock goes with the process. What a reader took after that in its place looks like what was never
// added: nobody can tell, whether our dotlock still stands or not.
TEST(Mbox, WhatAReaderMayHaveTakenAfterACrashIsNeverAddedAgain) {
    for (const char* locks : {"fcntl", "both"}) {
        for (const std::size_t left : {0u, 1u}) {
            AdapterRig rig("mbox", {{"locks", locks}});
            CutOff cut(rig, 2);
            if (std::string(locks) == "fcntl") fs::remove(inbox(rig) + ".lock");
            const std::size_t one = cut.bytes.size() / 2;
            cut.noteTouch(rig);
            spill(inbox(rig), cut.bytes);                        // added whole; killed
            spill(inbox(rig), cut.bytes.substr(0, one * left));  // the reader's turn: same file
            rig.restart();
            std::vector<Found> found;
            for (const Job& job : cut.jobs)
                found.push_back(rig.adapter().recover(job.delivery.key, job.evidence).found);
            EXPECT_EQ(found[0], left == 1 ? Found::Published : Found::CannotTell) << locks;
            EXPECT_EQ(found[1], Found::CannotTell) << locks << left;
            EXPECT_EQ(rig.visible().size(), left) << locks;
        }
    }
}

// A mailbox that nobody touched since the journal was written: nothing was added, whatever locks there are.
TEST(Mbox, AMailboxThatNobodyTouchedTookNothing) {
    for (const char* locks : {"fcntl", "both", "dotlock"}) {
        AdapterRig rig("mbox", {{"locks", locks}});
        CutOff cut(rig, 2);
        cut.noteTouch(rig);
        rig.restart();
        for (const Job& job : cut.jobs)
            EXPECT_EQ(rig.adapter().recover(job.delivery.key, job.evidence).found, Found::NotPublished)
                << locks;
    }
}

// What the journal says of the last touch is another time than that of our own addition, however soon it
// comes.
TEST(Mbox, OurAdditionMovesTheTimeOfTheLastTouch) {
    for (int round = 0; round < 5; ++round) {
        AdapterRig rig("mbox", {});
        Job job = rig.job(1, 1);
        rig.stageJob(job);
        spill(inbox(rig), "");
        const auto box = File::openRead(inbox(rig));
        const auto before = box->touchedNanos();
        rig.publishJob(job);
        EXPECT_EQ(job.outcome->verdict, Verdict::Exported) << outcomeText(job);
        EXPECT_GT(*box->touchedNanos() - *before, 5'000'000) << "a step of any clock: 10 ms, or two of 4 ms";
    }
}

TEST(Mbox, TheJournalIsReadBackWithTheLastTouch) {
    Journal journal{"inbox", 1, 2, 3, 1, {{"1.1", 5}}, 1'700'000'000'000'000'001};
    const auto read = Journal::parse(journal.text());
    ASSERT_TRUE(read);
    EXPECT_EQ(read->touched, journal.touched);
    EXPECT_EQ(read->text(), journal.text());
}

TEST(Mbox, WhatNobodyCanTellIsNeitherCutNorGuessed) {
    const std::vector<std::pair<const char*, std::function<void(const std::string&, const CutOff&)>>> ways = {
        {"other bytes", [](const std::string& box,
                           const CutOff& cut) { spill(box, std::string(cut.bytes.size() + 9, 'x')); }},
        {"bytes behind a torn one",
         [](const std::string& box, const CutOff& cut) { spill(box, cut.bytes.substr(0, 50) + "From x"); }},
        {"another file",
         [](const std::string& box, const CutOff& cut) {
             fs::rename(box, box + ".old");
             spill(box, cut.bytes);
         }},
        {"no file", [](const std::string& box, const CutOff&) { fs::remove(box); }},
        {"emptied by a reader that knows other locks than ours", [](const std::string&, const CutOff&) {}},
        {"emptied by a reader that broke the lock",
         [](const std::string& box, const CutOff&) { fs::remove(box + ".lock"); }},
    };
    for (const auto& [what, change] : ways) {
        AdapterRig rig("mbox", {});
        CutOff cut(rig);
        change(inbox(rig), cut);
        const std::string before = slurp(inbox(rig));
        for (int time = 0; time < 2; ++time) {
            rig.restart();
            const auto seen = rig.adapter().recover(cut.jobs[0].delivery.key, cut.jobs[0].evidence);
            EXPECT_EQ(seen.found, Found::CannotTell) << what << ": " << seen.text;
            EXPECT_FALSE(seen.unusable) << what << ": " << seen.text;
        }
        Job late = cut.jobs[0];
        rig.publishJob(late);
        EXPECT_EQ(late.outcome->verdict, Verdict::Unknown) << what << outcomeText(late);
        EXPECT_EQ(slurp(inbox(rig)), before) << what;
        EXPECT_EQ(rig.exportJob(rig.job(2, 1)).outcome->verdict, Verdict::Exported) << what;
        EXPECT_EQ(rig.adapter().sweep([](const DeliveryKey&) { return true; }).value(), 1) << what;
    }
}

// The next mail settles what the last worker left, also when nobody asked.
TEST(Mbox, TheNextAdditionSettlesTheOneBefore) {
    AdapterRig rig("mbox", {});
    CutOff cut(rig, 2);
    const std::size_t first = cut.bytes.size() / 2;
    spill(inbox(rig), cut.bytes.substr(0, first + 20));
    EXPECT_EQ(rig.exportJob(rig.job(9, 1)).outcome->verdict, Verdict::Exported);
    EXPECT_EQ(rig.visible().size(), 2u) << slurp(inbox(rig));
    EXPECT_EQ(rig.adapter().recover(cut.jobs[0].delivery.key, cut.jobs[0].evidence).found, Found::Published);
    EXPECT_EQ(rig.adapter().recover(cut.jobs[1].delivery.key, cut.jobs[1].evidence).found,
              Found::NotPublished);
}

TEST(Mbox, ARecoveryThatMeetsALockAsksAgainLater) {
    AdapterRig rig("mbox", {{"lock_wait", "10m"}, {"locks", "dotlock"}});
    CutOff cut(rig);
    const std::string lock = inbox(rig) + ".lock";
    spill(inbox(rig), cut.bytes.substr(0, 30));
    spill(lock, "4711");  // broken by a reader, who has it now
    const SteadyTime before = Clock::system().steady();
    const auto seen = rig.adapter().recover(cut.jobs[0].delivery.key, cut.jobs[0].evidence);
    EXPECT_TRUE(seen.busy && !seen.unusable) << "one locked mailbox is not the adapter: " << seen.text;
    EXPECT_LT(Clock::system().steady() - before, std::chrono::seconds(30)) << "a lease is 60 s";
    fs::remove(lock);
    EXPECT_EQ(rig.adapter().recover(cut.jobs[0].delivery.key, cut.jobs[0].evidence).found,
              Found::NotPublished);
    EXPECT_EQ(slurp(inbox(rig)), "");
}

// A lock on the file keeps the recovery away as a dotlock does.
TEST(Mbox, ARecoveryThatMeetsALockedFileAsksAgainLater) {
    AdapterRig rig("mbox", kQuick);
    CutOff cut(rig);
    spill(inbox(rig), cut.bytes.substr(0, 30));
    {
        const ReadersLock lock(inbox(rig));
        const auto seen = rig.adapter().recover(cut.jobs[0].delivery.key, cut.jobs[0].evidence);
        EXPECT_TRUE(seen.busy && !seen.unusable) << seen.text;
    }
    EXPECT_EQ(rig.adapter().recover(cut.jobs[0].delivery.key, cut.jobs[0].evidence).found,
              Found::NotPublished);
}

TEST(Mbox, ADamagedJournalIsNeverBelieved) {
    AdapterRig rig("mbox", kQuick);
    CutOff cut(rig);
    const std::string path = rig.stage() + "/" + journalName("inbox");
    const std::string text = slurp(path);
    for (const std::string& damaged :
         {std::string(), std::string("mbox2"), text.substr(0, text.size() - 2), text + "x"}) {
        spill(path, damaged);
        const auto seen = rig.adapter().recover(cut.jobs[0].delivery.key, cut.jobs[0].evidence);
        EXPECT_EQ(seen.found, Found::CannotTell) << damaged;
        EXPECT_TRUE(seen.unusable) << damaged;
        Job late = cut.jobs[0];
        rig.publishJob(late);
        EXPECT_EQ(late.outcome->verdict, Verdict::Unknown) << outcomeText(late);
    }
    EXPECT_EQ(slurp(inbox(rig)), "");
}

// A mailbox of one recipient that can not be looked at suspends nobody else's mail.
TEST(Mbox, OneSpoiltMailboxIsNotTheAdapter) {
    AdapterRig rig("mbox", {{"layout", "per-recipient"}, {"lock_wait", "40ms"}});
    Job job = rig.job(1, 1);
    rig.stageJob(job);
    spill(rig.stage() + "/" + journalName("bob"), "damaged");
    auto seen = rig.adapter().recover(job.delivery.key, job.evidence);
    EXPECT_TRUE(seen.found == Found::CannotTell && !seen.unusable && !seen.busy) << seen.text;
    spill(rig.folder() + "/bob", "");
    Journal journal = journalFor(rig.folder() + "/bob");
    journal.entries = {{"1.1", 7}};
    spill(rig.stage() + "/" + journalName("bob"), journal.text());
    fs::create_hard_link(rig.folder() + "/bob", rig.temp() + "/other");
    seen = rig.adapter().recover(job.delivery.key, job.evidence);
    EXPECT_TRUE(seen.busy && !seen.unusable) << seen.text;
}

// Killed while it made its lock: the mailbox is not locked by an empty file that nobody knows.
TEST(Mbox, ADotlockIsThereWithOurNameOrNotAtAll) {
    AdapterRig rig("mbox", {{"lock_wait", "0s"}, {"stale_lock", "0s"}});
    const LockPlan plan{true, true, Millis(0), "postern " + tests::kRigContext.storeId + " legacy", 0660, ""};
    const auto folder = Folder::open(rig.folder());
    std::string aside;
    {
        const auto held = MailboxLock::take(*folder, "inbox", plan, true);
        ASSERT_TRUE(held.ok());
        EXPECT_TRUE(slurp(inbox(rig) + ".lock").starts_with(plan.signature + " "));
        EXPECT_EQ(MailboxLock::asideName(plan, "inbox").front(), '.');
        aside = rig.folder() + "/" + MailboxLock::asideName(plan, "inbox");
        EXPECT_FALSE(fs::exists(aside));
    }
    spill(aside, "");  // as far as it came
    EXPECT_EQ(rig.exportJob(rig.job(1, 1)).outcome->verdict, Verdict::Exported);
    EXPECT_FALSE(fs::exists(aside));
    EXPECT_FALSE(fs::exists(inbox(rig) + ".lock"));
}

TEST(Mbox, NamesLikeLocksAreNoLocks) {
    AdapterRig rig("mbox", {{"layout", "per-recipient"}});
    Job job = rig.job(1, 1);
    job.delivery.recipients[0].legacy = "bob.lock";
    rig.exportJob(std::move(job));
    rig.exportJob(rig.job(2, 1));
    EXPECT_EQ(rig.visible(), (std::vector<std::string>{"bob#1", "bob%2Elock#1"}));
}

}  // namespace postern::adapters
