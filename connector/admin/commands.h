#pragma once
// What an operator can ask of a store, in one list (commands()): the service carries these out for requests
// on its control socket, and the command line, when no service runs, on a store it opened itself. Same
// functions, same answers.
//
//   operate, queue.move, queue.requeue, queue.replay    see operate.h
//   watch            see watch.h
//   queue.list, queue.summary, queue.show, queue.log    see look.h
//   item.preview     see preview.h
//   submit           sender, recipients (one a line; a name alone is one of this host), size (0: unknown),
//                    recipients_from=header (To, Cc, Bcc as well), complete=true (Bcc removed; From, Date and
//                    Message-ID added where missing; full_name for From), body=7bit|8bitmime,
//                    notify, ret, envid (RFC 3461); bytes: the mail
//                    rows: recipient, adapter, legacy; nothing is stored when one is refused
//   submit.smtp      bytes: an SMTP session, in turns    rows: replies
//   submit.batch     bytes: a batch (RFC 2442)           rows: mail, line, stored, again, text
//   adapter.test     name ("": all)                     rows: adapter, ok, text
//   adapter.suspend  name, reason, until (milliseconds since 1970, "": until resumed)
//                                                       rows: adapter, done, text
//   adapter.resume   name                               rows: adapter, done, text
//   reload                                              rows: kind (problem, warning, note), place, text
//   account          change=add|passwd|remove, name, verifier (accounts.h), roles     rows: account, text
//   status           all=true|false                   rows: the service, each adapter, each trouble
//   top              see top.h

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "base/clock.h"
#include "connector/admin/control.h"
#include "connector/admin/feed.h"
#include "connector/admin/filter.h"
#include "connector/admin/metrics.h"
#include "connector/admin/role.h"
#include "connector/admin/trouble.h"
#include "connector/config/config.h"
#include "connector/disk/watch.h"
#include "connector/intake/acceptor.h"
#include "connector/routing/router.h"
#include "queue/fate.h"
#include "store/notifier.h"
#include "store/store.h"

namespace postern::admin {

// What "reload" answers, with Invalid, when the running configuration is the one of before.
inline constexpr char kOldStays[] = "the old configuration stays in force";

struct Reloaded {
    bool done = false;                      // false: the old configuration stays in force
    std::vector<config::Problem> problems;  // why not; with `done`: what else is not as it says
    std::vector<config::Problem> warnings;
    std::vector<std::string> notes;  // "store: the change takes effect at the next start"
};

// What commands work on. All references outlive every command; the functions may be called from any thread.
struct ServiceView {
    store::Store& store;
    store::Notifier& notifier;
    Clock& clock;
    intake::Acceptor& acceptor;
    std::function<std::shared_ptr<const config::Config>()> config;  // the one in force
    // The adapter in use under that name; null when there is none.
    std::function<std::shared_ptr<adapters::Adapter>(const std::string& name)> adapter;
    std::function<Reloaded()> reload;  // empty when no service runs
    std::function<Record()> facts;     // of the service, for status: pid, started, sessions; may be empty
    queue::Teller tell = {};           // reports to senders; empty: nobody is told
    // A suspension of that adapter was committed or ended: its watchers look; empty when none run.
    std::function<void(const std::string& name)> holdChanged = {};
    Feed* feed = nullptr;  // null when no service runs
    std::function<std::vector<AdapterMeasures>()> measures = {};
    // The one in force, for items that are routed again.
    std::function<std::shared_ptr<const routing::Router>()> router = {};
    // Of pickup folders, by the pickup's name, as their last look found them; empty when no service runs.
    std::function<std::map<std::string, Error>()> pickupTroubles = {};
    // Of the store's volume and the adapters'; empty when no service runs.
    std::function<disk::Overview()> disk = {};
    std::function<ChatState()> chat = {};  // empty when no service runs
};

struct Command {
    const char* verb;
    const char* summary;
    Role role;                          // the least that may
    std::vector<Parameter> parameters;  // the fields it takes; another one is refused
    Result<void> (*run)(const ServiceView&, const Request&, ByteStream& body, const RowSink& row);
    bool takesBytes = false;  // of a mail or a session: for the control socket only
};
std::span<const Command> commands();
const Command* commandNamed(std::string_view verb);  // null: there is none

// Finds the command and runs it; Denied when `role` may not, Invalid when there is none of that name or it
// does not take a field. The one place where roles are looked at.
Result<void> runCommand(const ServiceView& view, Role role, const Request& request, ByteStream& body,
                        const RowSink& row);

}  // namespace postern::admin
