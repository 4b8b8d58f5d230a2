#include "adapters/extension/mail_view.h"

#include <numeric>

#include "base/text.h"

namespace postern::adapters::extension {

class MailView::FileView final : public sdk::File {
  public:
    FileView(const MailView& mail, const mail::ConvertedFile& file) : mail_(mail), file_(file) {}
    std::string name() const override { return file_.name; }
    std::int64_t size() const override { return file_.size(); }
    void writeTo(sdk::Output& out) const override {
        mail_.copy(out, [this](const mail::Sink& sink) { return file_.writeTo(sink); });
    }

  private:
    const MailView& mail_;
    const mail::ConvertedFile& file_;
};

MailView::MailView(Job& job, const mail::Profile& profile) : job_(job), profile_(profile) {}
MailView::~MailView() = default;

Result<std::unique_ptr<MailView>> MailView::make(Job& job, const mail::Profile& profile) {
    std::unique_ptr<MailView> view(new MailView(job, profile));
    POSTERN_LET(readable, mail::readMessage(*job.delivery.message, mail::readingFor(profile)));
    view->readable_ = std::move(readable);
    POSTERN_LET(converted,
                mail::convert(view->readable_, {job.delivery.sender, job.delivery.received}, profile));
    view->converted_ = std::move(converted);
    for (const mail::ConvertedFile& file : view->converted_.files) {
        view->files_.push_back(std::make_unique<FileView>(*view, file));
        view->shown_.push_back(view->files_.back().get());
    }
    for (const std::string& note : view->converted_.notes) job.notes.push_back(note);
    return view;
}

sdk::Date MailView::date() const {
    const auto offset = profile_.zone.offsetAt(converted_.date);
    const CivilTime civil = civilUtc(converted_.date + offset);
    return {civil.year,   civil.month,  civil.day,     civil.hour,
            civil.minute, civil.second, civil.weekday, static_cast<int>(offset.count() / 60)};
}

std::int64_t MailView::textSize() const {
    const std::vector<std::int64_t> sizes = converted_.textSizes();
    return std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
}

void MailView::writeText(sdk::Output& out) const {
    copy(out, [this](const mail::Sink& sink) { return converted_.writeTexts(sink); });
}

void MailView::writeOriginal(sdk::Output& out) const {
    copy(out, [this](const mail::Sink& sink) { return copyAll(*job_.delivery.message, sink); });
}

void MailView::copy(sdk::Output& out, const std::function<Result<void>(const mail::Sink&)>& from) const {
    const Result<void> copied = from([&](std::string_view bytes) {
        out.write(bytes);
        return Result<void>();
    });
    if (trouble_.ok() && !copied.ok()) trouble_ = copied;
}

// What the line loses is said once, by note().
std::string MailView::line(std::string_view utf8, int limit) const {
    mail::Converted losses;
    return mail::convertLine(utf8, limit, "text", profile_, losses).bytes;
}

void MailView::note(const std::string& text) {
    job_.notes.push_back(escapeLine(text, 500));
}

sdk::Recipient recipientView(const Recipient& recipient) {
    return {recipient.ordinal, recipient.address, recipient.legacy};
}

sdk::Delivery deliveryView(const Delivery& delivery) {
    sdk::Delivery view{
        delivery.key.item.value, delivery.key.epoch.value, delivery.sender, {}, toMillis(delivery.received)};
    for (const Recipient& recipient : delivery.recipients)
        view.recipients.push_back(recipientView(recipient));
    return view;
}

}  // namespace postern::adapters::extension
