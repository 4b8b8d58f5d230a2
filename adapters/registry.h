#pragma once
// Every kind of adapter, in one list a person can read (registry.cpp). Configuration checks, `postern adapter
// kinds` and the documentation come from it.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/adapter.h"
#include "base/guards.h"

namespace postern::adapters {

enum class SettingType { Text, Path, Boolean, Integer, Size, Duration, Choice, List };

struct Setting {
    const char* key;
    SettingType type;
    const char* fallback;                      // as it would be written, without quotes; a List one a line;
                                               // nullptr: must be given
    const char* help;                          // one sentence
    std::vector<const char*> choices = {};     // Choice only
    std::int64_t least = 0, most = INT64_MAX;  // Integer, Size, Duration (milliseconds)
};

// Values as written; the configuration has checked them against the kind's settings and filled in the
// fallbacks.
class Settings {
  public:
    void set(const std::string& key, std::string value) { values_[key] = std::move(value); }
    const std::string& text(std::string_view key) const;  // REQUIRES: a key of the kind
    bool boolean(std::string_view key) const;
    std::int64_t integer(std::string_view key) const;       // Integer, and Size in bytes
    std::int64_t milliseconds(std::string_view key) const;  // Duration
    std::vector<std::string> list(std::string_view key) const;
    bool operator==(const Settings&) const = default;

  private:
    std::map<std::string, std::string, std::less<>> values_;
};

struct AdapterContext {
    std::string name;      // the instance's
    std::string hostname;  // ours, in names and headers
    std::string storeId;
    Guards guards;
    std::string runner = {};  // path of the program that runs commands and outlives us (adapters/runner.h)
    // Whether somebody with that account is in the chat now; empty: nobody can be asked, and everybody is.
    std::function<bool(std::string_view account)> inChat = {};
};

struct Kind {
    const char* name;
    const char* summary;
    std::vector<Setting> settings;  // those of this kind; the common ones are connector/config's
    // Makes one from checked settings. An error names the setting to change. Touches no disk: probe() does.
    std::function<Result<std::unique_ptr<Adapter>>(const AdapterContext&, const Settings&)> make;
};

// Ours, then those that were added, in alphabetical order each. They live for ever.
std::vector<const Kind*> kinds();
const Kind* kindNamed(std::string_view name);  // or its stand-in (adapters/extension/absent.h)
// A kind from outside (adapters/extension). REQUIRES: no kind of this name. Any thread, at any time.
void addKind(Kind kind);

}  // namespace postern::adapters
