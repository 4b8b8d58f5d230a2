// Runs every file in dialogues/: one behaviour of the smtp and lmtp adapters per file, against hosts that
// follow its script word by word. The words of such a file are in dialogues/README.md.

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "base/service_manager.h"
#include "base/text.h"
#include "tests/adapter_rig.h"
#include "tests/kit/wait.h"
#include "tests/scripted_host.h"

namespace postern::adapters {
namespace {

namespace fs = std::filesystem;

bool fits(std::string_view wanted, std::string_view got) {
    if (wanted.ends_with('*')) return got.starts_with(wanted.substr(0, wanted.size() - 1));
    return wanted == got;
}

// "{300*x}" is repeated text, "\xHH" a byte.
std::string unescape(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t star = text.find('*'), end = text.find('}');
        if (text.starts_with("\\x") && text.size() >= 4) {
            out += static_cast<char>(std::stoi(std::string(text.substr(2, 2)), nullptr, 16));
            text.remove_prefix(4);
        } else if (text.front() == '{' && star < end && end != std::string_view::npos &&
                   parseInt(text.substr(1, star - 1))) {
            for (auto left = *parseInt(text.substr(1, star - 1)); left > 0; --left)
                out += text.substr(star + 1, end - star - 1);
            text.remove_prefix(end + 1);
        } else {
            out += text.front();
            text.remove_prefix(1);
        }
    }
    return out;
}

struct Step {
    char what;  // S, C, R for ready, or the first letter of close, reset, stall, until
    std::string text;
    int line;
};
using Steps = std::vector<Step>;

struct Mail {
    std::string sender = "alice@example.org";
    std::vector<Recipient> to;
    std::string text = "Message-ID: <1@example.org>\r\nSubject: Hello\r\n\r\nLine one.\r\n";
    bool withdrawn = false;  // recover() is asked between stage() and publish()
    bool abandoned = false;
    bool hostFirst = false;  // publish() waits for the end of the host's script
};

// What a file says.
struct Script {
    std::string kind = "smtp";
    tests::SettingMap settings = {{"tls", "none"}, {"keep_connection", "0s"}};
    std::map<int, std::vector<Steps>> hosts;  // scripts of each host's connections
    std::vector<int> closed;                  // hosts that nobody is at
    std::vector<Mail> mails;
    std::vector<std::string> results;
    std::vector<std::string> problems;
};

class Reader {
  public:
    explicit Reader(const fs::path& path) : in_(path, std::ios::binary) { script_.mails.emplace_back(); }

    Script read() {
        std::string line;
        while (next(line)) {
            const std::size_t space = std::min(line.find(' '), line.size());
            const std::string word = line.substr(0, space);
            take(word, space < line.size() ? line.substr(space + 1) : std::string());
        }
        if (script_.mails.back().to.empty()) script_.mails.back().to = bob();
        return std::move(script_);
    }

  private:
    static std::vector<Recipient> bob() { return {{1, "bob@old.example", ""}}; }
    bool next(std::string& line) {
        while (std::getline(in_, line)) {
            ++number_;
            if (!line.empty() && line.front() != '#') return true;
        }
        return false;
    }
    void take(const std::string& word, const std::string& rest) {
        Mail& mail = script_.mails.back();
        if (word == "kind:") {
            script_.kind = rest;
        } else if (word == "set:") {
            const std::size_t is = rest.find(" = ");
            std::string value = rest.substr(is + 3);
            std::replace(value.begin(), value.end(), '|', '\n');
            script_.settings[rest.substr(0, is)] = value;
        } else if (word == "sender:") {
            mail.sender = unescape(rest);
        } else if (word == "to:") {
            addRecipient(rest);
        } else if (word == "message") {
            readMessage();
        } else if (word == "withdrawn") {
            mail.withdrawn = true;
        } else if (word == "abandoned") {
            mail.abandoned = true;
        } else if (word == "host-first") {
            mail.hostFirst = true;
        } else if (word == "again") {
            if (mail.to.empty()) mail.to = bob();
            script_.mails.emplace_back();
        } else if (word == "connection") {
            host_ = rest.empty() ? 1 : static_cast<int>(parseInt(rest.substr(3)).value_or(1));
            script_.hosts[host_].emplace_back();
        } else if (word == "nobody") {
            script_.closed.push_back(static_cast<int>(parseInt(rest.substr(3)).value_or(1)));
        } else if (word == "=") {
            script_.results.push_back(rest);
        } else if (word == "S:" || word == "C:" || word == "close" || word == "reset" || word == "stall" ||
                   word == "until" || word == "ready") {
            script_.hosts[host_].back().push_back({word == "ready" ? 'R' : word[0], unescape(rest), number_});
        } else {
            script_.problems.push_back("line " + std::to_string(number_) + ": unknown word " + word);
        }
    }
    void addRecipient(const std::string& rest) {
        const auto words = split(rest, ' ');
        Mail& mail = script_.mails.back();
        Recipient recipient{static_cast<int>(mail.to.size()) + 1, unescape(words[0]), "", {}, {}};
        for (const std::string_view word : std::span(words).subspan(1)) {
            if (word.starts_with("notify="))
                recipient.notify = word.substr(7);
            else if (word.starts_with("original="))
                recipient.original = word.substr(9);
            else
                recipient.legacy = unescape(word);
        }
        mail.to.push_back(std::move(recipient));
    }
    void readMessage() {
        std::string text, line;
        while (std::getline(in_, line) && line != ".") {
            ++number_;
            text += unescape(line) + "\r\n";
        }
        ++number_;
        script_.mails.back().text = text;
    }

