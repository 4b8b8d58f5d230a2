// Lotus cc:Mail: one import file per item in the folder that IMPORT reads (FORMATS.md section 3).

#include <cstdio>

#include "adapters/ccmail_format.h"
#include "adapters/kinds.h"
#include "adapters/spool.h"
#include "base/text.h"
#include "mail/charset.h"

namespace postern::adapters {

namespace {

using ccmail::DateOrder;
using ccmail::Options;
using ccmail::SenderForm;

class CcMail final : public SpoolAdapter {
  public:
    CcMail(const AdapterContext& adapterContext, SpoolPlan plan, Options options)
        : SpoolAdapter(adapterContext, std::move(plan)), options_(std::move(options)) {}

    Grouping grouping() const override {
        // "Bcc: " is the longest label.
        const auto bytes = [this](const Recipient& recipient) {
            const auto text = ccmail::recipientText(recipient, options_);
            return text.ok() ? static_cast<int>(text->size()) + 7 : 0;
        };
        return {0, options_.headerLimit - ccmail::fixedHeaderBytes(), bytes};
    }

    std::optional<std::string> refuses(const Recipient& recipient) const override {
        const auto text = ccmail::recipientText(recipient, options_);
        if (text.ok()) return std::nullopt;
        return text.error().text;
    }

  protected:
    // Eight and three characters: DOS tools read them (KB Q164695). The number repeats after 65,536 items; a
    // name still taken then only waits.
    Result<Place> place(const Delivery& delivery) const override {
        char name[16];
        std::snprintf(name, sizeof name, "msg%04x.ccm",
                      static_cast<unsigned>(delivery.key.item.value & 0xffff));
        return Place{"", name};
    }

    Result<std::optional<Outcome>> write(Job& job, StagedFile& file) const override {
        POSTERN_LET(readable, mail::readMessage(*job.delivery.message));
        auto document = ccmail::makeDocument(job.delivery, readable, options_);
        if (!document.ok()) {
            if (document.error().code != Errc::Invalid) return document.error();
            return std::optional<Outcome>(rejected(document.error().text));
        }
        POSTERN_TRY(ccmail::writeDocument(*document, options_, file));
        for (std::string& note : document->notes) job.notes.push_back(std::move(note));
        return std::optional<Outcome>();
    }

  private:
    const Options options_;
};

// "+01:00", "-0330", "0": minutes.
std::optional<int> parseOffset(std::string_view text) {
    std::string digits(text);
    std::erase(digits, ':');
    const auto value = parseInt(digits.starts_with('+') ? std::string_view(digits).substr(1) : digits);
    if (!value || *value < -1200 || *value > 1400) return std::nullopt;
    const int minutes = static_cast<int>(*value % 100);
    if (minutes <= -60 || minutes >= 60) return std::nullopt;
    return static_cast<int>(*value / 100) * 60 + minutes;
}

// Names that stand behind "at": no accents and nothing that has a meaning in an address (KB Q156063).
bool isPostOfficeName(std::string_view name) {
    if (name.size() > 64) return false;
    for (const char c : name)
        if (c < 0x20 || c > 0x7e || std::string_view("[],\"@").find(c) != std::string_view::npos)
            return false;
    return name == trim(name);
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
    if (!mail::knownCodePage(options.codePage))
        return fail(Errc::Invalid, "code_page: '" + escapeLine(options.codePage, 60) + "' is not known");
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
    options.codePage = settings.text("code_page");
    options.sizeColumns = static_cast<int>(settings.integer("size_columns"));
    options.headerLimit = static_cast<int>(settings.integer("header_limit"));
    options.textLimit = static_cast<int>(settings.integer("text_limit"));
    options.subjectLimit = static_cast<int>(settings.integer("subject_limit"));
    options.wrapColumns = static_cast<int>(settings.integer("wrap"));
    options.splitLongText = settings.text("long_text") == "split";
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
    options.longNames = settings.boolean("long_names");
    const auto offset = parseOffset(settings.text("utc_offset"));
    if (!offset) return fail(Errc::Invalid, "utc_offset: hours and minutes, like +01:00");
    options.utcOffsetMinutes = *offset;
    POSTERN_TRY(check(options));
    return options;
}

Result<std::unique_ptr<Adapter>> makeCcMail(const AdapterContext& context, const Settings& settings) {
    POSTERN_LET(plan, spoolPlan(settings));
    POSTERN_LET(options, optionsOf(settings));
    plan.live = {""};
    return std::unique_ptr<Adapter>(std::make_unique<CcMail>(context, std::move(plan), std::move(options)));
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
        {"code_page", SettingType::Text, "cp850", "The code page of the post office."},
        {"date_order",
         SettingType::Choice,
         "mdy",
         "Order of the dates, as the IMPORT program reads them.",
         {"mdy", "dmy", "ymd"}},
        {"four_digit_years", SettingType::Boolean, "false", "Write years with four digits."},
        {"utc_offset", SettingType::Text, "+00:00", "The offset from UTC in which dates are written."},
        {"header_limit",
         SettingType::Integer,
         "4096",
         "Bytes of the header; more recipients make more files. IMPORT 8.2 and later take 163840.",
         {},
         2048,
         163840},
        {"text_limit", SettingType::Integer, "20000", "Bytes of one text item.", {}, 256, 1000000},
        {"long_text",
         SettingType::Choice,
         "attach",
         "What becomes of a longer text: the file UNNAMED.TXT, or several text items.",
         {"attach", "split"}},
        {"wrap", SettingType::Integer, "0", "Break lines at this column; 0 leaves them.", {}, 0, 1000},
        {"subject_limit", SettingType::Integer, "60", "Characters of the subject.", {}, 20, 200},
        {"long_names", SettingType::Boolean, "false", "Keep long file names instead of 8.3."},
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

}  // namespace

Kind ccmailKind() {
    std::vector<Setting> own = addressSettings();
    for (Setting& setting : formatSettings()) own.push_back(std::move(setting));
    return {"ccmail", "Lotus cc:Mail import files", spoolSettings(std::move(own)), &makeCcMail};
}

}  // namespace postern::adapters
