// Runs every file in dialogues/: one behaviour per file, found at run time, so that a new behaviour is a new
// file. The words of such a file are in dialogues/README.md.

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/unit/intake/house.h"

namespace postern::intake {
namespace {

// "\r", "\n", "\0", "\\", "\xHH" and "{12*text}".
std::string unescape(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        std::size_t used = 1;
        if (text.starts_with("\\x") && text.size() >= 4) {
            out += static_cast<char>(std::stoi(std::string(text.substr(2, 2)), nullptr, 16));
            used = 4;
        } else if (text.front() == '\\' && text.size() >= 2) {
            const std::string_view names = "rn0t\\", bytes("\r\n\0\t\\", 5);
            out += bytes.at(names.find(text[1]));
            used = 2;
        } else if (const std::size_t star = text.find('*'), end = text.find('}');
                   text.front() == '{' && star < end && end != std::string_view::npos &&
                   parseInt(text.substr(1, star - 1))) {
            const std::string piece = unescape(text.substr(star + 1, end - star - 1));
            for (auto left = *parseInt(text.substr(1, star - 1)); left > 0; --left) out += piece;
            used = end + 1;
        } else {
            out += text.front();
        }
        text.remove_prefix(used);
    }
    return out;
}

// A "*" at the end of `wanted` takes whatever follows.
bool fits(std::string_view wanted, std::string_view got) {
    if (wanted.ends_with('*')) return got.starts_with(wanted.substr(0, wanted.size() - 1));
    return wanted == got;
}

struct Script {
    std::string path;
    std::vector<std::string> lines;
};

class Player {
  public:
    explicit Player(const Script& script) : script_(script) {}

    void play() {
        for (std::size_t i = 0; i < script_.lines.size() && !testing::Test::HasFatalFailure(); ++i) {
            const std::string& line = script_.lines[i];
            const testing::ScopedTrace where(script_.path.c_str(), static_cast<int>(i + 1), line);
            if (!line.empty() && line.front() != '#') step(line);
        }
        finish();
    }

  private:
    void step(const std::string& line) {
        const std::size_t space = std::min(line.find(' '), line.size());
        const std::string word = line.substr(0, space);
        const std::string rest = space < line.size() ? line.substr(space + 1) : std::string();
        if (word == "C:") return send(unescape(rest) + "\r\n");
        if (word == "C+") return hold(unescape(rest) + "\r\n");
        if (word == "C=") return send(unescape(rest));
        if (word == "S:") return expectReply(rest);
        if (word == "S!") return expectEnd(rest);
        if (word == "after") return pass(rest);
        if (word == "shutdown") return shutDown();
        if (word == "tls-starts") return startTls({});
        if (word == "tls-starts-as") return startTls(rest);
        if (word == "mail") return beginMail();
        if (word == "|") return expectBody(rest);
        if (word.ends_with(':')) return mails_.empty() ? set(word, rest) : expectField(word, rest);
        ADD_FAILURE() << "no such word: " << word;
    }

    void set(const std::string& word, const std::string& value) {
        auto& limits = listener_.limits;
        const auto number = parseInt(value).value_or(0);
        if (word == "protocol:") {
            listener_ = listenerOf(value == "lmtp" ? config::Protocol::Lmtp : config::Protocol::Smtp);
        } else if (word == "tls:") {
            listener_.tls = value == "off"        ? config::Tls::Off
                            : value == "starttls" ? config::Tls::StartTls
                            : value == "required" ? config::Tls::Required
                                                  : config::Tls::Implicit;
        } else if (word == "auth:") {
            listener_.auth = value == "offered"    ? config::Auth::Offered
                             : value == "required" ? config::Auth::Required
                                                   : config::Auth::Off;
        } else if (word == "networks:") {
            listener_.networks = value.empty() ? std::vector<std::string>() : std::vector{value};
        } else if (word == "client-certificates:") {
            listener_.clientCertificates = {value};
        } else if (word == "submission:") {
            listener_.submission = value == "yes";
        } else if (word == "relaxed-addresses:") {
            listener_.relaxedAddresses = value == "yes";
        } else if (word == "local:") {
            client_ = {"local", "", ""};
        } else if (word == "hops:") {
            limits.hops = static_cast<int>(number);
        } else if (word == "certificate:") {
            listener_.certificate = value;
        } else if (word == "idle-commands:") {
            limits.idleCommands = static_cast<int>(number);
        } else if (word == "message-size:") {
            limits.messageSize = number;
        } else if (word == "recipients:") {
            limits.recipients = static_cast<int>(number);
        } else if (word == "command-line:") {
            limits.commandLine = static_cast<int>(number);
        } else if (word == "text-line:") {
            limits.textLine = static_cast<int>(number);
        } else if (word == "errors:") {
            limits.errors = static_cast<int>(number);
        } else {
            ADD_FAILURE() << "no such setting: " << word;
        }
    }

    Talk& talk() {
        if (!talk_) talk_ = std::make_unique<Talk>(house_, house_.acceptor(), listener_, client_);
        return *talk_;
    }

    void hold(const std::string& bytes) { held_ += bytes; }
    void send(const std::string& bytes) {
        talk().send(std::exchange(held_, {}) + bytes);
        collect();
    }
    void collect() {
        const std::string got = talk().read();
        for (std::string_view line : split(got, '\n')) {
            if (!line.empty()) replies_.emplace_back(trim(line));
        }
    }

