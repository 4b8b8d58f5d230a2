// A transport: one line for each mail in one file, which only it writes. The line's number is the item's, so
// that looking tells whether it is there.
#include <fcntl.h>
#include <fstream>
#include <postern/adapter.h>
#include <unistd.h>

namespace {

namespace sdk = postern::adapter;

class Ledger final : public sdk::Transport {
  public:
    explicit Ledger(std::string path) : path_(std::move(path)) {}

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
        if (!holds(key(delivery.item))) {
            const int file = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
            const std::string line = evidence + "\n";
            const bool whole = file >= 0 &&
                               ::write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
                               ::fsync(file) == 0;
            if (file >= 0) ::close(file);
            if (!whole) return {sdk::Verdict::Unknown, "the ledger may or may not have it"};
        }
        return {sdk::Verdict::Exported, path_};
    }
    void abandon(const sdk::Delivery&, const std::string&) override {}
    sdk::Found recover(std::int64_t item, std::int64_t, const std::string&, std::string& text) override {
        text = "looked into " + path_;
        return holds(key(item)) ? sdk::Found::Published : sdk::Found::CannotTell;
    }
    std::string describe() const override { return "the ledger " + path_; }

  private:
    static std::string key(std::int64_t item) { return std::to_string(item) + ": "; }
    bool holds(const std::string& begin) const {
        std::ifstream in(path_);
        for (std::string line; std::getline(in, line);)
            if (line.starts_with(begin)) return true;
        return false;
    }
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
    std::unique_ptr<sdk::Transport> makeTransport(const sdk::Place&, const sdk::Settings& settings,
                                                  std::string&) const override {
        return std::make_unique<Ledger>(settings.text("book"));
    }
};

}  // namespace

POSTERN_ADAPTERS(POCO_EXPORT_CLASS(LedgerKind))
