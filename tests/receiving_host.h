#pragma once
// A host that takes every mail, by SMTP or LMTP, and keeps what it took: the ledger of the other side.

#include <string>
#include <vector>

#include "tests/scripted_host.h"

namespace postern::tests {

struct TakenMail {
    std::string sender;
    std::vector<std::string> to;
    std::string text;  // without dot-stuffing
};

class ReceivingHost {
  public:
    ReceivingHost();

    std::string place() const { return host_.place(); }
    int connections() const { return host_.connections(); }
    std::vector<TakenMail> taken() const;
    std::vector<std::string> wrongs() const;  // what a client must never send
    void leave() { host_.leave(); }

  private:
    void serve(HostTalk& talk);
    bool takeText(HostTalk& talk, TakenMail& mail);
    void wrong(const std::string& what);

    mutable Mutex mutex_;
    std::vector<TakenMail> taken_ GUARDED_BY(mutex_);
    std::vector<std::string> wrongs_ GUARDED_BY(mutex_);
    ScriptedHost host_;  // last member: its threads use the others
};

}  // namespace postern::tests
