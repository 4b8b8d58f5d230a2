// A transport: one line for each mail in one file, which only such adapters write. The line begins with the
// item's mark, so that looking tells whether it is there.
#include <chrono>
#include <fstream>
#include <postern/adapter.h>
#include <thread>

#include "tests/kit/book.h"

namespace {

namespace sdk = postern::adapter;

class Ledger final : public sdk::Transport {
  public:
    Ledger(sdk::Place place, std::string path) : place_(std::move(place)), path_(std::move(path)) {}

    std::string probe() override { return {}; }
    std::optional<sdk::Answer> stage(const sdk::Delivery& delivery, sdk::Mail& mail,
                                     std::string& evidence) override {
        if (mail.subject() == "never") return sdk::Answer{sdk::Verdict::Rejected, "never is never"};
        if (mail.subject() == "later") throw std::runtime_error("the pen is dry");
        if (mail.subject() != "no evidence") evidence = key(delivery.item) + mail.subject();
        return std::nullopt;
    }
    sdk::Answer publish(const sdk::Delivery& delivery, const std::string& evidence) override {
        if (evidence.find("lost") != std::string::npos) throw std::runtime_error("the line broke");
        if (evidence.find("slow") != std::string::npos && !waitForInk())
            return {sdk::Verdict::Deferred, "no ink came"};
        const postern::tests::Book book(path_);  // looking and writing are one step
        // A torn line has no end: a mark alone does not count.
        if (!holds(key(delivery.item)) && !book.add(evidence + "\n"))
            return {sdk::Verdict::Unknown, "the ledger may or may not have it"};
        return {sdk::Verdict::Exported, path_};
    }
    void abandon(const sdk::Delivery&, const std::string& evidence) override {
        if (evidence.find("clumsy") != std::string::npos) throw std::runtime_error("it fell down");
    }
    sdk::Found recover(std::int64_t item, std::int64_t, const std::string& evidence,
                       std::string& text) override {
        if (evidence.find("riddle") != std::string::npos) throw std::runtime_error("nobody can read this");
        text = "looked into " + path_;
        return holds(key(item)) ? sdk::Found::Published : sdk::Found::CannotTell;
    }
    std::string describe() const override { return "the ledger " + path_; }
    void hasten() override { throw std::runtime_error("never in a hurry"); }

  private:
    std::string key(std::int64_t item) const { return sdk::itemMark(place_, item) + ": "; }
    // Another hand puts a bottle beside the book. Half a minute is for ever.
    bool waitForInk() const {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (std::chrono::steady_clock::now() < end) {
            if (std::ifstream(path_ + ".ink")) return true;
            std::this_thread::yield();
        }
        return false;
    }
    bool holds(const std::string& begin) const {
        std::ifstream in(path_);
        for (std::string line; std::getline(in, line) && !in.eof();)
            if (line.starts_with(begin)) return true;
        return false;
    }
    const sdk::Place place_;
    const std::string path_;
};

class LedgerKind final : public sdk::Kind {
  public:
    std::string name() const override { return "ledger"; }
    std::string summary() const override { return "a line in a book"; }
    bool isTransport() const override { return true; }
    std::vector<sdk::Setting> settings() const override {
        return {{"book", sdk::SettingType::Path, std::nullopt, "The file."}};
    }
    std::unique_ptr<sdk::Transport> makeTransport(const sdk::Place& place, const sdk::Settings& settings,
                                                  std::string&) const override {
        return std::make_unique<Ledger>(place, settings.text("book"));
    }
};

}  // namespace

POSTERN_ADAPTERS(POCO_EXPORT_CLASS(LedgerKind))
