// Built with the checking containers of libstdc++, whose layout is another (CMakeLists.txt).
#include <postern/adapter.h>

namespace {
class Debugged final : public postern::adapter::Kind {
  public:
    std::string name() const override { return "debugged"; }
    std::string summary() const override { return "of another layout"; }
};
}  // namespace

POSTERN_ADAPTERS(POCO_EXPORT_CLASS(Debugged))
