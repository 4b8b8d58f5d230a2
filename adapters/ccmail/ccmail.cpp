// Lotus cc:Mail: one import file per item in the folder that IMPORT reads (FORMATS.md section 3); with an
// import program, in the folder from which we feed it (ccmail_import.h).

#include <atomic>
#include <cstdio>

#include "adapters/ccmail/ccmail_backlog.h"
#include "adapters/ccmail/ccmail_format.h"
#include "adapters/ccmail/ccmail_import.h"
#include "adapters/ccmail/ccmail_und.h"
#include "adapters/kinds.h"
#include "adapters/profile.h"
#include "adapters/spool/spool.h"
#include "base/places.h"
#include "base/text.h"
#include "mail/charset.h"

namespace postern::adapters {

namespace {

constexpr const char* kSubmit = "Submit";
constexpr int kLongestSubject = 200;  // more would not leave room for recipients

using ccmail::DateOrder;
using ccmail::Options;
using ccmail::SenderForm;

class CcMail final : public SpoolAdapter {
  public:
    CcMail(const AdapterContext& adapterContext, SpoolPlan plan, Options options, ccmail::BacklogPlan backlog,
           ccmail::BacklogPlan stranded, std::unique_ptr<ccmail::Importer> importer)
        : SpoolAdapter(adapterContext, std::move(plan)),
          options_(std::move(options)),
          backlog_(std::move(backlog)),
          stranded_(std::move(stranded)),
          importer_(std::move(importer)) {}

    Result<void> probe() override {
        POSTERN_TRY(SpoolAdapter::probe());
        bounded_ = true;
        if (!importer_) return sayStranded();
        // What a run uses now is usable, and the run may take long.
        if (attending_) return {};
        const MutexLock lock(importing_);
        return importer_->probe();
    }

    Grouping grouping() const override {
        // "Bcc: " is the longest label.
        const auto bytes = [this](const Recipient& recipient) {
            const auto text = ccmail::recipientText(recipient, options_);
            return text.ok() ? static_cast<int>(text->size()) + 7 : 0;
        };
        return {0, options_.headerLimit - ccmail::fixedHeaderBytes(options_), bytes};
    }

    std::optional<std::string> refuses(const Recipient& recipient) const override {
        const auto text = ccmail::recipientText(recipient, options_);
        if (text.ok()) return std::nullopt;
        return text.error().text;
    }

    Result<std::vector<Returned>> attend(const std::function<bool()>& stopping) override {
        const MutexLock lock(importing_);
        std::vector<Returned> all;
        if (!importer_) return all;
        attending_ = true;
        const auto given = importer_->attend(stopping);
        attending_ = false;
        POSTERN_LET(answers, given);
        for (ccmail::ImportAnswer& answer : answers) all.push_back(returned(answer));
        return all;
    }

    Result<void> settle(const std::string& token) override {
        const MutexLock lock(importing_);
        return importer_ ? importer_->settle(token) : Result<void>();
    }

    std::string describe() const override {
        return SpoolAdapter::describe() + (importer_ ? "; moved from Submit to Import, and imported" : "");
    }

  protected:
    bool nameIsItems() const override { return importer_ == nullptr; }

    // Eight and three characters where DOS tools read them (KB Q164695), which is not in Submit. The number
    // repeats after 65,536 items; a name still taken then only waits.
    Result<Place> place(const Delivery& delivery) const override {
        if (importer_) return Place{kSubmit, ccmail::attemptName(delivery.key.item, delivery.key.epoch)};
        char name[16];
        std::snprintf(name, sizeof name, "msg%04x.ccm",
                      static_cast<unsigned>(delivery.key.item.value & 0xffff));
        return Place{"", name};
    }

