#include "connector/manual/settings.h"

#include <string>

#include "base/text.h"
#include "connector/config/example.h"
#include "connector/manual/markdown.h"

namespace postern::manual {

namespace {

using adapters::Setting;
using adapters::SettingType;

// What stands behind the "=".
std::string valueMacros(const Setting& setting) {
    switch (setting.type) {
        case SettingType::Text: return "Ar " + argument("\"text\"");
        case SettingType::Path: return "Ar " + argument("\"path\"");
        case SettingType::Boolean: return "Cm true No \\&| Cm false";
        case SettingType::Integer: return "Ar number";
        case SettingType::Size: return "Ar " + argument("\"size\"");
        case SettingType::Duration: return "Ar " + argument("\"time\"");
        case SettingType::List: return "Ar " + argument("[\"text\", ...]");
        case SettingType::Choice: break;
    }
    std::string all;
    for (const char* choice : setting.choices)
        all += (all.empty() ? "Cm " : " No \\&| Cm ") +
               argument(config::writtenValue(SettingType::Text, choice));
    return all;
}

std::string amount(const Setting& setting, std::int64_t number) {
    if (setting.type == SettingType::Size) return formatSize(number);
    if (setting.type == SettingType::Duration) return formatDurationMillis(number);
    return std::to_string(number);
}

std::string bounds(const Setting& setting) {
    const bool least = setting.least > 0, most = setting.most < INT64_MAX;
    if (least && most)
        return "From " + amount(setting, setting.least) + " to " + amount(setting, setting.most) + ".";
    if (most) return "At most " + amount(setting, setting.most) + ".";
    return least ? "At least " + amount(setting, setting.least) + "." : "";
}

bool tellsDefault(std::string_view help) {
    const std::string lower = lowerAscii(help);
    return lower.find("default") != std::string::npos || lower.find("empty:") != std::string::npos;
}

void writeSetting(Mdoc& page, const Setting& setting) {
    page.line(".It Ic " + argument(setting.key) + " No = " + valueMacros(setting));
    const std::string help = setting.help;
    std::vector<Word> words = proseOf(help + (help.ends_with('.') ? "" : "."));
    Prose prose;
    const bool empty = setting.fallback != nullptr && setting.fallback[0] == '\0';
    if (setting.fallback == nullptr) {
        prose.add("It must be given. ");
    } else if (!empty) {
        prose.add("Default: ");
        prose.add(config::writtenDefault("", setting), Face::Literal);
        prose.add(". ");
    } else if (!tellsDefault(help)) {
        prose.add("Default: none. ");
    }
    prose.add(bounds(setting));
    for (Word& word : prose.words()) words.push_back(std::move(word));
    page.flow(words);
}

}  // namespace

void writeSettings(Mdoc& page, const std::vector<const Setting*>& settings) {
    page.beginList("-tag -width Ds");
    for (const Setting* setting : settings) writeSetting(page, *setting);
    page.endList();
}

}  // namespace postern::manual