    std::ifstream in_;
    int number_ = 0;
    int host_ = 1;
    Script script_;
};

// Plays a script and collects what did not fit.
class Theatre {
  public:
    explicit Theatre(Script script) : script_(std::move(script)) {}

    std::vector<std::string> run() {
        for (const int host : script_.closed) script_.hosts[host];
        std::string places;
        for (auto& [number, connections] : script_.hosts) {
            hosts_.push_back(std::make_unique<tests::ScriptedHost>(
                [this, &connections = connections, number = number](tests::HostTalk& talk, int which) {
                    play(talk, connections, which, number);
                }));
            places += (places.empty() ? "" : "\n") + hosts_.back()->place();
        }
        for (const int host : script_.closed) hosts_[static_cast<std::size_t>(host - 1)]->leave();
        script_.settings.emplace("hosts", places);
        deliver();
        std::size_t number = 0;
        for (auto& [host, connections] : script_.hosts)
            if (const int count = hosts_[number++]->connections();
                count < static_cast<int>(connections.size()))
                complain("host " + std::to_string(host) + " had " + std::to_string(count) + " connections");
        std::vector<std::string> names;
        for (const auto& host : hosts_) names.push_back(host->place());
        hosts_.clear();
        compare(names);
        return script_.problems;
    }

  private:
    void complain(const std::string& text) {
        MutexLock lock(mutex_);
        script_.problems.push_back(text);
    }

    void play(tests::HostTalk& talk, const std::vector<Steps>& connections, int which, int host) {
        act(talk, connections, which, host);
        ++played_;
    }

    void act(tests::HostTalk& talk, const std::vector<Steps>& connections, int which, int host) {
        if (which > static_cast<int>(connections.size()))
            return complain("host " + std::to_string(host) + " was called once more than it expected");
        for (const Step& step : connections[static_cast<std::size_t>(which - 1)]) {
            const std::string at = "line " + std::to_string(step.line) + ": ";
            switch (step.what) {
                case 'S': talk.say(step.text + "\r\n"); break;
                case 'C': {
                    const auto got = talk.line();
                    if (got && fits(step.text, *got)) break;
                    return complain(at + "wanted '" + step.text + "', got " +
                                    (got ? "'" + escapeLine(*got) + "'" : "the end"));
                }
                case 'u':
                    if (!talk.until(step.text)) return complain(at + "it never came");
                    break;
                case 'R': ++played_; break;
                case 'c': return talk.close();
                case 'r': return talk.reset();
                default:
                    if (const std::string rest = talk.rest(); !rest.empty())
                        complain(at + "wanted silence, got '" + escapeLine(rest) + "'");
                    return;
            }
        }
        if (const std::string rest = talk.rest(); !rest.empty() && rest != "QUIT\r\n")
            complain("host " + std::to_string(host) + " was told more: '" + escapeLine(rest) + "'");
    }

