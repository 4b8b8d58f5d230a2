// postern convert: what an adapter would make of a mail. Reads the configuration and the mail, and touches
// neither the store nor anything of the legacy side.

#include <fstream>
#include <optional>
#include <ostream>

#include <CLI/CLI.hpp>

#include "adapters/spool/staged_file.h"
#include "base/library_error.h"
#include "base/temporary_file.h"
#include "base/text.h"
#include "connector/admin/shown_lines.h"
#include "connector/cli/input.h"
#include "connector/cli/look.h"
#include "connector/config/unknown.h"
#include "connector/intake/line_ends.h"
#include "connector/intake/local_header.h"
#include "mail/address.h"

namespace postern::cli {

namespace {

struct Question {
    std::string file, adapter, from, output;
    bool fromGiven = false, raw = false;
    std::vector<std::string> recipients;
};

Result<std::string> readMail(const Run& run, const Question& question, std::int64_t most) {
    std::ifstream opened;
    if (question.file != "-") opened.open(libraryPath(question.file), std::ios::binary);
    if (question.file != "-" && !opened) return fail(Errc::NotFound, question.file + " can not be read");
    InputBytes bytes(question.file == "-" ? run.console.in : opened);
    const auto piece = std::make_unique<char[]>(65536);
    intake::LineEnds lineEnds;
    std::string mail;
    for (;;) {
        POSTERN_LET(got, bytes.read(piece.get(), 65536));
        if (got == 0) return mail;
        lineEnds.feed({piece.get(), got}, mail);
        if (static_cast<std::int64_t>(mail.size()) > most)
            return fail(Errc::TooLarge, "the mail is larger than " + formatSize(most));
    }
}

struct Envelope {
    std::string sender;
    std::vector<std::string> recipients;
    std::string header;  // of the mail: rules look at it
};

// What the options do not say is in the header. UTF-8 as over SMTPUTF8.
Result<Envelope> envelopeOf(const Question& question, std::string_view mail, const std::string& hostname) {
    intake::HeaderCatcher header;
    POSTERN_TRY(header.feed(mail));
    header.end();
    const auto fields = intake::localFields(header.block());
    Envelope envelope;
    envelope.header = header.block();
    if (question.fromGiven) {
        if (trim(question.from) != "<>") envelope.sender = trim(question.from);
    } else {
        POSTERN_LET(sender, intake::headerSender(fields, hostname));
        envelope.sender = sender.value_or("");
    }
    for (const std::string& word : question.recipients) {
        POSTERN_LET(addresses, intake::addressesIn(word, hostname));
        envelope.recipients.insert(envelope.recipients.end(), addresses.begin(), addresses.end());
    }
    if (question.recipients.empty()) {
        POSTERN_LET(named, intake::headerRecipients(fields, hostname));
        envelope.recipients = std::move(named);
    }
    if (envelope.recipients.empty())
        return fail(Errc::Invalid, "the mail names no recipient: give one with --to");
    return envelope;
}

// The mail as the queue would hand it to the adapter, but for the Received line that intake puts on top.
class Conversion {
  public:
    Conversion(const Run& run, const Question& question, const config::Config& config)
        : run_(run), question_(question), config_(config) {}

    Result<int> run() {
        const config::Adapter* adapter = nullptr;
        for (const config::Adapter& each : config_.adapters)
            if (each.name == question_.adapter) adapter = &each;
        if (adapter == nullptr) return config::noAdapter(config_, question_.adapter);
        POSTERN_LET(look, makeLookRouter(run_, config_));
        if (look == nullptr) return int{kExitConfig};
        POSTERN_LET(mail, readMail(run_, question_, config_.submitMessageSize));
        POSTERN_LET(envelope, envelopeOf(question_, mail, config_.hostname));
        StringSource source(std::move(mail));
        adapters::Job job;
        job.delivery.message = &source;
        job.delivery.sender = envelope.sender;
        POSTERN_TRY(address(*look, envelope, source.size(), job));
        return convert(*adapter, *look->adapters[adapter->name], job);
    }

