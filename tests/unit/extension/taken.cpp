// Two kinds; the second has the name of one that exists, so neither is taken.
#include <postern/adapter.h>

namespace {
class Fine final : public postern::adapter::Kind {
  public:
    std::string name() const override { return "fine"; }
    std::string summary() const override { return "would be fine alone"; }
};
class Maildir final : public postern::adapter::Kind {
  public:
    std::string name() const override { return "maildir"; }
    std::string summary() const override { return "not the one you know"; }
};
}  // namespace

POSTERN_ADAPTERS(POCO_EXPORT_CLASS(Fine) POCO_EXPORT_CLASS(Maildir))
