#include "tests/receiving_host.h"

#include "base/text.h"

namespace postern::tests {

namespace {

std::string pathIn(const std::string& line) {
    const std::size_t from = line.find('<') + 1;
    return line.substr(from, line.rfind('>') - from);
}

}  // namespace

ReceivingHost::ReceivingHost() : host_([this](HostTalk& talk, int) { serve(talk); }) {}

std::vector<TakenMail> ReceivingHost::taken() const {
    MutexLock lock(mutex_);
    return taken_;
}

std::vector<std::string> ReceivingHost::wrongs() const {
    MutexLock lock(mutex_);
    return wrongs_;
}

void ReceivingHost::wrong(const std::string& what) {
    MutexLock lock(mutex_);
    wrongs_.push_back(escapeLine(what));
}

// A text that ends before its dot was never sent.
bool ReceivingHost::takeText(HostTalk& talk, TakenMail& mail) {
    while (auto line = talk.line()) {
        if (*line == ".") return true;
        if (line->find_first_of("\r\n") != std::string::npos) wrong("a bare line end: " + *line);
        if (line->size() > 998) wrong("a long line");
        if (line->starts_with('.')) line->erase(0, 1);
        mail.text += *line + "\r\n";
    }
    return false;
}

void ReceivingHost::serve(HostTalk& talk) {
    talk.say("220 box.example ready\r\n");
    TakenMail mail;
    bool lmtp = false;
    while (const auto line = talk.line()) {
        const std::string verb = upperAscii(line->substr(0, 4));
        if (line->find_first_of("\r\n") != std::string::npos) wrong("a bare line end: " + *line);
        if (verb == "EHLO" || verb == "LHLO") {
            lmtp = verb == "LHLO";
            talk.say("250-box.example\r\n250-PIPELINING\r\n250-SIZE 100000000\r\n250 8BITMIME\r\n");
        } else if (verb == "MAIL") {
            mail = {pathIn(*line), {}, {}};
            talk.say("250 ok\r\n");
        } else if (verb == "RCPT") {
            mail.to.push_back(pathIn(*line));
            talk.say("250 ok\r\n");
        } else if (verb == "DATA") {
            talk.say("354 go on\r\n");
            if (!takeText(talk, mail)) return;
            {
                MutexLock lock(mutex_);
                taken_.push_back(mail);
            }
            for (std::size_t i = 0; i < (lmtp ? mail.to.size() : 1); ++i) talk.say("250 taken\r\n");
        } else if (verb == "QUIT") {
            return talk.say("221 bye\r\n");
        } else {
            talk.say("250 ok\r\n");
        }
    }
}

}  // namespace postern::tests
