#pragma once
// Inside of hall.h: mail for the people here, said by the service's own voice: to the members of a channel,
// or to an account by all its connections, whatever their nicks are. Each log's last mails are said again to
// who enters, or logs on. Pure: the logs are read elsewhere (mail_desk.h).
//
// Many mails at once are a few in each channel; the others become a summary, and stand in the log like all.

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "connector/chat/mail_desk.h"
#include "connector/chat/model.h"

namespace postern::chat {

class Floor;

class MailBoard {
  public:
    // Opens the channels. REQUIRES: settings.queue.channel is a channel's name; the floor outlives us.
    explicit MailBoard(Floor& floor);

    bool keeps(const Channel& channel) const;
    void greet(Client& client, const Channel& channel);  // who has just entered
    void welcome(Client& client);                        // who has just logged on
    void bring(const MailFound& found);

    SteadyTime nextLook() const { return nextLook_; }
    void lookAtClock();

  private:
    struct Log {
        std::string name;  // of the channel, or the account
        std::string adapter;
        std::size_t keep = 0, atOnce = 0;
        std::deque<Mail> past{};
        SteadyTime since{};    // when the mails that `told` counts began
        std::size_t told = 0;  // since then
        std::int64_t untold = 0;
        SteadyTime summaryAt = SteadyTime::max();
    };

    Log* logOf(const MailPart& part);
    std::vector<Client*> audience(const Log& log) const;
    void say(const Log& log, std::string_view text, const std::string& id);
    void tell(Log& log, const Mail& mail);
    void leaveOut(Log& log, std::int64_t mails);
    void replay(Client& client, const Log& log, const std::string& target);

    Floor& floor_;
    std::map<std::string, Log> logs_;  // folded
    SteadyTime nextLook_ = SteadyTime::max();
};

}  // namespace postern::chat
