// postern submit: a mail from standard input, as sendmail(8) takes it. It is stored when we end with 0.

#include <istream>

#include <CLI/CLI.hpp>

#include "base/file.h"
#include "connector/admin/control.h"
#include "connector/cli/backend.h"
#include "connector/cli/verbs.h"

namespace postern::cli {

namespace {

struct Submission {
    std::string from;
    bool fromGiven = false;
    std::vector<std::string> recipients;
};

class InputBytes final : public admin::ByteStream {
  public:
    explicit InputBytes(std::istream& in) : in_(in) {}
    Result<std::size_t> read(char* into, std::size_t size) override {
        in_.read(into, static_cast<std::streamsize>(size));
        if (in_.bad()) return fail(Errc::Io, "standard input can not be read");
        return static_cast<std::size_t>(in_.gcount());
    }

  private:
    std::istream& in_;
};

// A caller that is not told "try again later" drops the mail: only what another try can not cure is final.
int exitForMail(const Error& error) {
    switch (error.code) {
        case Errc::Invalid: return kExitData;
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
    for (const std::string& recipient : mail.recipients) request.fields["recipients"] += recipient + "\n";
    const auto backend = Backend::open(*config, run.console.clock);
    InputBytes bytes(run.console.in);
    Output output(run.console, run.form());
    const Result<void> stored =
        backend.ok() ? (*backend)->call(request, bytes, output.sink()) : Result<void>(backend.error());
    if (stored.ok()) return kExitDone;
    run.complain(stored.error().text);
    return exitForMail(stored.error());
}

}  // namespace

Carry setupSubmit(CLI::App& command, Run& run) {
    const auto mail = std::make_shared<Submission>();
    const CLI::Option* from =
        command
            .add_option("--from", mail->from,
                        "The envelope sender; \"\" or \"<>\" for none; default: you at this host")
            ->option_text("ADDRESS");
    command.add_option("RECIPIENT", mail->recipients, "Envelope recipients")->required();
    command.footer(
        "The mail ends with the input: a line with a single dot is a line like others. Nothing is stored\n"
        "when one recipient is refused. Exit status 75: not stored, try again later.");
    return [&run, mail, from] {
        mail->fromGiven = from->count() > 0;
        if (mail->from == "<>") mail->from.clear();
        return submit(run, *mail);
    };
}

}  // namespace postern::cli
