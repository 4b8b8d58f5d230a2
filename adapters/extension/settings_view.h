#pragma once
// An extension's settings and profile in our terms, and ours in its.

#include <postern/adapter.h>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/registry.h"
#include "mail/convert.h"

namespace postern::adapters::extension {

namespace sdk = postern::adapter;

class SettingsView final : public sdk::Settings {
  public:
    explicit SettingsView(const adapters::Settings& settings) : settings_(settings) {}
    std::string text(std::string_view key) const override { return settings_.text(key); }
    bool boolean(std::string_view key) const override { return settings_.boolean(key); }
    std::int64_t integer(std::string_view key) const override { return settings_.integer(key); }
    std::int64_t milliseconds(std::string_view key) const override { return settings_.milliseconds(key); }
    std::vector<std::string> list(std::string_view key) const override { return settings_.list(key); }

  private:
    const adapters::Settings& settings_;
};

// The kind's own settings, checked: an Error says what is wrong with one. Texts are kept for ever.
Result<std::vector<Setting>> ownSettings(const sdk::Kind& kind);
mail::Profile profileFor(const sdk::Kind& kind);

sdk::Place placeOf(const AdapterContext& context);

// What makeFormat() and makeTransport() came to.
Result<void> madeOrWhy(bool made, const std::string& problem);

}  // namespace postern::adapters::extension
