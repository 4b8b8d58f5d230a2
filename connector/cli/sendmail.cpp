#include "connector/cli/sendmail.h"

#include <cstdio>
#include <optional>
#include <ostream>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "connector/admin/look.h"
#include "connector/cli/backend.h"
#include "connector/cli/exits.h"
#include "connector/cli/input.h"
#include "connector/cli/sendmail_arguments.h"
#include "connector/config/load.h"
#include "connector/intake/local_header.h"
#include "queue/inspect.h"

namespace postern::cli {

namespace {

class Sendmail {
  public:
    Sendmail(SendmailCommand command, Console& console) : command_(std::move(command)), console_(console) {}

    int run() {
        if (command_.mode == SendmailMode::Help) return say(sendmailHelp());
        if (command_.mode == SendmailMode::Nothing) return say(command_.said + "\n");
        const std::string path = command_.configPath.empty() ? config::defaultPath() : command_.configPath;
        config::Loaded loaded = config::load(path);
        for (const config::Problem& problem : loaded.problems)
            complain(config::placeText(problem.place) + ": " + problem.text);
        if (!loaded.config) return kExitTemporary;
        config_ = std::move(loaded.config);
        switch (command_.mode) {
            case SendmailMode::Smtp: return speak();
            case SendmailMode::Queue: return listQueue();
            default: return takeMail();
        }
    }

  private:
    int say(const std::string& text) {
        console_.out << text;
        return kExitDone;
    }
    void complain(const std::string& text) {
        console_.err << "postern-sendmail: " << escapeLine(text, 4000) << "\n";
    }
    int refuse(const Error& error, int exit) {
        complain(error.text);
        return exit;
    }

    int takeMail();
    int speak();
    int listQueue();
    Result<admin::Request> request() const;
    Result<std::string> sender() const;