    Result<std::optional<Outcome>> write(Job& job, StagedFile& file, Companions&) const override {
        // Somebody who only wants to see a conversion never probed.
        if (bounded_) {
            POSTERN_LET(full, backlog_.full());
            if (full) return std::optional<Outcome>(deferred(*full, Cause::Busy));
        }
        POSTERN_LET(readable, mail::readMessage(*job.delivery.message, mail::readingFor(options_.profile)));
        auto document = ccmail::makeDocument(job.delivery, readable, options_);
        if (!document.ok()) {
            if (document.error().code != Errc::Invalid) return document.error();
            return std::optional<Outcome>(rejected(document.error().text));
        }
        POSTERN_TRY(ccmail::writeDocument(*document, options_, file));
        backlog_.add(file.position());
        for (std::string& note : document->body.notes) job.notes.push_back(std::move(note));
        return std::optional<Outcome>();
    }

  private:
    // Files of a time with an import program, in folders that nobody reads now.
    Result<void> sayStranded() {
        POSTERN_TRY(stranded_.full());
        return {};
    }
    Returned returned(ccmail::ImportAnswer& answer) const {
        using Kind = ccmail::ImportAnswer::Kind;
        Returned made{answer.name, answer.item, std::move(answer.text)};
        made.doubt = answer.kind == Kind::Doubt;
        made.epoch = answer.epoch;
        if (answer.kind != Kind::Undeliverable) return made;
        auto given = ccmail::readUndeliverable(made.text, options_.profile.charset);
        made.text = ccmail::reasonOf(given);
        made.refused = [given = std::move(given), options = options_](std::span<const Recipient> all) {
            return ccmail::givenBack(given, all, options);
        };
        return made;
    }

