// Mail handed to any command: its arguments are a list with places for values of the mail, its input is the
// text, its exit status the answer. Exactly once as command.h says.

#include "adapters/command/argument_template.h"
#include "adapters/command/command.h"
#include "adapters/command/command_text.h"
#include "adapters/command/shell_words.h"
#include "adapters/kinds.h"
#include "base/text.h"

namespace postern::adapters {

namespace {

struct PipePlan {
    ArgumentTemplate arguments;
    CommandText text;
    int mostRecipients = 1;
    int argumentBytes = 32768;
};

class Pipe final : public CommandAdapter {
  public:
    Pipe(AdapterContext adapterContext, CommandPlan commandPlan, PipePlan own)
        : CommandAdapter(std::move(adapterContext), std::move(commandPlan)), own_(std::move(own)) {}

    Grouping grouping() const override { return {own_.mostRecipients, own_.argumentBytes, &argumentCost}; }

    std::optional<std::string> refuses(const Recipient& recipient) const override {
        if (own_.text.head == TextHead::Bsmtp)
            if (auto refused = refusedInBsmtp(recipient)) return refused;
        return own_.arguments.refuses(recipient);
    }

  protected:
    Result<std::vector<std::string>> arguments(const Delivery& delivery) const override {
        return argumentsFor(context(), own_.text, own_.arguments, delivery);
    }

    Result<std::optional<Outcome>> write(Job& job, StagedFile& file) const override {
        return writeCommandText(context(), own_.text, job, file);
    }

  private:
    const PipePlan own_;
};

TextHead headNamed(const std::string& name) {
    if (name == "from-line") return TextHead::FromLine;
    if (name == "header") return TextHead::Envelope;
    return name == "bsmtp" ? TextHead::Bsmtp : TextHead::None;
}

Result<std::unique_ptr<Adapter>> makePipe(const AdapterContext& context, const Settings& settings) {
    POSTERN_LET(plan, commandPlan(settings));
    std::vector<std::string> command = settings.list("command");
    if (command.empty() || !isAbsolutePath(command.front()))
        return fail(Errc::Invalid, "command: the first word must be the program's absolute path");
    if (const auto wrong = valueInShellProgram(command)) return fail(Errc::Invalid, "command: " + *wrong);
    plan.program = command.front();
    command.erase(command.begin());
    plan.dialect = settings.text("dialect") == "qmail" ? ExitDialect::Qmail : ExitDialect::Sysexits;
    PipePlan own;
    own.mostRecipients = static_cast<int>(settings.integer("most_recipients"));
    own.argumentBytes = static_cast<int>(settings.integer("argument_limit"));
    own.text.nullSender = settings.text("null_sender");
    auto arguments =
        ArgumentTemplate::parse(command, {own.text.nullSender, context.hostname, own.mostRecipients != 1});
    if (!arguments.ok()) return arguments.error().within("command");
    own.arguments = std::move(*arguments);
    own.text.head = headNamed(settings.text("envelope"));
    POSTERN_TRY(readTextSettings(context, settings, own.text));
    return std::unique_ptr<Adapter>(std::make_unique<Pipe>(context, std::move(plan), std::move(own)));
}

std::vector<Setting> pipeSettings() {
    using enum SettingType;
    std::vector<Setting> own = {
        {"command", List, nullptr,
         "The program's absolute path and its arguments, one a line; {sender}, {recipient}, {item} and "
         "others "
         "stand for values of the mail. No shell reads it."},
        {"most_recipients", Integer, "1", "Recipients per run; 0: no limit.", {}, 0, 1000000},
        {"argument_limit",
         Size,
         "32 KiB",
         "Bytes of the recipients among the arguments of one run; more make a run of their own.",
         {},
         512,
         1 << 20},
        {"dialect",
         Choice,
         "sysexits",
         "What exit codes mean: sysexits, as Postfix reads them; qmail, as qmail-command has them.",
         {"sysexits", "qmail"}},
        {"envelope",
         Choice,
         "none",
         "Before the message: nothing; from-line: \"From sender date\"; header: Return-Path and "
         "Delivered-To. "
         "bsmtp: all of it as a batch SMTP mail.",
         {"none", "from-line", "header", "bsmtp"}},
        {"line_ends", Choice, "lf", "How lines end.", {"lf", "crlf"}},
        {"null_sender", Text, "MAILER-DAEMON", "Stands for the null sender in {sender} and the From line."},
    };
    for (Setting& setting : bsmtpSettings()) own.push_back(std::move(setting));
    return own;
}

}  // namespace

Kind pipeKind() {
    return {"pipe", "mail handed to any command on its standard input",
            commandSettings(messageSettings(pipeSettings())), &makePipe};
}

}  // namespace postern::adapters
