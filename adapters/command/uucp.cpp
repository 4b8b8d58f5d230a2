// Mail for a UUCP neighbour (RFC 976): `uux system!rmail (user)...` with a "From ... remote from ..." line,
// or `uux system!rsmtp` with batch SMTP (FORMATS 7.1). uux only queues the job; its queue entry is the
// commit, and where nobody saw uux end, the spool is looked into for a mark in the text.

#include <algorithm>

#include "adapters/command/command.h"
#include "adapters/command/command_text.h"
#include "adapters/command/uucp_spool.h"
#include "adapters/envelope_text.h"
#include "adapters/kinds.h"
#include "base/path.h"
#include "base/places.h"
#include "base/text.h"

namespace postern::adapters {

namespace {

struct UucpPlan {
    std::string system, spool, config, grade;
    bool batch = false;  // rsmtp
    bool callNow = false;
    int mostRecipients = 0;
    int argumentBytes = 512;
    CommandText text;
};

// What goes through a remote uuxqt, rmail and perhaps a shell unharmed: letters, digits and these.
bool safeWord(std::string_view text) {
    constexpr std::string_view kSigns = "!%+,-./:=@_";
    return !text.empty() && text.front() != '-' && std::all_of(text.begin(), text.end(), [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               kSigns.find(c) != std::string_view::npos;
    });
}

int wordBytes(const Recipient& recipient) {
    return static_cast<int>(legacyOrAddress(recipient).size()) + 1;
}

// "host!user" of "user@host".
std::string bangForm(const std::string& address) {
    const std::size_t at = address.rfind('@');
    if (at == std::string::npos) return address;
    return address.substr(at + 1) + "!" + address.substr(0, at);
}

class Uucp final : public CommandAdapter {
  public:
    Uucp(AdapterContext adapterContext, CommandPlan commandPlan, UucpPlan own)
        : CommandAdapter(std::move(adapterContext), std::move(commandPlan)), own_(std::move(own)) {}

    // uux takes a moment, and one sync of the spool serves a batch.
    int batchLimit() const override { return 16; }

    Grouping grouping() const override {
        if (own_.batch) return {own_.mostRecipients, 0, nullptr};
        return {own_.mostRecipients, own_.argumentBytes, &wordBytes};
    }

    std::optional<std::string> refuses(const Recipient& recipient) const override {
        if (own_.batch) return refusedInBsmtp(recipient);
        const std::string& name = legacyOrAddress(recipient);
        if (!safeWord(name))
            return "'" + escapeLine(name, 100) + "' can not be an argument of rmail on another system";
        if (wordBytes(recipient) > own_.argumentBytes)
            return "'" + escapeLine(name, 100) + "' is longer than argument_limit";
        return std::nullopt;
    }

    Result<void> probe() override {
        POSTERN_TRY(CommandAdapter::probe());
        const auto spool = Folder::open(own_.spool);
        if (spool.ok()) return {};
        return fail(Errc::Unavailable, spool.error().within("the spool of UUCP").text);
    }

  protected:
    Result<std::vector<std::string>> arguments(const Delivery& delivery) const override {
        std::vector<std::string> words;
        if (!own_.config.empty()) words = {"-I", own_.config};
        if (!own_.callNow) words.emplace_back("-r");
        if (!own_.grade.empty()) words.insert(words.end(), {"-g", own_.grade});
        // Failures are told to the sender; nobody is told where there is none (RFC 5321 4.5.5).
        if (safeWord(delivery.sender))
            words.insert(words.end(), {"-a", delivery.sender});
        else
            words.emplace_back("-n");
        words.insert(words.end(), {"-", own_.system + (own_.batch ? "!rsmtp" : "!rmail")});
        if (own_.batch) {
            if (const auto refused = senderRefusedInBsmtp(delivery.sender))
                return fail(Errc::Invalid, *refused);
            return words;
        }
        // In parentheses, so that uux takes no "host!user" for a file.
        for (const Recipient& recipient : delivery.recipients)
            words.push_back("(" + legacyOrAddress(recipient) + ")");
        return words;
    }

    Result<std::optional<Outcome>> write(Job& job, StagedFile& file) const override {
        const std::string sender = job.delivery.sender;
        if (own_.batch || sender.empty() || safeWord(sender))
            return writeCommandText(context(), own_.text, job, file);
        job.notes.push_back("its sender '" + escapeLine(sender, 100) +
                            "' can not stand in a UUCP From line; " + own_.text.nullSender +
                            " stands there, and nobody is told of a failure over there");
        job.delivery.sender.clear();
        auto written = writeCommandText(context(), own_.text, job, file);
        job.delivery.sender = sender;
        return written;
    }

    std::string target() const override {
        return own_.system + "!" + (own_.batch ? "rsmtp" : "rmail") + ", queued by " + plan().program;
    }

    // uux syncs nothing.
    Result<void> taken() const override {
        POSTERN_LET(spool, Folder::open(own_.spool));
        return spool.syncVolume();
    }

    Recovery look(const DeliveryKey& key) const override {
        const std::string folder = joinPath(own_.spool, own_.system);
        const auto job = lookInUucpSpool(own_.spool, own_.system, uucpMark(context(), key));
        if (!job.ok()) return {Found::CannotTell, job.error().text, std::nullopt};
        switch (*job) {
            case UucpJob::Queued: return {Found::Published, "its job waits in " + folder, std::nullopt};
            case UucpJob::NotQueued:
                return {Found::NotPublished, "uux left its data in " + folder + ", but no job", std::nullopt};
            case UucpJob::NotThere: break;
        }
        return {Found::CannotTell,
                "nothing of it is in " + folder + ": uux did not get so far, or it was sent since",
                std::nullopt};
    }

