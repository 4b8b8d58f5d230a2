// A sample adapter that is built outside Postern: each mail becomes a slip of paper for a line printer's
// spool folder, in US-ASCII, 80 columns wide, a form feed at the end.

#include <cstdio>
#include <postern/adapter.h>

namespace {

namespace sdk = postern::adapter;

std::string twoDigits(int number) {
    char text[16];
    std::snprintf(text, sizeof text, "%02d", number);
    return text;
}

class SlipFormat final : public sdk::FileFormat {
  public:
    explicit SlipFormat(std::string title) : title_(std::move(title)) {}

    int mostRecipients() const override { return 1; }  // a slip for each person

    std::string refuses(const sdk::Recipient& recipient) const override {
        return recipient.legacy.size() > 30 ? "names on slips have at most 30 letters" : "";
    }

    std::string fileName(const sdk::Delivery& delivery) const override {
        char name[32];
        std::snprintf(name, sizeof name, "%010lld.prn", static_cast<long long>(delivery.item));
        return name;
    }

    std::string write(const sdk::Delivery& delivery, sdk::Mail& mail, sdk::Output& out) const override {
        const sdk::Recipient& to = delivery.recipients.front();
        const sdk::Date date = mail.date();
        field(out, "To", mail.line(to.legacy.empty() ? to.address : to.legacy, 60));
        field(out, "From", mail.fromName().empty() ? mail.line(mail.fromAddress(), 60) : mail.fromName());
        field(out, "Date",
              std::to_string(date.year) + "-" + twoDigits(date.month) + "-" + twoDigits(date.day) + " " +
                  twoDigits(date.hour) + ":" + twoDigits(date.minute));
        field(out, "Re", mail.subject());
        out.write(title_ + std::string(80 - title_.size(), '-') + "\r\n");
        mail.writeText(out);
        out.write("\f");
        return {};
    }

  private:
    static void field(sdk::Output& out, const std::string& label, const std::string& value) {
        out.write(label + ":" + std::string(7 - label.size(), ' ') + value + "\r\n");
    }

    const std::string title_;
};

class Slip final : public sdk::Kind {
  public:
    std::string name() const override { return "slip"; }
    std::string summary() const override { return "slips of paper for a line printer"; }

    sdk::Profile profile() const override {
        sdk::Profile profile;
        profile.charset = "us-ascii";
        profile.columns = 80;
        profile.subjectLimit = 70;
        profile.uuencode = true;  // paper has no attachments: they stand in the text
        return profile;
    }

    std::vector<sdk::Setting> settings() const override {
        return {{"title", sdk::SettingType::Text, "", "What stands in the line above the text."}};
    }

    std::unique_ptr<sdk::FileFormat> makeFormat(const sdk::Place&, const sdk::Settings& settings,
                                                std::string& problem) const override {
        const std::string title = settings.text("title");
        if (title.size() > 40) problem = "title: at most 40 letters";
        return title.size() > 40 ? nullptr : std::make_unique<SlipFormat>(title);
    }
};

}  // namespace

POSTERN_ADAPTERS(POCO_EXPORT_CLASS(Slip))
