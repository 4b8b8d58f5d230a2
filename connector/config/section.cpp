#include "connector/config/section.h"

#include <algorithm>

#include "base/file.h"
#include "base/path.h"
#include "base/text.h"
#include "connector/config/keys.h"

namespace postern::config {

using adapters::Setting;
using adapters::SettingType;

namespace {

std::string quoted(std::string_view text) {
    return "\"" + escapeLine(text, 100) + "\"";
}

std::string joined(const std::vector<std::string>& words, std::string_view between) {
    std::string all;
    for (const std::string& word : words) all += (all.empty() ? "" : std::string(between)) + word;
    return all;
}

std::vector<std::string_view> namesOf(std::span<const Setting* const> known,
                                      std::span<const std::string_view> elsewhere) {
    std::vector<std::string_view> names(elsewhere.begin(), elsewhere.end());
    for (const Setting* setting : known) names.emplace_back(setting->key);
    return names;
}

void refuseUnknown(const Node& table, const std::vector<std::string_view>& names, Findings& findings) {
    for (const Node& child : table.children) {
        if (std::find(names.begin(), names.end(), child.key) != names.end()) continue;
        std::string hint = didYouMean(child.key, names);
        const auto homes = sectionsWith(child.key);
        const bool section = child.kind == Node::Kind::Table || child.kind == Node::Kind::List;
        if (!homes.empty() && !section) hint = "; it belongs to " + joined(homes, " and ");
        findings.problem(child.place, "unknown key " + quoted(child.key) + " here" + hint);
    }
}

// A size that may be a share of a volume as well.
bool takesShare(const Setting& setting) {
    return setting.type == SettingType::Size && setting.least == kLeastOfShares;
}

// What a value of that type looks like, for messages.
std::string_view wanted(const Setting& setting) {
    if (takesShare(setting)) return "a size such as \"50 MiB\" or a share such as \"5%\"";
    switch (setting.type) {
        case SettingType::Text: return "a text in quotes";
        case SettingType::Path: return "an absolute path in quotes";
        case SettingType::Boolean: return "true or false";
        case SettingType::Integer: return "a whole number";
        case SettingType::Size: return "a size such as \"50 MiB\"";
        case SettingType::Duration: return "a duration with its unit such as \"5m\"";
        case SettingType::List: return "a list of texts such as [\"a\", \"b\"]";
        case SettingType::Choice: break;
    }
    return "one of the words in quotes that are listed for it";
}

bool rightKind(SettingType type, Node::Kind kind) {
    switch (type) {
        case SettingType::Boolean: return kind == Node::Kind::Boolean;
        case SettingType::Integer: return kind == Node::Kind::Integer;
        case SettingType::List: return kind == Node::Kind::List;
        case SettingType::Size: return kind == Node::Kind::Integer || kind == Node::Kind::Text;
        default: return kind == Node::Kind::Text;
    }
}

bool hasControls(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

std::string shown(SettingType type, std::int64_t number) {
    if (type == SettingType::Size) return quoted(exactSize(number));
    if (type == SettingType::Duration) return quoted(exactDuration(number));
    return std::to_string(number);
}

// What is wrong with the number; empty when nothing is.
std::string rangeProblem(const Setting& setting, std::int64_t number, std::string_view text) {
    if (number >= setting.least && number <= setting.most) return {};
    const std::string least = shown(setting.type, takesShare(setting) ? 0 : setting.least);
    const std::string range = setting.most == INT64_MAX
                                  ? "at least " + least
                                  : "between " + least + " and " + shown(setting.type, setting.most);
    return quoted(setting.key) + " must be " + range + ", not " + escapeLine(text, 100);
}

std::string listProblem(const Setting& setting, std::string_view text) {
    for (const std::string_view line : split(text, '\n'))
        if (line.empty() || hasControls(line))
            return quoted(setting.key) + " holds an empty text or a control character";
    return {};
}

std::string choiceProblem(const Setting& setting, std::string_view text) {
    const std::vector<std::string_view> words(setting.choices.begin(), setting.choices.end());
    if (std::find(words.begin(), words.end(), text) != words.end()) return {};
    return quoted(setting.key) + " must be one of " +
           joined({setting.choices.begin(), setting.choices.end()}, ", ") + ", not " + quoted(text) +
           didYouMean(text, words);
}

std::string numberProblem(const Setting& setting, std::optional<std::int64_t> number, Entry& entry) {
    if (!number)
        return quoted(setting.key) + " must be " + std::string(wanted(setting)) + ", not " +
               quoted(entry.text);
    entry.number = *number;
    return rangeProblem(setting, *number, entry.text);
}

// Of 1 to 99 percent the negative: no size is one.
std::optional<std::int64_t> sizeOrShare(const Setting& setting, std::string_view text) {
    if (!takesShare(setting) || !text.ends_with('%')) return parseSize(text);
    const auto percent = parseInt(trim(text.substr(0, text.size() - 1)));
    if (!percent || *percent < 1 || *percent > 99) return std::nullopt;
    return -*percent;
}

// Fills `entry.number` and says what is wrong with the text; empty when nothing is.
std::string valueProblem(const Setting& setting, Entry& entry) {
    if (setting.type == SettingType::List) return listProblem(setting, entry.text);
    if (hasControls(entry.text)) return quoted(setting.key) + " holds a control character";
    switch (setting.type) {
        case SettingType::Text: return {};
        case SettingType::Path:
            if (!isAbsolutePath(entry.text))
                return quoted(setting.key) + " must be an absolute path, not " + quoted(entry.text);
            if (const auto usable = usablePath(entry.text); !usable.ok())
                return quoted(setting.key) + ": " + usable.error().text;
            return {};
        case SettingType::Boolean: entry.number = entry.text == "true" ? 1 : 0; return {};
        case SettingType::Integer: return numberProblem(setting, parseInt(entry.text), entry);
        case SettingType::Size: return numberProblem(setting, sizeOrShare(setting, entry.text), entry);
        case SettingType::Duration: return numberProblem(setting, parseDurationMillis(entry.text), entry);
        case SettingType::List:
        case SettingType::Choice: break;
    }
    return choiceProblem(setting, entry.text);
}

void readGiven(const Node& node, const Setting& setting, Section& section, Findings& findings) {
    if (!rightKind(setting.type, node.kind))
        return findings.problem(node.place, quoted(setting.key) + " must be " + std::string(wanted(setting)) +
                                                ", not " + std::string(kindName(node.kind)));
    Entry entry{node.text, 0, node.place, true};
    for (const Node& child : node.children) {
        if (child.kind != Node::Kind::Text || child.text.find('\n') != std::string::npos)
            return findings.problem(child.place,
                                    quoted(setting.key) + " must be a list of texts of one line");
        entry.text += (entry.text.empty() ? "" : "\n") + child.text;
    }
    const bool emptyList = setting.type == SettingType::List && node.children.empty();
    // "" where it is the fallback: "none" or "computed", as if the key were not there.
    const bool none = entry.text.empty() && setting.fallback != nullptr && setting.fallback[0] == '\0';
    std::string wrong = none || emptyList ? "" : valueProblem(setting, entry);
    if (!wrong.empty()) return findings.problem(node.place, std::move(wrong));
    section[setting.key] = std::move(entry);
}

void readMissing(const Node& table, const Setting& setting, Section& section, Findings& findings) {
    if (setting.fallback == nullptr)
        return findings.problem(table.place, quoted(setting.key) + " is missing: " + setting.help);
    Entry entry{setting.fallback, 0, table.place, false};
    std::string wrong = entry.text.empty() ? "" : valueProblem(setting, entry);
    if (!wrong.empty()) return findings.problem(table.place, "fallback: " + std::move(wrong));
    section[setting.key] = std::move(entry);
}

std::string inUnits(std::int64_t number, std::span<const std::pair<std::int64_t, const char*>> units) {
    for (const auto& [unit, name] : units)
        if (number != 0 && number % unit == 0) return std::to_string(number / unit) + name;
    return "0" + std::string(units.back().second);
}

}  // namespace

Section readSection(const Node& table, std::span<const Setting* const> known,
                    std::span<const std::string_view> elsewhere, Findings& findings) {
    refuseUnknown(table, namesOf(known, elsewhere), findings);
    Section section;
    for (const Setting* setting : known) {
        if (const Node* node = childNamed(table, setting->key)) {
            readGiven(*node, *setting, section, findings);
        } else {
            readMissing(table, *setting, section, findings);
        }
    }
    return section;
}

std::string canonical(const Setting& setting, const Entry& entry) {
    if (entry.text.empty()) return {};
    switch (setting.type) {
        case SettingType::Size:
        case SettingType::Integer: return std::to_string(entry.number);
        case SettingType::Duration: return std::to_string(entry.number) + "ms";
        default: return entry.text;
    }
}

std::string exactSize(std::int64_t bytes) {
    if (bytes < 0) return std::to_string(-bytes) + "%";
    static constexpr std::pair<std::int64_t, const char*> kUnits[] = {
        {1LL << 30, " GiB"}, {1LL << 20, " MiB"}, {1LL << 10, " KiB"}, {1, " B"}};
    return inUnits(bytes, kUnits);
}

std::string exactDuration(std::int64_t millis) {
    static constexpr std::pair<std::int64_t, const char*> kUnits[] = {
        {86'400'000, "d"}, {3'600'000, "h"}, {60'000, "m"}, {1000, "s"}, {1, "ms"}};
    return inUnits(millis, kUnits);
}

bool validName(std::string_view name) {
    if (name.empty() || name.size() > 64) return false;
    return std::all_of(name.begin(), name.end(), [](char c) {
        return (lowerAscii(c) >= 'a' && lowerAscii(c) <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
               c == '_';
    });
}

}  // namespace postern::config