    const SendmailCommand command_;
    Console& console_;
    std::optional<config::Config> config_;
};

int exitForMail(const Error& error) {
    switch (error.code) {
        case Errc::Invalid: return kExitData;
        case Errc::NotFound: return kExitNoUser;
        case Errc::Denied: return kExitPermission;
        default: return kExitTemporary;
    }
}

Result<std::string> Sendmail::sender() const {
    if (!command_.fromGiven) return userName() + "@" + config_->hostname;
    if (trim(command_.from).empty() || trim(command_.from) == "<>") return std::string();
    POSTERN_LET(addresses, intake::addressesIn(command_.from, config_->hostname));
    if (addresses.size() == 1) return addresses.front();
    return fail(Errc::Invalid, "-f takes one address, not \"" + escapeLine(command_.from, 200) + "\"");
}

Result<admin::Request> Sendmail::request() const {
    admin::Request request;
    request.verb = "submit";
    request.who = userName();
    request.body = true;
    auto& fields = request.fields;
    POSTERN_LET(from, sender());
    fields["sender"] = from;
    // A word may hold several, with names and comments, as in a header.
    for (const std::string& word : command_.recipients) {
        POSTERN_LET(addresses, intake::addressesIn(word, config_->hostname));
        if (addresses.empty() && !trim(word).empty())
            return fail(Errc::Invalid, "\"" + escapeLine(word, 200) + "\" names nobody");
        for (const std::string& address : addresses) fields["recipients"] += address + "\n";
    }
    if (command_.headerRecipients) fields["recipients_from"] = "header";
    fields["complete"] = "true";
    fields["full_name"] = command_.fullName;
    fields["notify"] = command_.notify;
    fields["ret"] = command_.ret;
    fields["envid"] = command_.envelopeId;
    fields["body"] = command_.body;
    return request;
}

int Sendmail::takeMail() {
    auto asked = request();
    if (!asked.ok()) return refuse(asked.error(), exitForMail(asked.error()));
    InputBytes whole(console_.in);
    InputUpToDot upToDot(console_.in);
    admin::ByteStream& bytes = command_.dotEnds ? static_cast<admin::ByteStream&>(upToDot) : whole;
    const auto kept = Kept::all(bytes, config_->submitMessageSize);
    if (!kept.ok()) return refuse(kept.error(), exitForMail(kept.error()));
    asked->fields["size"] = std::to_string((*kept)->size());
    const auto backend = Backend::open(*config_, console_.clock);
    if (!backend.ok()) return refuse(backend.error(), kExitTemporary);
    const auto stored =
        (*backend)->call(*asked, **kept, [](const admin::Record&) -> Result<void> { return {}; });
    return stored.ok() ? int{kExitDone} : refuse(stored.error(), exitForMail(stored.error()));
}

int Sendmail::speak() {
    const auto backend = Backend::open(*config_, console_.clock);
    if (!backend.ok()) {
        // Whoever speaks SMTP waits for a greeting, not for an exit status.
        console_.out << "421 4.3.2 " << config_->hostname << " not available, try again later\r\n"
                     << std::flush;
        return refuse(backend.error(), kExitTemporary);
    }
    admin::Request request;
    request.verb = "submit.smtp";
    request.who = userName();
    request.body = request.turns = true;
    InputLines lines(console_.in);
    const auto spoken = (*backend)->call(request, lines, [&](const admin::Record& row) -> Result<void> {
        console_.out << row.text("replies") << std::flush;
        if (!console_.out) return fail(Errc::Io, "the replies can not be written");
        return {};
    });
    return spoken.ok() ? int{kExitDone} : refuse(spoken.error(), kExitTemporary);
}

std::string queueLine(const queue::ItemRow& item) {
    char line[120];
    std::snprintf(line, sizeof line, "%-11lld %8lld  %s  ", static_cast<long long>(item.id.value),
                  static_cast<long long>(item.size), formatUtc(item.received).c_str());
    return line + escapeLine(item.sender.empty() ? "MAILER-DAEMON" : item.sender, 254) + "\n";
}

// As mailq has always shown it; 'postern queue list' shows more.
int Sendmail::listQueue() {
    const auto reader = openReader(*config_);
    if (!reader.ok()) return refuse(reader.error(), kExitTemporary);
    queue::Filter filter;
    filter.waiting = true;
    std::int64_t items = 0, bytes = 0;
    const auto listed = queue::listItems((*reader)->session(), filter, [&](const queue::ItemRow& item) {
        admin::lookedAtOne(admin::Pace::InSlices);
        if (items++ == 0)
            console_.out << "-Queue ID--  --Size--  ----Arrival (UTC)---  -Sender/Recipient-------\n";
        bytes += item.size;
        console_.out << queueLine(item);
        if (!item.reason.empty()) console_.out << "      (" << escapeLine(item.reason, 300) << ")\n";
        console_.out << std::string(45, ' ') << escapeLine(item.firstRecipient, 254);
        if (item.recipientCount > 1) console_.out << " and " << item.recipientCount - 1 << " more";
        console_.out << "\n\n";
        return static_cast<bool>(console_.out);
    });
    if (!listed.ok()) return refuse(listed.error(), kExitTemporary);
    if (items == 0) return say("Mail queue is empty\n");
    return say("-- " + formatSize(bytes) + " in " + std::to_string(items) +
               (items == 1 ? " item.\n" : " items.\n"));
}

}  // namespace

int runSendmail(const std::string& program, const std::vector<std::string>& words, Console& console) {
    setLogLevel(Severity::Error);  // what the rooms below log is for services
    auto command = parseSendmail(program, words);
    if (!command.ok()) {
        console.err << "postern-sendmail: " << escapeLine(command.error().text, 1000) << "\n";
        return kExitUsage;
    }
    try {
        return Sendmail(std::move(*command), console).run();
    } catch (const std::exception& error) {
        console.err << "postern-sendmail: unexpected fault: " << escapeLine(error.what(), 1000) << "\n";
        return kExitTemporary;
    }
}

}  // namespace postern::cli
