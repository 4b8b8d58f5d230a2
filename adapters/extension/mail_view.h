#pragma once
// A delivery as an extension sees it (include/postern/adapter.h): the converted mail, and an output that
// keeps the file's errors to itself. Thread rule: one thread.

#include <memory>
#include <postern/adapter.h>
#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "mail/convert.h"

namespace postern::adapters::extension {

namespace sdk = postern::adapter;

// Hands what an extension writes to a sink; after the sink's first error nothing more is handed on.
class OutputView final : public sdk::Output {
  public:
    explicit OutputView(mail::Sink sink) : sink_(std::move(sink)) {}
    void write(std::string_view bytes) override {
        if (result_.ok()) result_ = sink_(bytes);
    }
    // Errors of what is read on the way out count as well: half a file is no file.
    void fail(const Result<void>& result) {
        if (result_.ok() && !result.ok()) result_ = result;
    }
    const Result<void>& result() const { return result_; }

  private:
    const mail::Sink sink_;
    Result<void> result_;
};

class MailView final : public sdk::Mail {
  public:
    // Errc::Invalid: this mail can never be held by this profile. Refers to the job and its message.
    static Result<std::unique_ptr<MailView>> make(Job& job, const mail::Profile& profile);

    ~MailView() override;
    std::string fromName() const override { return converted_.fromName.bytes; }
    std::string fromAddress() const override { return converted_.fromAddress; }
    std::string subject() const override { return converted_.subject.bytes; }
    sdk::Date date() const override;
    std::int64_t textSize() const override;
    void writeText(sdk::Output& out) const override;
    const std::vector<const sdk::File*>& files() const override { return shown_; }
    void writeOriginal(sdk::Output& out) const override;
    std::string line(std::string_view utf8, int limit) const override;
    void note(const std::string& text) override;

    // What reading the message failed with while the extension wrote.
    const Result<void>& trouble() const { return trouble_; }

  private:
    class FileView;
    MailView(Job& job, const mail::Profile& profile);
    void copy(sdk::Output& out, const std::function<Result<void>(const mail::Sink&)>& from) const;

    Job& job_;
    const mail::Profile& profile_;
    mail::Readable readable_;
    mail::Converted converted_;
    std::vector<std::unique_ptr<FileView>> files_;
    std::vector<const sdk::File*> shown_;
    mutable Result<void> trouble_;
};

sdk::Delivery deliveryView(const Delivery& delivery);
sdk::Recipient recipientView(const Recipient& recipient);

}  // namespace postern::adapters::extension