  private:
    // The first of the items that intake would make for this adapter: every recipient is routed as there.
    Result<void> address(const LookRouter& look, const Envelope& envelope, std::int64_t size,
                         adapters::Job& job) {
        const routing::Mail mail{envelope.sender, {}, size, true, envelope.header};
        std::vector<routing::Router::Routed> here, strangers;
        std::vector<std::string> elsewhere;
        std::optional<Error> refusal;
        for (const std::string& text : envelope.recipients) {
            POSTERN_LET(parsed, mail::parseAddress(text, {true, false, {}}));
            const std::string address = parsed.text();
            auto found = look.router->admit(address, mail);
            if (found.ok() && found->destination.adapter == question_.adapter) {
                here.push_back(std::move(*found));
            } else if (found.ok() || found.error().code == Errc::NotFound) {
                strangers.push_back({address, {question_.adapter, "", "", false}});
                elsewhere.push_back("<" + address + "> " +
                                    (found.ok() ? "goes to the adapter \"" + found->destination.adapter + "\""
                                                : "would be refused: " + found.error().text));
            } else {
                refusal = fail(Errc::Invalid, "<" + address + ">: " + found.error().text);
                elsewhere.push_back("<" + address + "> would be refused: " + found.error().text);
            }
        }
        if (here.empty() && refusal) return *refusal;
        for (std::string& text : elsewhere) note(std::move(text));
        // Whoever asks before the routes are written gets an answer too.
        if (here.empty()) note("no route leads to this adapter: it has no legacy names here");
        take(look.router->items(here.empty() ? strangers : here, run_.console.clock.now()), job);
        return {};
    }

    void take(const std::vector<queue::NewItem>& items, adapters::Job& job) {
        job.delivery.received = run_.console.clock.now();
        job.delivery.key = {ItemId{1}, Epoch{1}};
        if (items.size() > 1)
            note("it would become " + std::to_string(items.size()) + " items here; this is the first");
        if (!items.front().hold.empty()) note("it would be held: " + items.front().hold);
        for (const queue::RecipientRow& row : items.front().recipients) {
            const int ordinal = static_cast<int>(job.delivery.recipients.size()) + 1;
            job.delivery.recipients.push_back({ordinal, row.address, row.legacy});
        }
    }

    Result<int> convert(const config::Adapter& settings, const adapters::Adapter& adapter,
                        adapters::Job& job) {
        for (const adapters::Recipient& recipient : job.delivery.recipients)
            if (const auto why = adapter.refuses(recipient))
                return fail(Errc::Invalid, "<" + recipient.address + ">: " + *why);
        POSTERN_LET(temporary, temporaryFile());
        std::string buffer;
        const std::function<void()> beat = [] {};
        adapters::StagedFile staged(std::move(temporary), buffer, beat);
        POSTERN_LET(outcome, adapter.convert(job, staged));
        for (std::string& text : job.notes) note(std::move(text));
        if (outcome) {
            if (!run_.json) tellNotes();
            run_.complain(outcome->reason);
            return int{outcome->verdict == adapters::Verdict::Rejected ? kExitData : kExitTemporary};
        }
        POSTERN_TRY(staged.flush());
        const std::int64_t size = staged.position();
        File file = staged.takeFile();
        POSTERN_TRY(question_.output.empty() ? show(settings, file, size) : keep(file, size));
        POSTERN_TRY(tell(settings, size));
        return int{kExitDone};
    }

    Result<void> tell(const config::Adapter& settings, std::int64_t size) const {
        if (!run_.json) {
            tellNotes();
            return {};
        }
        Output output(run_.console, Form::Json);
        for (const std::string& text : notes_)
            POSTERN_TRY(output.row(admin::Record().add("type", "note").add("text", text)));
        return output.row(admin::Record()
                              .add("type", "artifact")
                              .add("adapter", settings.name)
                              .add("kind", settings.kind)
                              .add("bytes", admin::Value::size(size)));
    }