    const Options options_;
    mutable ccmail::Backlog backlog_;
    ccmail::Backlog stranded_;
    std::atomic<bool> bounded_{false}, attending_{false};
    mutable Mutex importing_;
    // Its functions under the lock; none: IMPORT runs elsewhere.
    const std::unique_ptr<ccmail::Importer> importer_;
};

// Names that stand behind "at": no accents and nothing that has a meaning in an address (KB Q156063).
bool isPostOfficeName(std::string_view name) {
    if (name.size() > 64) return false;
    for (const char c : name)
        if (c < 0x20 || c > 0x7e || std::string_view("[],\"@").find(c) != std::string_view::npos)
            return false;
    return name == trim(name) && lowerAscii(name).find(" at ") == std::string::npos;
}

DateOrder dateOrderOf(std::string_view text) {
    if (text == "dmy") return DateOrder::Dmy;
    return text == "ymd" ? DateOrder::Ymd : DateOrder::Mdy;
}

SenderForm senderFormOf(std::string_view text) {
    if (text == "name") return SenderForm::Name;
    return text == "address" ? SenderForm::Address : SenderForm::Both;
}

Result<void> check(const Options& options) {
    if (options.profile.textLimit == 0) return fail(Errc::Invalid, "text_limit: at least 256");
    if (options.profile.subjectLimit == 0 || options.profile.subjectLimit > kLongestSubject)
        return fail(Errc::Invalid, "subject_limit: from 20 to " + std::to_string(kLongestSubject));
    if (options.gateway.empty() || !isPostOfficeName(options.gateway))
        return fail(Errc::Invalid, "gateway: a post office name of plain letters, like INTERNET");
    if (!isPostOfficeName(options.postOffice))
        return fail(Errc::Invalid, "post_office: a name of plain letters, like PO1");
    if (mail::cleanLine(options.nullSender) != options.nullSender || trim(options.nullSender).empty() ||
        options.nullSender.size() > 64)
        return fail(Errc::Invalid, "null_sender: a name of 1 to 64 letters");
    return {};
}

Result<Options> optionsOf(const Settings& settings) {
    Options options;
    options.sizeColumns = static_cast<int>(settings.integer("size_columns"));
    options.headerLimit = static_cast<int>(settings.integer("header_limit"));
    options.postOffice = settings.text("post_office");
    options.resolveNames = settings.boolean("resolve_names");
    options.gateway = settings.text("gateway");
    options.nullSender = settings.text("null_sender");
    options.senderForm = senderFormOf(settings.text("sender"));
    options.quoteSender = settings.boolean("quote_sender");
    options.hiddenAsTo = settings.text("hidden_recipients") == "to";
    options.dateOrder = dateOrderOf(settings.text("date_order"));
    options.fourDigitYears = settings.boolean("four_digit_years");
    options.fileDates = settings.boolean("file_dates");
    POSTERN_LET(profile, profileOf(settings, options.profile));
    options.profile = std::move(profile);
    options.profile.fileNameLimit = static_cast<int>(settings.integer("title_limit"));
    if (settings.text("file_form") == "macbin2") options.fileForm = ccmail::FileForm::MacBinary;
    if (options.fourDigitYears) options.profile.firstYear = options.profile.lastYear = 0;
    POSTERN_TRY(check(options));
    return options;
}

// "NAME=value", and a search path where none is given.
Result<std::vector<std::string>> environmentOf(const Settings& settings) {
    std::vector<std::string> all = settings.list("import_environment");
    bool path = false;
    for (const std::string& each : all) {
        if (each.find('=') == std::string::npos || each.front() == '=')
            return fail(Errc::Invalid, "import_environment: '" + each + "' is not NAME=value");
        path = path || each.starts_with("PATH=");
    }
    if (!path) all.emplace_back(plainEnvironment());
    return all;
}

std::string statePath(const AdapterContext& context, const SpoolPlan& spool) {
    const std::string stage = stagePath(context, spool);
    return spool.stage.empty() ? joinPath(parentPath(stage), "import") : stage + ".import";
}

// None: no import program is given.
Result<std::unique_ptr<ccmail::Importer>> importerOf(const AdapterContext& context, const Settings& settings,
                                                     const SpoolPlan& spool) {
    ccmail::ImportPlan plan;
    plan.program = settings.list("import_program");
    if (plan.program.empty()) return std::unique_ptr<ccmail::Importer>();
    if (!isAbsolutePath(plan.program.front()))
        return fail(Errc::Invalid, "import_program: begins with the program's absolute path");
    plan.adapter = context.name;
    plan.folder = spool.folder;
    plan.state = statePath(context, spool);
    POSTERN_LET(environment, environmentOf(settings));
    plan.environment = std::move(environment);
    plan.batch = static_cast<int>(settings.integer("import_batch"));
    plan.interval = Millis(settings.milliseconds("import_interval"));
    plan.deadline = Millis(settings.milliseconds("import_deadline"));
    plan.attempts = static_cast<int>(settings.integer("import_attempts"));
    plan.folderMode = spool.folderMode;
    return std::make_unique<ccmail::Importer>(std::move(plan));
}

// Wherever files wait for an import program: in Submit, in its hands, and put away until they are tried
// again.
std::vector<std::string> importFolders(const AdapterContext& context, const SpoolPlan& spool) {
    return {joinPath(spool.folder, kSubmit), joinPath(spool.folder, "Import"),
            joinPath(statePath(context, spool), "again")};
}

Result<std::unique_ptr<Adapter>> makeCcMail(const AdapterContext& context, const Settings& settings) {
    POSTERN_LET(plan, spoolPlan(settings));
    POSTERN_LET(options, optionsOf(settings));
    POSTERN_LET(importer, importerOf(context, settings, plan));
    plan.live = {importer ? kSubmit : ""};
    const auto waiting = importFolders(context, plan);
    const ccmail::BacklogPlan backlog{context.name,
                                      importer ? waiting : std::vector<std::string>{plan.folder},
                                      settings.integer("waiting_limit"), settings.integer("waiting_size")};
    const ccmail::BacklogPlan stranded{context.name, waiting, 1, 0};
    return std::unique_ptr<Adapter>(std::make_unique<CcMail>(context, std::move(plan), std::move(options),
                                                             backlog, stranded, std::move(importer)));
}

std::vector<Setting> addressSettings() {
    return {
        {"gateway", SettingType::Text, "INTERNET",
         "The post office name that Internet senders get behind \"at\"."},
        {"post_office", SettingType::Text, "",
         "Behind \"at\" for recipients whose route gives none; empty: their names stand alone."},
        {"resolve_names", SettingType::Boolean, "false",
         "Leave \" at PO\" out and let the post office find the name."},
        {"sender",
         SettingType::Choice,
         "both",
         "How a sender is shown: both is \"Name (SMTP:user@domain)\".",
         {"both", "name", "address"}},
        {"quote_sender", SettingType::Boolean, "false",
         "Quote the sender's name, for post offices of release 8."},
        {"null_sender", SettingType::Text, "Postmaster", "Author of mail without a sender, such as reports."},
        {"hidden_recipients",
         SettingType::Choice,
         "bcc",
         "Where recipients stand whom only the envelope names.",
         {"bcc", "to"}},
    };
}

std::vector<Setting> formatSettings() {
    return {
        {"date_order",
         SettingType::Choice,
         "mdy",
         "Order of the dates, as the IMPORT program reads them.",
         {"mdy", "dmy", "ymd"}},
        {"four_digit_years", SettingType::Boolean, "false", "Write years with four digits."},
        {"header_limit",
         SettingType::Integer,
         "4096",
         "Bytes of the header; more recipients make more files. IMPORT 8.2 and later take 163840.",
         {},
         2048,
         163840},
        {"file_form",
         SettingType::Choice,
         "raw",
         "How a file's bytes stand in its item: raw, or macbin2 for an IMPORT with /FILES/MACBIN2.",
         {"raw", "macbin2"}},
        {"title_limit",
         SettingType::Integer,
         "30",
         "Bytes of a file's name where file_names is long; longer ones are cut before their extension.",
         {},
         16,
         255},
        {"file_dates", SettingType::Boolean, "true",
         "Write the date behind a file's name; false for clients of release 8.01."},
        {"size_columns",
         SettingType::Integer,
         "12",
         "Width of a size on its line; 0 does not pad.",
         {},
         0,
         20},
    };
}

std::vector<Setting> importSettings() {
    return {
        {"import_program", SettingType::List, "",
         "The import program and its arguments, run on files moved to Import; {folder} in them is its path. "
         "Empty: it runs elsewhere."},
        {"import_environment", SettingType::List, "",
         "What the program sees as its environment: NAME=value."},
        {"import_batch", SettingType::Integer, "5", "Files of one run.", {}, 1, 1000},
        {"import_interval",
         SettingType::Duration,
         "15s",
         "Between two runs; a full one is followed by the next at once.",
         {},
         0,
         3'600'000},
        {"import_deadline",
         SettingType::Duration,
         "10m",
         "A run that takes longer is ended, and what it left is in doubt.",
         {},
         100,
         86'400'000},
        {"import_attempts",
         SettingType::Integer,
         "5",
         "Failed runs that may leave a file behind before it is refused.",
         {},
         1,
         20},
        {"waiting_limit",
         SettingType::Integer,
         "10000",
         "Files that may wait for an import; further mail waits in the queue. 0 is no limit.",
         {},
         0,
         10'000'000},
        {"waiting_size",
         SettingType::Size,
         "1 GiB",
         "Bytes of files that may wait for an import; 0 is no limit.",
         {},
         0,
         std::int64_t{1} << 50},
    };
}

}  // namespace

Kind ccmailKind() {
    std::vector<Setting> own = addressSettings();
    for (Setting& setting : importSettings()) own.push_back(std::move(setting));
    for (Setting& setting :
         profileSettings(ccmail::postOfficeProfile(), formatSettings(), {"attachments=mime", "expand_tabs"}))
        own.push_back(std::move(setting));
    return {"ccmail", "Lotus cc:Mail import files", spoolSettings(std::move(own)), &makeCcMail};
}

}  // namespace postern::adapters
