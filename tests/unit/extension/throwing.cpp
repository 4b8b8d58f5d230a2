// A file format that gives up, refuses or answers nonsense, as its setting says.
#include <cstdlib>
#include <postern/adapter.h>
#include <stdexcept>

namespace {

namespace sdk = postern::adapter;

class Format final : public sdk::FileFormat {
  public:
    explicit Format(std::string way) : way_(std::move(way)) {}
    std::string refuses(const sdk::Recipient&) const override {
        if (way_ == "recipient") throw std::runtime_error("recipients\nscare me");
        return {};
    }
    std::string fileName(const sdk::Delivery&) const override {
        if (way_ == "file name") throw std::runtime_error("the name book is lent");
        return way_ == "name" ? "../../etc/passwd" : "note";
    }
    std::string write(const sdk::Delivery&, sdk::Mail& mail, sdk::Output& out) const override {
        out.write("half a");
        if (way_ == "write") throw std::runtime_error("out of ink");
        if (way_ == "number") throw 42;
        if (way_ == "refusal") return "no \"" + mail.subject() + "\" here";
        return {};
    }

  private:
    const std::string way_;
};

class Throwing final : public sdk::Kind {
  public:
    // Asked when the library is loaded, and each time that an adapter is made.
    sdk::Profile profile() const override {
        if (std::getenv("POSTERN_TEST_PROFILE_THROWS") != nullptr) throw std::runtime_error("no profile");
        return {};
    }
    std::string name() const override { return "throwing"; }
    std::string summary() const override { return "gives up"; }
    std::vector<sdk::Setting> settings() const override {
        return {{"way", sdk::SettingType::Text, "write", "Where it gives up."}};
    }
    std::unique_ptr<sdk::FileFormat> makeFormat(const sdk::Place&, const sdk::Settings& settings,
                                                std::string& problem) const override {
        if (settings.text("way") == "make") throw std::runtime_error("not today");
        if (settings.text("way") == "silent") return nullptr;
        if (settings.text("way") == "problem") problem = "way: there is none";
        return std::make_unique<Format>(settings.text("way"));
    }
};

}  // namespace

POSTERN_ADAPTERS(POCO_EXPORT_CLASS(Throwing))