    void expectReply(const std::string& wanted) {
        collect();
        ASSERT_FALSE(replies_.empty()) << "got nothing, wanted " << wanted;
        if (wanted.ends_with(" ...")) return expectLines(wanted.substr(0, wanted.size() - 4));
        EXPECT_TRUE(fits(wanted, replies_.front())) << "got    " << replies_.front() << "\nwanted " << wanted;
        replies_.erase(replies_.begin());
    }
    // A reply of several lines whose first is `wanted`; the others may be any.
    void expectLines(const std::string& wanted) {
        EXPECT_EQ(wanted, replies_.front());
        while (!replies_.empty() && replies_.front().size() > 3 && replies_.front()[3] == '-') {
            replies_.erase(replies_.begin());
        }
        ASSERT_FALSE(replies_.empty());
        replies_.erase(replies_.begin());
    }
    void expectEnd(const std::string& wanted) {
        EXPECT_TRUE(replies_.empty()) << "got " << replies_.front() << ", wanted nothing more";
        const SmtpSession& session = talk().session();
        EXPECT_EQ(wanted, session.closing() ? "closed" : session.wantsTls() ? "handshake" : "open");
    }

    void pass(const std::string& time) {
        const auto millis = parseDurationMillis(time);
        ASSERT_TRUE(millis);
        talk();
        house_.clock().advance(Millis(*millis));
        talk().session().checkTime(house_.now());
        collect();
    }
    // `certificate`: the common name of a verified one, or "sha256:..." of one that nobody vouches for.
    void startTls(const std::string& certificate) {
        ASSERT_TRUE(talk().session().wantsTls()) << "no handshake is wanted";
        net::TlsFacts facts{"TLSv1.3", "TLS_AES_128_GCM_SHA256", 128, false, {}, {}};
        const bool printed = certificate.starts_with("sha256:");
        facts.clientVerified = !certificate.empty() && !printed;
        (printed ? facts.clientFingerprint : facts.clientName) = certificate;
        talk().session().tlsStarted(facts, house_.now());
        collect();
    }
    void shutDown() {
        talk().session().shutDown();
        collect();
    }

    void beginMail() {
        if (mails_.empty()) stored_ = house_.stored();
        ASSERT_LT(mails_.size(), stored_.size()) << "only " << stored_.size() << " mails are stored";
        mails_.emplace_back();
    }
    void expectBody(const std::string& line) { mails_.back().body += unescape(line) + "\r\n"; }
    void expectField(const std::string& word, const std::string& wanted) {
        const Stored& mail = stored_[mails_.size() - 1];
        if (word == "item:") return mails_.back().items.push_back(wanted);
        EXPECT_TRUE(fits(unescape(wanted), field(mail, word))) << "got " << field(mail, word);
    }
    static std::string field(const Stored& mail, const std::string& word) {
        if (word == "sender:") return mail.row.sender;
        if (word == "source:") return mail.row.source;
        if (word == "protocol:") return mail.row.protocol;
        if (word == "helo:") return mail.row.helo;
        if (word == "client:") return mail.row.client;
        if (word == "header-id:") return mail.row.headerId;
        if (word == "subject:") return mail.row.subject;
        if (word == "trace:") return mail.trace;
        if (word == "account:") return mail.row.account;
        if (word == "envelope-id:") return mail.row.envelopeId;
        if (word == "ret:") return mail.row.ret;
        if (word == "utf8:") return mail.row.utf8 ? "yes" : "no";
        if (word == "binary:") return mail.row.binary ? "yes" : "no";
        if (word == "eight-bit:") return mail.row.eightBit ? "yes" : "no";
        if (word == "body:") return mail.body;
        return "no such field";
    }

    void finish() {
        EXPECT_TRUE(replies_.empty()) << "unexpected reply: " << (replies_.empty() ? "" : replies_.front());
        if (mails_.empty()) stored_ = house_.stored();
        EXPECT_EQ(stored_.size(), mails_.size()) << "mails stored, and mails the dialogue tells of";
        for (std::size_t i = 0; i < std::min(stored_.size(), mails_.size()); ++i) {
            if (!mails_[i].body.empty()) {
                EXPECT_EQ(stored_[i].body, mails_[i].body);
            }
            if (!mails_[i].items.empty()) {
                EXPECT_EQ(stored_[i].items, mails_[i].items);
            }
        }
    }

    struct Wanted {
        std::string body;
        std::vector<std::string> items;
    };
    const Script& script_;
    House house_;
    Client client_{"192.0.2.1:4711", "[192.0.2.1]", "192.0.2.1"};
    config::Listener listener_ = listenerOf(config::Protocol::Smtp);
    std::unique_ptr<Talk> talk_;
    std::string held_;
    std::vector<std::string> replies_;
    std::vector<Stored> stored_;
    std::vector<Wanted> mails_;
};

std::vector<std::string> dialogueFiles() {
    std::vector<std::string> paths;
    for (const auto& entry : std::filesystem::directory_iterator(POSTERN_DIALOGUES)) {
        if (entry.path().extension() == ".txt") paths.push_back(entry.path().string());
    }
    std::sort(paths.begin(), paths.end());
    return paths;
}

Script readScript(const std::string& path) {
    Script script{path, {}};
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) script.lines.push_back(line);
    return script;
}

class Dialogue : public testing::TestWithParam<std::string> {};

TEST_P(Dialogue, RunsAsWritten) {
    const Script script = readScript(GetParam());
    ASSERT_FALSE(script.lines.empty());
    EXPECT_EQ(script.lines.front().substr(0, 2), "# ") << "the first line says what the dialogue is about";
    Player(script).play();
}

INSTANTIATE_TEST_SUITE_P(Files, Dialogue, testing::ValuesIn(dialogueFiles()),
                         [](const auto& file) { return std::filesystem::path(file.param).stem().string(); });

TEST(Dialogues, AreAllThere) {
    EXPECT_GE(dialogueFiles().size(), 25u);
}

}  // namespace
}  // namespace postern::intake