  public:
    static std::string uucpMark(const AdapterContext& context, const DeliveryKey& key) {
        return "X-Postern-Item: " + std::to_string(key.item.value) + "." + std::to_string(key.epoch.value) +
               "." + context.storeId;
    }

  private:
    const UucpPlan own_;
};

bool systemName(std::string_view text) {
    return safeWord(text) && text.size() <= 64 && text.find_first_of("!@/:,%") == std::string_view::npos;
}

Result<void> checkUucp(const UucpPlan& own, const Settings& settings) {
    if (!systemName(own.system)) return fail(Errc::Invalid, "system: a UUCP system's name, like oldbox");
    if (!systemName(own.text.remote)) return fail(Errc::Invalid, "node_name: our UUCP name, like gateway");
    if (!isAbsolutePath(own.spool)) return fail(Errc::Invalid, "spool: must be an absolute path");
    if (const auto usable = usableFileName("D."); !usable.ok())
        return usable.error().within("system: the spool of UUCP can not be on this machine");
    if (!isAbsolutePath(settings.text("program")))
        return fail(Errc::Invalid, "program: must be an absolute path");
    if (!own.config.empty() && !isAbsolutePath(own.config))
        return fail(Errc::Invalid, "config: must be an absolute path");
    if (own.grade.size() > 1 || !(own.grade.empty() || safeWord(own.grade)))
        return fail(Errc::Invalid, "grade: one letter or digit");
    if (!safeWord(own.text.nullSender))
        return fail(Errc::Invalid, "null_sender: one word, like MAILER-DAEMON");
    return {};
}

Result<std::unique_ptr<Adapter>> makeUucp(const AdapterContext& context, const Settings& settings) {
    POSTERN_LET(plan, commandPlan(settings));
    plan.program = settings.text("program");
    plan.dialect = ExitDialect::Queuer;
    plan.sharesLock = settings.text("when") == "later";  // uucico, when uux starts it, stays for long
    UucpPlan own;
    own.system = settings.text("system");
    own.spool = settings.text("spool");
    own.config = settings.text("config");
    own.grade = settings.text("grade");
    own.batch = settings.text("remote_command") == "rsmtp";
    own.callNow = settings.text("when") == "now";
    own.mostRecipients = static_cast<int>(settings.integer("most_recipients"));
    own.argumentBytes = static_cast<int>(settings.integer("argument_limit")) - 8;  // "rmail" and a little
    own.text.head = own.batch ? TextHead::Bsmtp : TextHead::FromLine;
    own.text.nullSender = settings.text("null_sender");
    own.text.remote = settings.text("node_name");
    if (own.text.remote.empty()) own.text.remote = context.hostname.substr(0, context.hostname.find('.'));
    if (settings.text("sender_form") == "bang") own.text.senderForm = &bangForm;
    own.text.ownFields = [context](const DeliveryKey& key) { return Uucp::uucpMark(context, key) + "\r\n"; };
    POSTERN_TRY(readTextSettings(context, settings, own.text));
    POSTERN_TRY(checkUucp(own, settings));
    return std::unique_ptr<Adapter>(std::make_unique<Uucp>(context, std::move(plan), std::move(own)));
}

std::vector<Setting> uucpSettings() {
    using enum SettingType;
    std::vector<Setting> own = {
        {"system", Text, nullptr, "The UUCP neighbour that the mail goes to."},
        {"node_name", Text, "",
         "Our UUCP name, in \"remote from\"; empty: our hostname up to its first dot."},
        {"remote_command",
         Choice,
         "rmail",
         "rmail: the recipients as its arguments; rsmtp: all in a batch SMTP mail.",
         {"rmail", "rsmtp"}},
        {"program", Path, placeFor("/usr/bin/uux"), "The program that queues jobs."},
        {"config", Path, "", "A configuration file for uux (its option -I); empty: the system's."},
        {"spool", Path, placeFor("/var/spool/uucp"),
         "Where uux queues: made durable, and looked into after a crash."},
        {"when",
         Choice,
         "later",
         "later: only queue, uucico calls in its own time; now: uux starts uucico.",
         {"later", "now"}},
        {"grade", Text, "", "The grade of the jobs (uux's option -g); empty: uux's own."},
        {"sender_form",
         Choice,
         "internet",
         "The sender in the From line: user@host, or host!user.",
         {"internet", "bang"}},
        {"null_sender", Text, "MAILER-DAEMON", "Stands in the From line for the null sender."},
        {"argument_limit",
         Size,
         "512 B",
         "Bytes of a job's command; more recipients make more jobs.",
         {},
         128,
         1 << 20},
        {"most_recipients", Integer, "0", "Recipients per job; 0: no other limit.", {}, 0, 1000000},
        {"line_ends", Choice, "lf", "How lines end; only odd neighbours want crlf.", {"lf", "crlf"}},
    };
    for (Setting& setting : bsmtpSettings()) own.push_back(std::move(setting));
    return own;
}

}  // namespace

Kind uucpKind() {
    return {"uucp", "mail queued for a UUCP neighbour by uux",
            commandSettings(messageSettings(uucpSettings())), &makeUucp};
}

}  // namespace postern::adapters