    void note(std::string text) { notes_.push_back(std::move(text)); }
    void tellNotes() const {
        run_.console.out.flush();
        for (const std::string& text : notes_) run_.console.err << "note: " << escapeLine(text, 4000) << "\n";
    }

    static Result<void> eachPiece(File& file, std::int64_t size,
                                  const std::function<Result<void>(std::string_view)>& sink) {
        std::string piece(65536, '\0');
        for (std::int64_t at = 0; at < size;) {
            POSTERN_LET(got, file.readAt(at, piece.data(), piece.size()));
            if (got == 0) return fail(Errc::Io, "the temporary file ends early");
            POSTERN_TRY(sink(std::string_view(piece).substr(0, got)));
            at += static_cast<std::int64_t>(got);
        }
        return {};
    }

    Result<void> keep(File& file, std::int64_t size) const {
        std::ofstream out(libraryPath(question_.output), std::ios::binary | std::ios::trunc);
        if (!out) return fail(Errc::Io, question_.output + " can not be written");
        POSTERN_TRY(eachPiece(file, size, [&](std::string_view bytes) -> Result<void> {
            out << bytes;
            return {};
        }));
        out.close();
        return out ? Result<void>() : fail(Errc::Io, question_.output + " can not be written");
    }

    // A person sees lines in UTF-8 without control characters; a program gets the bytes.
    Result<void> show(const config::Adapter& settings, File& file, std::int64_t size) const {
        if (run_.json) return {};
        std::ostream& out = run_.console.out;
        const bool plain = question_.raw || !run_.console.terminal;
        admin::ShownLines lines(
            settings.settings.text("charset"), kLongestLine, [&](const std::string& text) -> Result<void> {
                out << text << "\n";
                return out.good() ? Result<void>() : fail(Errc::Io, "the output was closed");
            });
        const auto tell = [&](std::string_view bytes) -> Result<void> {
            if (!plain) return lines.append(bytes);
            out << bytes;
            return out.good() ? Result<void>() : fail(Errc::Io, "the output was closed");
        };
        POSTERN_TRY(eachPiece(file, size, tell));
        return lines.finish();
    }

    static constexpr std::size_t kLongestLine = 16 * 1024;

    const Run& run_;
    const Question& question_;
    const config::Config& config_;
    std::vector<std::string> notes_;
};

Result<int> convert(const Run& run, const Question& question) {
    const auto config = run.config();
    if (!config) return int{kExitConfig};
    return Conversion(run, question, *config).run();
}

}  // namespace

Carry setupConvert(CLI::App& command, Run& run) {
    const auto question = std::make_shared<Question>();
    command.add_option("FILE", question->file, "The mail, with any line ends; - is standard input")
        ->required();
    command.add_option("--adapter", question->adapter, "The adapter to ask")->option_text("NAME")->required();
    const CLI::Option* from =
        command.add_option("--from", question->from, "The envelope's sender; <> for none; default: From")
            ->option_text("ADDRESS");
    command.add_option("--to", question->recipients, "An envelope recipient; default: To, Cc and Bcc")
        ->option_text("ADDRESS")
        ->take_all()
        ->expected(1);
    command.add_option("--output", question->output, "Write the artifact to this file")->option_text("FILE");
    command.add_flag("--raw", question->raw, "The bytes as they are, on a terminal too");
    command.footer(
        "The artifact goes to standard output, what was lost or changed to standard error. A terminal gets "
        "it\n"
        "as readable lines. With --json: a row for each note and one for the artifact, which goes to "
        "--output\n"
        "alone. Nothing is stored or delivered. Exit status 65: this mail would be refused, and why.");
    return [&run, question, from] {
        question->fromGiven = from->count() > 0;
        return run.end(convert(run, *question));
    };
}

}  // namespace postern::cli
