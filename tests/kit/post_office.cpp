#include "tests/kit/post_office.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>

#include "base/text.h"

namespace postern::tests {

namespace {

[[noreturn]] void die(const std::string& what) {
    std::fprintf(stderr, "test set-up failed: %s\n", what.c_str());
    std::abort();
}

std::string mailFor(int serial) {
    return "From: <a@example.org>\r\nTo: <b@legacy.example>\r\nMessage-ID: <" + std::to_string(serial) +
           "@example.org>\r\nSubject: serial\r\nX-Serial: " + std::to_string(serial) + "\r\n\r\nHello " +
           std::to_string(serial) + ".\r\n";
}

Result<std::unique_ptr<store::Store>> openStore(const std::string& folder) {
    store::StoreOptions options;
    options.folder = folder + "/store";
    options.migrations = store::messageMigrations();
    for (const store::Migration& migration : queue::queueMigrations())
        options.migrations.push_back(migration);
    return store::Store::open(std::move(options));
}

Result<void> postOne(store::WriteSession& session, const store::BodyWriter& body, const std::string& adapter,
                     WallTime now) {
    store::NewMessage message;
    message.received = now;
    message.sender = "a@example.org";
    message.source = "test";
    message.protocol = "local";
    POSTERN_LET(id, store::insertMessage(session, message, body));
    queue::NewItem item;
    item.adapter = adapter;
    item.group = "1";
    item.expires = now + std::chrono::hours(24 * 365);
    queue::RecipientRow recipient;
    recipient.address = "b@legacy.example";
    recipient.legacy = "b";
    item.recipients.push_back(recipient);
    POSTERN_TRY(queue::enqueue(session, id, std::span<const queue::NewItem>(&item, 1), now));
    return {};
}

}  // namespace

std::shared_ptr<adapters::Adapter> makeAdapter(const std::string& kind, const std::string& name,
                                               const std::map<std::string, std::string>& given,
                                               Guards guards) {
    const adapters::Kind* found = adapters::kindNamed(kind);
    if (found == nullptr) die("no adapter kind " + kind);
    adapters::Settings settings;
    for (const adapters::Setting& setting : found->settings)
        if (setting.fallback != nullptr) settings.set(setting.key, setting.fallback);
    for (const auto& [key, value] : given) settings.set(key, value);
    auto made = found->make({name, "gw.example.org", "teststore", guards}, settings);
    if (!made.ok()) die(made.error().text);
    return std::move(made).value();
}

PostOffice::PostOffice(Clock& clock) : own_(std::in_place), folder_(own_->path()), clock_(clock) {
    auto opened = openStore(folder_);
    if (!opened.ok()) die(opened.error().text);
    store_ = std::move(opened).value();
}

PostOffice::PostOffice(const std::string& folder, std::unique_ptr<store::Store> store)
    : folder_(folder), clock_(Clock::system()), store_(std::move(store)) {}

Result<std::unique_ptr<PostOffice>> PostOffice::at(const std::string& folder) {
    POSTERN_LET(store, openStore(folder));
    return std::unique_ptr<PostOffice>(new PostOffice(folder, std::move(store)));
}

void PostOffice::post(const std::string& adapter, int first, int count) {
    constexpr int kPerCommit = 500;
    for (int start = first; start < first + count; start += kPerCommit) {
        const int end = std::min(first + count, start + kPerCommit);
        std::vector<store::BodyWriter> bodies;
        for (int serial = start; serial < end; ++serial) {
            store::BodyWriter& body = bodies.emplace_back(*store_);
            if (!body.append(mailFor(serial)).ok() || !body.seal().ok()) die("body");
        }
        const auto written = store_->write([&](store::WriteSession& session) -> Result<void> {
            for (const store::BodyWriter& body : bodies)
                POSTERN_TRY(postOne(session, body, adapter, clock_.now()));
            return {};
        });
        if (!written.ok()) die(written.error().text);
        for (store::BodyWriter& body : bodies) body.keep();
    }
}

std::map<queue::State, int> PostOffice::states() {
    std::map<queue::State, int> counts;
    const auto read = store_->read([&](store::ReadSession& session) -> Result<void> {
        POSTERN_LET(rows, queue::countItems(session, true));
        for (const queue::StateCount& row : rows) counts[row.state] += static_cast<int>(row.count);
        return {};
    });
    if (!read.ok()) die(read.error().text);
    return counts;
}

int Consumer::take() {
    const auto folder = Folder::open(folder_);
    if (!folder.ok()) return 0;  // the adapter has not made it yet
    std::vector<std::string> names;
    const auto listed = folder->list([&](std::string_view name) {
        if (name.front() != '.') names.emplace_back(name);
        return true;
    });
    if (!listed.ok()) die(listed.error().text);
    for (const std::string& name : names) {
        const auto text = readFile(joinPath(folder_, name), 1 << 20);
        if (!text.ok()) die(text.error().text);
        const auto at = text->find("X-Serial: ");
        if (at == std::string::npos) die("a file without a serial number: " + name);
        ++seen_[std::atoi(text->c_str() + at + 10)];
        if (const auto removed = folder->remove(name); !removed.ok()) die(removed.error().text);
    }
    return static_cast<int>(names.size());
}

std::string Consumer::verdict(int count) const {
    int lost = 0, doubled = 0;
    for (int serial = 1; serial <= count; ++serial) {
        const auto found = seen_.find(serial);
        const int times = found == seen_.end() ? 0 : found->second;
        lost += times == 0;
        doubled += times > 1;
    }
    if (lost == 0 && doubled == 0) return "";
    return std::to_string(lost) + " lost, " + std::to_string(doubled) + " doubled of " +
           std::to_string(count);
}

}  // namespace postern::tests