    void deliver() {
        const auto adapter = tests::makeKind(script_.kind, script_.settings, tests::kRigContext).value();
        int item = 0;
        for (const Mail& mail : script_.mails) {
            StringSource source(mail.text);
            Job job;
            job.delivery.key = {ItemId{++item}, Epoch{1}};
            job.delivery.sender = mail.sender;
            job.delivery.recipients = mail.to;
            job.delivery.received = fromMillis(1'700'000'000'000);
            job.delivery.message = &source;
            job.delivery.envelopeId = "env 1";
            job.delivery.ret = "hdrs";
            adapter->stage({&job, 1}, [] {});
            const std::string evidence = job.evidence;
            EXPECT_LE(evidence.size(), 1024u);
            if (mail.withdrawn) tell(adapter->recover(job.delivery.key, evidence));
            if (mail.abandoned) adapter->abandon(job);
            if (mail.hostFirst && !tests::waitFor([this] { return played_ > 0; }))
                complain("the host's script did not end");
            if (!job.outcome) adapter->publish({&job, 1}, [] {});
            tell(job);
            if (!evidence.empty()) tell(adapter->recover(job.delivery.key, evidence));
            adapter->idle();
        }
    }

    void tell(const Job& job) {
        const Outcome& outcome = *job.outcome;
        static constexpr const char* kNames[] = {"exported", "deferred", "rejected", "unknown"};
        lines_.push_back(
            std::string(kNames[static_cast<int>(outcome.verdict)]) +
            (outcome.adapterUnusable ? " unusable" : "") + (outcome.again ? " again" : "") +
            (outcome.verdict == Verdict::Deferred ? " " + std::string(causeName(outcome.cause)) : "") +
            (outcome.status.empty() ? "" : " " + outcome.status) + ": " + outcome.reason + outcome.target);
        for (const RecipientVerdict& each : outcome.recipients)
            lines_.push_back("recipient " + std::to_string(each.ordinal) + " " +
                             kNames[static_cast<int>(each.verdict)] +
                             (each.status.empty() ? "" : " " + each.status) + ": " + each.reason);
        for (const std::string& note : job.notes) lines_.push_back("note: " + note);
    }
    static std::string knownText(const Recovery& recovery) {
        if (!recovery.known) return {};
        return recovery.known->verdict == Verdict::Unknown ? ", some known" : ", all known";
    }
    void tell(const Recovery& recovery) {
        static constexpr const char* kNames[] = {"published", "not published", "cannot tell"};
        lines_.push_back(std::string(kNames[static_cast<int>(recovery.found)]) + knownText(recovery) + ": " +
                         recovery.text);
    }

    // The results are those that the file names, no other ones, in this order.
    void compare(const std::vector<std::string>& names) {
        std::string all;
        for (std::string& line : lines_) {
            for (std::size_t i = 0; i < names.size(); ++i)
                for (std::size_t at; (at = line.find(names[i])) != std::string::npos;)
                    line.replace(at, names[i].size(), "host" + std::to_string(i + 1));
            all += "\n    " + line;
        }
        const bool same =
            std::equal(script_.results.begin(), script_.results.end(), lines_.begin(), lines_.end(), fits);
        if (!same) complain("the results are" + all);
    }

    Script script_;
    std::atomic<int> played_{0};  // scripts that have ended
    Mutex mutex_;
    std::vector<std::unique_ptr<tests::ScriptedHost>> hosts_;
    std::vector<std::string> lines_;
};

class SmtpDialogue : public testing::TestWithParam<std::string> {};

std::string folder() {
    return std::string(POSTERN_TESTS_FOLDER) + "/unit/adapters/dialogues";
}

std::vector<std::string> dialogues() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder()))
        if (entry.path().extension() == ".txt") names.push_back(entry.path().stem().string());
    std::sort(names.begin(), names.end());
    return names;
}

TEST_P(SmtpDialogue, GoesAsWritten) {
    ignoreBrokenPipes();
    Theatre theatre(Reader(fs::path(folder()) / (GetParam() + ".txt")).read());
    for (const std::string& problem : theatre.run()) ADD_FAILURE() << GetParam() << ".txt: " << problem;
}

INSTANTIATE_TEST_SUITE_P(Files, SmtpDialogue, testing::ValuesIn(dialogues()),
                         [](const auto& file) { return file.param; });

}  // namespace
}  // namespace postern::adapters
