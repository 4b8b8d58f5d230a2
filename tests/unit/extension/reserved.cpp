// Has a setting that every adapter has already.
#include <postern/adapter.h>

namespace {
class Reserved final : public postern::adapter::Kind {
  public:
    std::string name() const override { return "reserved"; }
    std::string summary() const override { return "takes a key of everybody's"; }
    std::vector<postern::adapter::Setting> settings() const override {
        return {{"retry_first", postern::adapter::SettingType::Duration, "1m", "Ours, we thought."}};
    }
};
}  // namespace

POSTERN_ADAPTERS(POCO_EXPORT_CLASS(Reserved))
