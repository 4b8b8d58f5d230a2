// Mail for an NNCP node, UUCP's living successor: `nncp-exec node handle arguments...` (FORMATS 7.3). The
// packet in the node's tx folder is the commit. Packets are encrypted and named by the hash of what they
// hold, so that nobody can find a mail among them: a doubt stays one.

#include <algorithm>

#include "adapters/command/argument_template.h"
#include "adapters/command/command.h"
#include "adapters/command/command_text.h"
#include "adapters/kinds.h"
#include "base/places.h"
#include "base/text.h"

namespace postern::adapters {

namespace {

struct NncpPlan {
    std::string node, handle, config, spool, niceness;
    ArgumentTemplate arguments;
    int mostRecipients = 0;
    int argumentBytes = 32768;
    CommandText text;
};

class Nncp final : public CommandAdapter {
  public:
    Nncp(AdapterContext adapterContext, CommandPlan commandPlan, NncpPlan own)
        : CommandAdapter(std::move(adapterContext), std::move(commandPlan)), own_(std::move(own)) {}

    int batchLimit() const override { return 16; }
    Grouping grouping() const override { return {own_.mostRecipients, own_.argumentBytes, &argumentCost}; }

    std::optional<std::string> refuses(const Recipient& recipient) const override {
        if (own_.text.head == TextHead::Bsmtp) return refusedInBsmtp(recipient);
        return own_.arguments.refuses(recipient);
    }

    Result<void> probe() override {
        POSTERN_TRY(CommandAdapter::probe());
        POSTERN_TRY(mayQueue(own_.spool));
        // Made by whoever of NNCP came first, perhaps with a umask that keeps us out.
        for (const std::string& inside : {std::string("tmp"), own_.node, own_.node + "/tx"})
            if (const std::string path = joinPath(own_.spool, inside); pathExists(path))
                POSTERN_TRY(mayQueue(path));
        return {};
    }

  protected:
    Result<std::vector<std::string>> arguments(const Delivery& delivery) const override {
        std::vector<std::string> words;
        if (!own_.config.empty()) words = {"-cfg", own_.config};
        words.emplace_back("-quiet");
        if (!own_.niceness.empty()) words.insert(words.end(), {"-nice", own_.niceness});
        words.insert(words.end(), {own_.node, own_.handle});
        POSTERN_LET(more, argumentsFor(context(), own_.text, own_.arguments, delivery));
        words.insert(words.end(), more.begin(), more.end());
        return words;
    }

    Result<std::optional<Outcome>> write(Job& job, StagedFile& file) const override {
        return writeCommandText(context(), own_.text, job, file);
    }

    std::string target() const override {
        return own_.handle + " at the node " + own_.node + ", queued by " + plan().program;
    }

    // nncp-exec syncs the packet before it gives it its name, and not the folder of that name.
    Result<void> taken() const override {
        POSTERN_LET(spool, Folder::open(own_.spool));
        return spool.syncVolume();
    }

    Recovery look(const DeliveryKey&) const override {
        return {Found::CannotTell,
                "nobody saw how it ended, and packets for " + own_.node + " are encrypted: look there",
                std::nullopt};
    }

  private:
    // nncp-exec 8.8.2 that may not write there waits for ever, and its time limit then leaves a doubt.
    static Result<void> mayQueue(const std::string& path) {
        const auto opened = Folder::open(path);
        const Result<void> usable = opened.ok() ? opened->mayWrite() : Result<void>(opened.error());
        if (usable.ok()) return {};
        return fail(Errc::Unavailable, usable.error().within("the spool of NNCP").text);
    }

    const NncpPlan own_;
};

bool plainWord(std::string_view text) {
    return !text.empty() && text.front() != '-' &&
           std::all_of(text.begin(), text.end(), [](unsigned char c) { return c > 0x20 && c < 0x7f; });
}

Result<void> checkNncp(const NncpPlan& own, const Settings& settings) {
    if (!plainWord(own.node)) return fail(Errc::Invalid, "node: the name or id of an NNCP node");
    if (!plainWord(own.handle))
        return fail(Errc::Invalid, "handle: the name of what the node runs, like sendmail");
    if (!isAbsolutePath(own.spool)) return fail(Errc::Invalid, "spool: must be an absolute path");
    if (!isAbsolutePath(settings.text("program")))
        return fail(Errc::Invalid, "program: must be an absolute path");
    if (!own.config.empty() && !isAbsolutePath(own.config))
        return fail(Errc::Invalid, "config: must be an absolute path");
    if (!own.niceness.empty() && !plainWord(own.niceness))
        return fail(Errc::Invalid, "niceness: as nncp-exec takes it, like NORMAL or 96");
    return {};
}

Result<std::unique_ptr<Adapter>> makeNncp(const AdapterContext& context, const Settings& settings) {
    POSTERN_LET(plan, commandPlan(settings));
    plan.program = settings.text("program");
    plan.dialect = ExitDialect::Queuer;
    plan.sharesLock = true;
    NncpPlan own;
    own.node = settings.text("node");
    own.handle = settings.text("handle");
    own.config = settings.text("config");
    own.spool = settings.text("spool");
    own.niceness = settings.text("niceness");
    own.mostRecipients = static_cast<int>(settings.integer("most_recipients"));
    const bool batch = settings.text("envelope") == "bsmtp";
    own.text.head = batch ? TextHead::Bsmtp : TextHead::None;
    auto arguments =
        ArgumentTemplate::parse(batch ? std::vector<std::string>() : settings.list("arguments"),
                                {settings.text("null_sender"), context.hostname, own.mostRecipients != 1});
    if (!arguments.ok()) return arguments.error().within("arguments");
    own.arguments = std::move(*arguments);
    POSTERN_TRY(readTextSettings(context, settings, own.text));
    POSTERN_TRY(checkNncp(own, settings));
    return std::unique_ptr<Adapter>(std::make_unique<Nncp>(context, std::move(plan), std::move(own)));
}

std::vector<Setting> nncpSettings() {
    using enum SettingType;
    std::vector<Setting> own = {
        {"node", Text, nullptr, "The NNCP node that the mail goes to: its name or id."},
        {"handle", Text, "sendmail", "What the node runs: a name in its `exec` list for us."},
        {"arguments", List, "-f\n{sender}\n--\n{recipients...}",
         "What the handle gets behind its own arguments; places as in the pipe kind."},
        {"envelope",
         Choice,
         "arguments",
         "arguments: the envelope is in them; bsmtp: no arguments, all in a batch SMTP mail.",
         {"arguments", "bsmtp"}},
        {"program", Path, placeFor("/usr/bin/nncp-exec"), "The program that queues packets."},
        {"config", Path, "", "A configuration file for nncp-exec (its option -cfg); empty: the system's."},
        {"spool", Path, placeFor("/var/spool/nncp"),
         "The spool of that configuration: made durable after each batch."},
        {"niceness", Text, "", "The packets' niceness (nncp-exec's option -nice); empty: its own."},
        {"null_sender", Text, "<>", "Stands for the null sender in {sender}."},
        {"most_recipients", Integer, "50", "Recipients per packet; 0: no limit.", {}, 0, 1000000},
        {"line_ends", Choice, "lf", "How lines end; only odd nodes want crlf.", {"lf", "crlf"}},
    };
    for (Setting& setting : bsmtpSettings()) own.push_back(std::move(setting));
    return own;
}

}  // namespace

Kind nncpKind() {
    return {"nncp", "mail queued for an NNCP node by nncp-exec",
            commandSettings(messageSettings(nncpSettings())), &makeNncp};
}

}  // namespace postern::adapters
