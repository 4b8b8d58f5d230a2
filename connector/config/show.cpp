#include "base/text.h"
#include "connector/config/address.h"
#include "connector/config/example.h"
#include "connector/config/fields.h"
#include "connector/config/keys.h"
#include "connector/config/load.h"
#include "connector/config/section.h"
#include "connector/config/tree.h"
#include "connector/config/words.h"

namespace postern::config {

using adapters::Setting;
using adapters::SettingType;

namespace {

// Visits the members of a struct and writes "key = value" lines.
class Write {
  public:
    Write(std::string& out, std::string_view section) : out_(out), settings_(keysOf(section)) {}

    void operator()(const char* key, const std::string& member) const { line(key, basicString(member)); }
    void operator()(const char* key, int member) const { operator()(key, std::int64_t{member}); }
    void operator()(const char* key, std::int64_t member) const {
        line(key, isSize(key) ? basicString(exactSize(member)) : std::to_string(member));
    }
    void operator()(const char* key, const Amount& member) const {
        line(key, basicString(exactSize(member.percent > 0 ? -member.percent : member.bytes)));
    }
    void operator()(const char* key, bool member) const { line(key, member ? "true" : "false"); }
    void operator()(const char* key, const std::vector<std::string>& member) const {
        std::string lines;
        for (const std::string& each : member) lines += (lines.empty() ? "" : "\n") + each;
        line(key, writtenValue(SettingType::List, lines));
    }
    void operator()(const char* key, Millis member) const {
        line(key, basicString(exactDuration(member.count())));
    }
    template <class Enum>
    void operator()(const char* key, const Enum& member) const {
        line(key, basicString(wordOf(member)));
    }

  private:
    bool isSize(std::string_view key) const {
        for (const Setting* setting : settings_)
            if (setting->key == key) return setting->type == SettingType::Size;
        return false;
    }
    void line(std::string_view key, std::string_view value) const {
        out_.append(key).append(" = ").append(value).append("\n");
    }
    std::string& out_;
    std::vector<const Setting*> settings_;
};

// A setting of a kind from its canonical form.
std::string settingValue(const Setting& setting, const std::string& text) {
    if (setting.type == SettingType::Size && !text.empty())
        return basicString(exactSize(parseInt(text).value_or(0)));
    if (setting.type == SettingType::Duration && !text.empty())
        return basicString(exactDuration(parseDurationMillis(text).value_or(0)));
    return writtenValue(setting.type, text);
}

void showKind(std::string& out, const Adapter& adapter) {
    const adapters::Kind* kind = adapters::kindNamed(adapter.kind);
    if (kind == nullptr) return;
    for (const Setting& setting : kind->settings) {
        const std::string& text = adapter.settings.text(setting.key);
        // Empty means "none" here and can not be written where the type asks for more than a text.
        if (text.empty() && setting.type != SettingType::Text && setting.type != SettingType::List) continue;
        out.append(setting.key).append(" = ").append(settingValue(setting, text)).append("\n");
    }
}

}  // namespace

std::string show(const Listener& listener) {
    std::string out = "[[listener]]\n";
    visitListener(listener, Write(out, "listener"));
    return out.append("address = ").append(basicString(addressText(listener))).append("\n");
}

std::string show(const Adapter& adapter) {
    std::string out = "[adapter." + adapter.name + "]\n";
    visitAdapter(adapter, Write(out, "adapter"));
    showKind(out, adapter);
    return out;
}

std::string show(const Chat& chat) {
    std::string out = "[chat]\n";
    visitChat(chat, Write(out, "chat"));
    return out;
}

std::string show(const Config& config) {
    std::string out;
    visitTop(config, Write(out, ""));
    for (const Listener& listener : config.listeners) {
        out += "\n" + show(listener);
    }
    for (const Pickup& pickup : config.pickups) {
        out += "\n[[pickup]]\n";
        visitPickup(pickup, Write(out, "pickup"));
    }
    for (const Adapter& adapter : config.adapters) {
        out += "\n" + show(adapter);
    }
    out += "\n[reports]\n";
    visitReports(config.reports, Write(out, "reports"));
    out += "\n[http]\n";
    visitHttp(config.http, Write(out, "http"));
    out += "\n" + show(config.chat);
    for (const Table& table : config.tables) {
        out += "\n[[table]]\n";
        visitTable(table, Write(out, "table"));
    }
    for (const Rule& rule : config.rules) {
        out += "\n[[rule]]\n";
        visitRule(rule, Write(out, "rule"));
    }
    for (const Route& route : config.routes) {
        out += "\n[[route]]\n";
        visitRoute(route, Write(out, "route"));
    }
    return out;
}

}  // namespace postern::config
