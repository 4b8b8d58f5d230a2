// Built with the header of a later version.
#include <postern/adapter.h>
#undef POSTERN_ADAPTER_STAMP
#define POSTERN_ADAPTER_STAMP "postern-adapter 99 libstdc++-1"

namespace {
class Outdated final : public postern::adapter::Kind {
  public:
    std::string name() const override { return "outdated"; }
    std::string summary() const override { return "of another time"; }
};
}  // namespace

POSTERN_ADAPTERS(POCO_EXPORT_CLASS(Outdated))
