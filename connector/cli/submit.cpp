// postern submit: a mail from standard input, as sendmail(8) takes it, or a batch of mails. What is said to
// be stored is on the disk.

#include <algorithm>
#include <fstream>
#include <ostream>

#include <CLI/CLI.hpp>

#include "base/file.h"
#include "base/library_error.h"
#include "connector/admin/control.h"
#include "connector/cli/backend.h"
#include "connector/cli/input.h"
#include "connector/cli/verbs.h"

namespace postern::cli {

namespace {

struct Submission {
    std::string from;
    bool fromGiven = false;
    std::vector<std::string> recipients;
    std::string notify, ret, envelopeId;
    bool batch = false;
};

// A caller that is not told "try again later" drops the mail: only what another try can not cure is final.
int exitForMail(const Error& error) {
    switch (error.code) {
        case Errc::Invalid:
        case Errc::TooLarge: return kExitData;
        case Errc::NotFound: return kExitNoUser;
        case Errc::Denied: return kExitPermission;
        default: return kExitTemporary;
    }
}

int submit(const Run& run, const Submission& mail) {
    const auto config = run.config();
    if (!config) return kExitConfig;
    admin::Request request;
    request.verb = "submit";
    request.who = userName();
    request.body = true;
    request.fields["sender"] = mail.fromGiven ? mail.from : userName() + "@" + config->hostname;
    request.fields["notify"] = mail.notify;
    request.fields["ret"] = mail.ret;
    request.fields["envid"] = mail.envelopeId;
    for (const std::string& recipient : mail.recipients) request.fields["recipients"] += recipient + "\n";
    InputBytes bytes(run.console.in);
    const auto kept = Kept::all(bytes, config->submitMessageSize);
    if (!kept.ok()) {
        run.complain(kept.error().text);
        return exitForMail(kept.error());
    }
    request.fields["size"] = std::to_string((*kept)->size());
    const auto backend = Backend::open(*config, run.console.clock);
    Output output(run.console, run.form());
    const Result<void> stored =
        backend.ok() ? (*backend)->call(request, **kept, output.sink()) : Result<void>(backend.error());
    if (stored.ok()) return kExitDone;
    run.complain(stored.error().text);
    return exitForMail(stored.error());
}

// Each mail of a batch ends by itself: the worst decides.
class BatchEnd {
  public:
    Result<void> take(const admin::Record& row, Output& output) {
        const auto flag = [&](const char* name) {
            const admin::Value* value = row.find(name);
            return value != nullptr && value->number != 0;
        };
        if (!flag("stored")) worst_ = std::max(worst_, flag("again") ? int{kExitTemporary} : int{kExitData});
        return output.row(row);
    }
    int exit() const { return worst_; }

  private:
    int worst_ = kExitDone;
};

int submitBatch(const Run& run, const std::string& file) {
    const auto config = run.config();
    if (!config) return kExitConfig;
    std::ifstream opened;
    if (!file.empty()) opened.open(libraryPath(file), std::ios::binary);
    if (!file.empty() && !opened) {
        run.complain(file + " can not be read");
        return kExitNoInput;
    }
    admin::Request request;
    request.verb = "submit.batch";
    request.who = userName();
    request.body = true;
    const auto backend = Backend::open(*config, run.console.clock);
    InputBytes bytes(file.empty() ? run.console.in : opened);
    Output output(run.console, run.form());
    BatchEnd end;
    const Result<void> read =
        backend.ok() ? (*backend)->call(request, bytes,
                                        [&](const admin::Record& row) { return end.take(row, output); })
                     : Result<void>(backend.error());
    output.finish();
    if (read.ok()) return end.exit();
    run.complain(read.error().text);
    return std::max(end.exit(), exitForMail(read.error()));
}

}  // namespace

Carry setupSubmit(CLI::App& command, Run& run) {
    const auto mail = std::make_shared<Submission>();
    const CLI::Option* from =
        command
            .add_option("--from", mail->from,
                        "The envelope sender; \"\" or \"<>\" for none; default: you at this host")
            ->option_text("ADDRESS");
    command
        .add_option("--notify", mail->notify,
                    "When to report: never, or success,failure,delay in any choice (RFC 3461)")
        ->option_text("WHEN");
    command.add_option("--ret", mail->ret, "What of the mail comes back in a report")
        ->option_text("full|hdrs");
    command.add_option("--envid", mail->envelopeId, "The envelope id for reports")->option_text("ID");
    command.add_flag("--bsmtp", mail->batch,
                     "Take a batch of SMTP commands and mails (RFC 2442); RECIPIENT is its file, if any");
    command.add_option("RECIPIENT", mail->recipients, "Envelope recipients");
    command.footer(
        "The mail ends with the input: a line with a single dot is a line like others. Nothing is stored\n"
        "when one recipient is refused. Exit status 75: not stored, try again later.\n"
        "A row for each mail of a batch says whether it was stored; 65: some were refused, 75: some may be\n"
        "tried again. Submit only those again.");
    return [&run, mail, from] {
        mail->fromGiven = from->count() > 0;
        if (mail->from == "<>") mail->from.clear();
        const auto& words = mail->recipients;
        if (mail->batch && words.size() <= 1) return submitBatch(run, words.empty() ? "" : words.front());
        if (mail->batch || words.empty()) {
            run.complain(mail->batch ? "--bsmtp takes one file at most (see postern --help)"
                                     : "RECIPIENT is required (see postern --help)");
            return int{kExitUsage};
        }
        return submit(run, *mail);
    };
}

}  // namespace postern::cli
