#include "base/text.h"
#include "connector/config/address.h"
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

// "[\"a\", \"b\"]" of lines.
std::string listed(std::string_view lines) {
    std::string out = "[";
    if (!lines.empty())
        for (const std::string_view line : split(lines, '\n'))
            out += (out.size() > 1 ? ", " : "") + basicString(line);
    return out + "]";
}

bool quotedType(SettingType type) {
    return type != SettingType::Integer && type != SettingType::Boolean;
}

// Visits the members of a struct and writes "key = value" lines.
class Write {
  public:
    Write(std::string& out, std::string_view section) : out_(out), settings_(keysOf(section)) {}

    void operator()(const char* key, const std::string& member) const { line(key, basicString(member)); }
    void operator()(const char* key, int member) const { operator()(key, std::int64_t{member}); }
    void operator()(const char* key, std::int64_t member) const {
        line(key, isSize(key) ? basicString(exactSize(member)) : std::to_string(member));
    }
    void operator()(const char* key, bool member) const { line(key, member ? "true" : "false"); }
    void operator()(const char* key, const std::vector<std::string>& member) const {
        std::string lines;
        for (const std::string& each : member) lines += (lines.empty() ? "" : "\n") + each;
        line(key, listed(lines));
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
    if (setting.type == SettingType::List) return listed(text);
    return quotedType(setting.type) ? basicString(text) : text;
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

std::string fallbackValue(const Setting& setting) {
    const std::string text = setting.fallback == nullptr ? "" : setting.fallback;
    if (setting.type == SettingType::List) return listed(text);
    return quotedType(setting.type) ? basicString(text) : text;
}

void explain(std::string& out, const Setting& setting) {
    out.append("# ").append(setting.help);
    if (setting.type == SettingType::Choice) {
        std::string words;
        for (const char* choice : setting.choices) words += (words.empty() ? "" : ", ") + std::string(choice);
        out.append(" One of: ").append(words).append(".");
    }
    out += "\n";
}

void exampleKey(std::string& out, const Key& key) {
    explain(out, key.setting);
    const bool computed = key.setting.fallback != nullptr && key.setting.fallback[0] == '\0';
    out.append(key.sample == nullptr || computed ? "#" : "").append(key.setting.key).append(" = ");
    out.append(key.sample != nullptr ? basicString(key.sample) : fallbackValue(key.setting)).append("\n");
}

void exampleSection(std::string& out, std::string_view section) {
    for (const Key& key : keys())
        if (key.section == section && std::string_view(key.setting.key) != "kind") exampleKey(out, key);
}

// A section that a plain installation does not have: all of it stands as a comment.
void exampleOption(std::string& out, std::string_view about, std::string_view header,
                   std::string_view section) {
    out.append("\n# ").append(about).append("\n#").append(header).append("\n");
    std::string keys;
    exampleSection(keys, section);
    if (keys.ends_with('\n')) keys.pop_back();
    for (const std::string_view line : split(keys, '\n'))
        out.append(line.starts_with('#') ? "" : "#").append(line).append("\n");
}

void exampleAdapter(std::string& out) {
    const adapters::Kind& kind = *adapters::kindNamed("maildir");
    explain(out, *keysOf("adapter").front());
    out.append("kind = ").append(basicString(kind.name)).append("\n");
    for (const Setting& setting : kind.settings) {
        explain(out, setting);
        const bool required = setting.fallback == nullptr;
        out.append(required ? "" : "#").append(setting.key).append(" = ");
        out.append(required ? basicString("/srv/postoffice") : fallbackValue(setting)).append("\n");
    }
    exampleSection(out, "adapter");
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

std::string example() {
    std::string out =
        "# Configuration of Postern. 'postern config check' finds every mistake in it, 'postern config "
        "show'\n"
        "# prints it with all defaults filled in. Lines that are comments here show the defaults.\n"
        "# Sizes: \"64 KiB\", \"50 MiB\". Durations: \"500ms\", \"30s\", \"5m\", \"2h\", \"7d\". Paths are "
        "absolute.\n\n";
    exampleSection(out, "");
    out += "\n# Where mail comes in. One [[listener]] for each address.\n[[listener]]\n";
    exampleSection(out, "listener");
    exampleOption(out, "A folder that programs put mail into as files. One [[pickup]] for each.",
                  "[[pickup]]", "pickup");
    out +=
        "\n# Where mail goes out. One [adapter.NAME] for each, or a file adapters.d/NAME.toml beside this "
        "one\n"
        "# with the same keys at its top.\n[adapter.postoffice]\n";
    exampleAdapter(out);
    exampleOption(out, "Who is told what became of a mail.", "[reports]", "reports");
    exampleOption(out, "The operators' web page, JSON interface and metrics.", "[http]", "http");
    exampleOption(out, "Address tables, asked before the routes.", "[[table]]", "table");
    exampleOption(out, "Policy on mail coming in. The first rule all of whose conditions hold decides.",
                  "[[rule]]", "rule");
    out +=
        "\n# Who gets what: the first [[route]] whose pattern takes a recipient decides; a recipient that "
        "no\n"
        "# route takes is refused.\n[[route]]\n";
    exampleSection(out, "route");
    return out;
}

}  // namespace postern::config
