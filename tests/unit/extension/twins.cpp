// Two classes that give their kinds one name.
#include <postern/adapter.h>

namespace {
class First final : public postern::adapter::Kind {
  public:
    std::string name() const override { return "twin"; }
    std::string summary() const override { return "one of two"; }
};
class Second final : public postern::adapter::Kind {
  public:
    std::string name() const override { return "twin"; }
    std::string summary() const override { return "the other"; }
};
}  // namespace

POSTERN_ADAPTERS(POCO_EXPORT_CLASS(First) POCO_EXPORT_CLASS(Second))
