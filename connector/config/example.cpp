#include "connector/config/example.h"

#include "base/places.h"
#include "base/text.h"
#include "connector/config/keys.h"
#include "connector/config/tree.h"

namespace postern::config {

using adapters::Setting;
using adapters::SettingType;

namespace {

// For settings without a default: what could stand there. The kind's own line is the first.
struct Sample {
    std::string_view kind;  // "": any
    std::string_view key;
    const char* value;  // of a List one a line
};
constexpr Sample kSamples[] = {
    {"chat", "folder", "/var/lib/postern/chat"},
    {"maildir", "folder", "/srv/postoffice"},
    {"nncp", "folder", "/var/lib/postern/island"},
    {"pipe", "folder", "/var/lib/postern/tickets"},
    {"uucp", "folder", "/var/lib/postern/oldbox"},
    {"", "folder", "/srv/legacy"},
    {"", "call", "N0AAA"},
    {"ftn", "address", "2:999/1"},
    {"ftn", "link", "2:999/2"},
    {"lmtp", "hosts", "unix:/run/dovecot/lmtp"},
    {"", "hosts", "mail.old.example"},
    {"nncp", "node", "island"},
    {"pipe", "command", "/usr/local/bin/new-ticket\n--\n{recipient}"},
    {"uucp", "system", "oldbox"},
    {"webhook", "url", "https://hooks.example.org/postern"},
    {"webhook", "events", "item.failed\nitem.in_doubt"},
    {"webhook", "secret_file", "/etc/postern/hook.secret"},
};

std::string sampleOf(std::string_view kind, const Setting& setting) {
    for (const Sample& sample : kSamples)
        if ((sample.kind == kind || sample.kind.empty()) && sample.key == setting.key)
            return placeFor(sample.value);
    return {};  // of a kind from outside
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
    out.append(key.sample != nullptr ? basicString(key.sample) : writtenDefault("", key.setting));
    out.append("\n");
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

void exampleAdapter(std::string& out, const adapters::Kind& kind) {
    explain(out, *keysOf("adapter").front());
    out.append("kind = ").append(basicString(kind.name)).append("\n");
    for (const Setting& setting : kind.settings) {
        explain(out, setting);
        const bool required = setting.fallback == nullptr;
        out.append(required ? "" : "#").append(setting.key).append(" = ");
        out.append(writtenDefault(kind.name, setting)).append("\n");
    }
}

}  // namespace

std::string writtenValue(SettingType type, std::string_view text) {
    if (type == SettingType::Integer || type == SettingType::Boolean) return std::string(text);
    if (type != SettingType::List) return basicString(text);
    std::string out = "[";
    if (!text.empty())
        for (const std::string_view line : split(text, '\n'))
            out += (out.size() > 1 ? ", " : "") + basicString(line);
    return out + "]";
}

std::string writtenDefault(std::string_view kind, const Setting& setting) {
    return writtenValue(setting.type,
                        setting.fallback == nullptr ? sampleOf(kind, setting) : setting.fallback);
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
    exampleAdapter(out, *adapters::kindNamed("maildir"));
    exampleSection(out, "adapter");
    exampleOption(out, "Who is told what became of a mail.", "[reports]", "reports");
    exampleOption(out, "The operators' web page, JSON interface and metrics.", "[http]", "http");
    exampleOption(out, "The queue in any IRC client.", "[chat]", "chat");
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

std::string example(const adapters::Kind& kind) {
    std::string out = std::string("# ") + kind.name + ": " + kind.summary + ".\n";
    out +=
        "# A file adapters.d/NAME.toml; in postern.toml the same keys stand below [adapter.NAME]. Lines that "
        "are\n"
        "# comments show the defaults.\n\n";
    exampleAdapter(out, kind);
    out += "\n# What every adapter has.\n";
    exampleSection(out, "adapter");
    return out;
}

}  // namespace postern::config
