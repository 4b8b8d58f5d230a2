#pragma once
// A receiver of webhooks on loopback: keeps each request, and answers as the test says.

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/text.h"
#include "tests/scripted_host.h"

namespace postern::tests {

struct TakenPost {
    std::string line;                           // "POST /hook HTTP/1.1"
    std::map<std::string, std::string> fields;  // names in lower case
    std::string body;
};

class HookReceiver {
  public:
    // What the n-th request, from 1, is answered with; an empty text: the connection is closed without a
    // word.
    using Answers = std::function<std::string(int n)>;

    explicit HookReceiver(Answers answers = {})
        : answers_(std::move(answers)), host_([this](HostTalk& talk, int) { serve(talk); }) {}

    static std::string answer(const std::string& status, const std::string& body = "",
                              const std::string& fields = "") {
        return "HTTP/1.1 " + status + "\r\n" + fields + "Content-Length: " + std::to_string(body.size()) +
               "\r\n\r\n" + body;
    }
    std::string url(const std::string& target = "/hook") const { return "http://" + host_.place() + target; }
    std::string place() const { return host_.place(); }
    std::vector<TakenPost> taken() const {
        MutexLock lock(mutex_);
        return taken_;
    }
    void leave() { host_.leave(); }

  private:
    void serve(HostTalk& talk) {
        TakenPost post;
        auto line = talk.line();
        if (!line) return;  // a probe says nothing
        post.line = *line;
        for (line = talk.line(); line && !line->empty(); line = talk.line()) {
            const auto colon = line->find(':');
            post.fields[lowerAscii(line->substr(0, colon))] = trim(std::string_view(*line).substr(colon + 1));
        }
        const auto length = parseInt(post.fields["content-length"]).value_or(0);
        while (line && static_cast<std::int64_t>(post.body.size()) < length) {
            line = talk.line();
            if (line) post.body += *line + "\r\n";
        }
        if (!line) return;
        int n = 0;
        {
            MutexLock lock(mutex_);
            taken_.push_back(std::move(post));
            n = static_cast<int>(taken_.size());
        }
        const std::string said = answers_ ? answers_(n) : answer("200 OK");
        if (!said.empty()) talk.say(said);
        talk.close();
    }

    const Answers answers_;
    mutable Mutex mutex_;
    std::vector<TakenPost> taken_ GUARDED_BY(mutex_);
    ScriptedHost host_;  // last member: its threads use the others
};

}  // namespace postern::tests
