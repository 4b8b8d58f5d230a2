#pragma once
// Inside of hall.h: the service's own voice. In one channel it tells what becomes of the mail, to each as he
// wants it, and there or by a private message it takes orders and brings their outcome. Pure: orders are
// carried out elsewhere (order_desk.h).
//
// Who gives an order is an account and its roles, proven on this connection; nicks and ranks in a channel
// count for nothing. What can not be taken back is done on a second word: the first tries it out and names
// the items, and exactly those are changed then.
//
// What one client is to hear of a flood is bounded: a few lines a second, with room of their own for what
// wants attention; the rest becomes a summary.

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "connector/chat/event_lines.h"
#include "connector/chat/model.h"
#include "connector/chat/order_desk.h"
#include "connector/chat/order_words.h"

namespace postern::chat {

class Floor;

class Steward {
  public:
    // REQUIRES: settings.queue.channel is a channel's name; the floor outlives us.
    explicit Steward(Floor& floor);

    bool keeps(const Channel& channel) const;
    bool is(std::string_view nick) const;
    std::string mask() const;
    const Client& voice() const { return voice_; }  // who speaks, for those who ask; in no list
    bool mayEnter(const Client& client) const;

    void greet(Client& client);  // who has just entered: what happened lately
    // Something said in the channel; only what is said to us is an order.
    void overhear(Client& client, std::string_view text);
    void hear(Client& client, std::string_view text);  // said to us alone
    void forget(ConnectionId id);                      // its connection ends

    void tell(const admin::FeedEvent& event);  // also ends the connections of an account that changed
    void missed(std::int64_t events);          // that nobody can tell of any more
    void settle(Outcome outcome);

    SteadyTime nextLook() const { return nextLook_; }
    void lookAtClock();

    std::vector<std::unique_ptr<const Order>> takeOrders() { return std::exchange(orders_, {}); }
    std::size_t people() const { return people_.size(); }
    std::size_t asked() const { return asked_.size(); }

  private:
    // What somebody was told lately, and was not told.
    struct Heard {
        SteadyTime second{};  // the one in which `lines` were told, by whether they want attention
        std::array<int, 2> lines{};
        std::array<std::int64_t, kEventKinds> untold{};
        SteadyTime summaryAt = SteadyTime::max();
    };
    struct Question {
        std::string token;
        admin::Request request;
        SteadyTime until;
    };
    struct Person {
        Heard heard{};
        std::optional<Question> question{};
        std::size_t orders = 0;       // out
        std::uint64_t filtering = 0;  // the order that asks about the newest filter; 0: none is out
    };
    // What an account wants to be told; kept while the service runs.
    struct Taste {
        std::string adapter{};  // empty: all
        std::set<EventKind> kinds{};
        std::optional<SteadyTime> mutedUntil{};
    };
    struct Asked {
        enum class For { Answer, Trial, Ack, Filter };
        For what = For::Answer;
        admin::Request request{};
        std::string note{};  // of an ack
        Taste taste{};       // that a filter brings
        ConnectionId from = 0;
    };

    std::optional<admin::Role> roleOf(const Client& client) const;
    bool wants(const Client& client, const EventLine& line) const;
    bool lookedAfter(const EventLine& line);
    bool waitsOn(const EventLine& line, const std::string& reason);
    void keep(EventLine line);
    void turnOut(const std::string& account);
    void tellAll(const EventLine& line);
    void tellOne(Client& client, const EventLine& line);
    void summarise(Client& client, Heard& heard);
    Line lineTo(const std::string& target, const char* command, std::string_view text) const;
    void say(Client& client, std::string_view text);

    void help(Client& client, const Wish& wish);
    void agree(Client& client, const Wish& wish);
    void filter(Client& client, const Wish& wish);
    void mute(Client& client, const Wish& wish);
    void acknowledge(Client& client, const Wish& wish);
    std::uint64_t order(Client& client, Asked asked);  // its number; 0: too many are out
    void lookAfter(Client& client, const Asked& asked, const Outcome& outcome);
    void choose(Client& client, Taste taste);
    void askAgain(Client& client, admin::Request request, const Outcome& outcome);

    Floor& floor_;
    Client voice_;
    std::map<ConnectionId, Person> people_;  // who has been in the channel, or gave an order
    std::map<std::string, Taste> tastes_;    // by account
    std::map<std::uint64_t, Asked> asked_;   // by the order's number
    std::deque<std::int64_t> lookedAfter_;   // items, the one taken last at the end
    struct Told {
        std::string reason;
        std::int64_t serial = 0;  // the least: told longest ago
    };
    std::map<std::int64_t, Told> waiting_;  // mail for people: why it was put off
    std::int64_t told_ = 0;
    std::deque<EventLine> past_;
    std::vector<std::unique_ptr<const Order>> orders_;
    std::uint64_t lastOrder_ = 0;
    SteadyTime nextLook_ = SteadyTime::max();
};

}  // namespace postern::chat
