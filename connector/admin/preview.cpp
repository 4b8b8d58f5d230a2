#include "connector/admin/preview.h"

#include <atomic>

#include "adapters/spool/staged_file.h"
#include "base/temporary_file.h"
#include "base/text.h"
#include "connector/admin/shown_lines.h"
#include "queue/inspect.h"
#include "store/messages.h"

namespace postern::admin {

namespace {

constexpr std::size_t kShown = 64 * 1024;       // bytes of the artifact
constexpr std::size_t kLongestLine = 8 * 1024;  // of what a person sees
constexpr int kAtOnce = 2;                      // a conversion costs memory and time; mail goes first

// A place among those that may convert now.
class Place {
  public:
    explicit Place(std::atomic<int>& taken) : taken_(taken), got_(++taken <= kAtOnce) {}
    ~Place() { --taken_; }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    bool got() const { return got_; }

  private:
    std::atomic<int>& taken_;
    const bool got_;
};

struct Subject {
    queue::ItemRow item;
    store::MessageRow message;
    std::vector<queue::RecipientRow> recipients;
    std::unique_ptr<ByteSource> body;
};

Result<Subject> readSubject(const ServiceView& view, ItemId id) {
    Subject subject;
    POSTERN_TRY(view.store.read([&](store::ReadSession& session) -> Result<void> {
        POSTERN_LET(item, queue::readItem(session, id));
        POSTERN_LET(message, store::readMessage(session, item.message));
        POSTERN_LET(recipients, queue::readRecipients(session, id));
        POSTERN_LET(body, store::openBody(session, view.store.folder(), item.message));
        subject = {std::move(item), std::move(message), std::move(recipients), std::move(body)};
        return {};
    }));
    return subject;
}

adapters::Job jobOf(const Subject& subject) {
    adapters::Job job;
    job.delivery.key = {subject.item.id, Epoch{std::max<std::int64_t>(1, subject.item.epoch.value)}};
    job.delivery.sender = subject.item.sender;
    job.delivery.received = subject.item.received;
    job.delivery.message = subject.body.get();
    job.delivery.envelopeId = subject.message.envelopeId;
    job.delivery.ret = subject.message.ret;
    for (const queue::RecipientRow& row : subject.recipients)
        job.delivery.recipients.push_back({row.ordinal, row.address, row.legacy, row.notify, row.original});
    return job;
}

Result<void> tellLines(File& file, const std::string& charset, const RowSink& row) {
    std::string bytes(kShown, '\0');
    std::size_t size = 0;
    while (size < bytes.size()) {
        POSTERN_LET(got, file.readAt(static_cast<std::int64_t>(size), bytes.data() + size, kShown - size));
        if (got == 0) break;
        size += got;
    }
    ShownLines lines(charset, kLongestLine, [&](const std::string& text) {
        return row(Record().add("type", "line").add("text", text));
    });
    POSTERN_TRY(lines.append(std::string_view(bytes).substr(0, size)));
    return lines.finish();
}

Result<void> tellNotes(const adapters::Job& job, const RowSink& row) {
    for (const std::string& note : job.notes)
        POSTERN_TRY(row(Record().add("type", "note").add("text", escapeLine(note, 4000))));
    return {};
}

Result<void> show(const config::Adapter& settings, const adapters::Adapter& adapter, adapters::Job& job,
                  const RowSink& row) {
    POSTERN_LET(temporary, temporaryFile());
    std::string buffer;
    const std::function<void()> beat = [] {};
    adapters::StagedFile staged(std::move(temporary), buffer, beat);
    POSTERN_LET(outcome, adapter.convert(job, staged));
    if (outcome) {
        POSTERN_TRY(tellNotes(job, row));
        return row(Record().add("type", "refused").add("text", outcome->reason));
    }
    POSTERN_TRY(staged.flush());
    const std::int64_t size = staged.position();
    File file = staged.takeFile();
    POSTERN_TRY(tellLines(file, settings.settings.text("charset"), row));
    POSTERN_TRY(tellNotes(job, row));
    return row(Record()
                   .add("type", "artifact")
                   .add("adapter", settings.name)
                   .add("kind", settings.kind)
                   .add("bytes", Value::size(size))
                   .add("whole", size <= static_cast<std::int64_t>(kShown)));
}

}  // namespace

Result<void> previewItem(const ServiceView& view, const Request& request, ByteStream&, const RowSink& row) {
    static std::atomic<int> taken{0};
    const auto id = parseInt(request.field("ids"));
    if (!id || *id <= 0) return fail(Errc::Invalid, "ids must be one item");
    POSTERN_LET(subject, readSubject(view, ItemId{*id}));
    const auto config = view.config();
    const config::Adapter* settings = config::adapterNamed(*config, subject.item.adapter);
    const auto adapter = view.adapter(subject.item.adapter);
    if (settings == nullptr || adapter == nullptr)
        return fail(Errc::NotFound, "its adapter \"" + escapeLine(subject.item.adapter, 100) +
                                        "\" is not in use now: nobody can say what it would make of it");
    if (subject.item.size > kPreviewLimit)
        return fail(Errc::TooLarge,
                    "this is shown of mail up to " + formatSize(kPreviewLimit) + ": see \"postern convert\"");
    const Place place(taken);
    if (!place.got()) return fail(Errc::Busy, "other mail is being converted to be shown: try again");
    adapters::Job job = jobOf(subject);
    return show(*settings, *adapter, job, row);
}

}  // namespace postern::admin
