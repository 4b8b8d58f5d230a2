#include "connector/cli/candidates.h"

#include <algorithm>
#include <set>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "connector/config/keys.h"
#include "connector/config/load.h"
#include "connector/config/tree.h"
#include "connector/manual/pages.h"
#include "queue/item.h"

namespace postern::cli {

namespace {

using adapters::Setting;
using adapters::SettingType;

// A command's own line stands before the one for every command.
constexpr Slot kSlots[] = {
    {"", "--config", Takes::Files},
    {"", "--adapter", Takes::Adapters},
    {"", "--state", Takes::States, {}, true},
    {"", "--from", Takes::Text},
    {"", "--to", Takes::Text},
    {"", "--older", Takes::Text},
    {"", "--message-id", Takes::Text},
    {"", "--message", Takes::Text},
    {"", "--error", Takes::Text},
    {"", "--id", Takes::Text},
    {"", "--limit", Takes::Text},
    {"", "--reason", Takes::Text},
    {"", "--output", Takes::Files},
    {"", "--folder", Takes::Folders},
    {"", "ITEM", Takes::Text},
    {"", "FILE", Takes::Files},
    {"queue summary", "--by", Takes::Words, "adapter sender domain error"},
    {"queue captured", "--epoch", Takes::Text},
    {"queue move", "ADAPTER", Takes::Adapters},
    {"track", "MESSAGE-ID", Takes::Text},
    {"watch", "--item", Takes::Text},
    {"watch", "--event", Takes::Events},
    {"watch", "--after", Takes::Text},
    {"top", "--interval", Takes::Text},
    {"top", "--count", Takes::Text},
    {"submit", "--notify", Takes::Words, "never success failure delay", true},
    {"submit", "--ret", Takes::Words, "full hdrs"},
    {"submit", "--envid", Takes::Text},
    {"submit", "RECIPIENT", Takes::Text},
    {"adapter add", "NAME", Takes::Text},
    {"adapter add", "KIND", Takes::Kinds},
    {"adapter add", "SETTING", Takes::Settings},
    {"adapter set", "NAME", Takes::Adapters},
    {"adapter set", "SETTING", Takes::Settings},
    {"adapter unset", "NAME", Takes::Adapters},
    {"adapter unset", "KEY", Takes::Keys},
    {"adapter show", "NAME", Takes::Adapters},
    {"adapter remove", "NAME", Takes::Adapters},
    {"adapter test", "NAME", Takes::Adapters},
    {"adapter suspend", "NAME", Takes::Adapters},
    {"adapter suspend", "--until", Takes::Text},
    {"adapter resume", "NAME", Takes::Adapters},
    {"route test", "ADDRESS", Takes::Text},
    {"route test", "--size", Takes::Text},
    {"route test", "--source", Takes::Sources},
    {"route test", "--header", Takes::Text},
    {"address lookup", "ADDRESS-OR-NAME", Takes::Text},
    {"address export", "--table", Takes::Tables},
    {"address import", "--table", Takes::Tables},
    {"account add", "NAME", Takes::Text},
    {"account add", "--role", Takes::Words, "send viewer operator admin"},
    {"account add", "--password-file", Takes::Files},
    {"account remove", "NAME", Takes::Text},
    {"account passwd", "NAME", Takes::Text},
    {"account passwd", "--password-file", Takes::Files},
    {"config example", "--kind", Takes::Kinds},
    {"service install", "--account", Takes::Text},
    {"service install", "--start", Takes::Words, "delayed automatic manual"},
    {"service install", "--program", Takes::Files},
    {"service start", "--wait", Takes::Text},
    {"service stop", "--wait", Takes::Text},
    {"service remove", "--wait", Takes::Text},
    {"man", "PAGE", Takes::Pages},
    {"man", "--all", Takes::Folders},
    {"completion", "SHELL", Takes::Words, "bash zsh fish"},
};

struct Known {
    std::vector<Candidate> adapters, tables, sources;  // of an adapter the help is its kind
};

// A configuration with mistakes, or one that is only half readable, still has adapters with names.
void readTree(const std::string& path, Known& known) {
    const config::ParsedFile parsed = config::parseFile(path);
    const auto kindOf = [](const config::Node& table) {
        const config::Node* kind = config::childNamed(table, "kind");
        return kind == nullptr ? std::string() : kind->text;
    };
    if (const config::Node* adapters = config::childNamed(parsed.root, "adapter"))
        for (const config::Node& each : adapters->children)
            known.adapters.push_back({each.key, kindOf(each)});
    const auto folder = Folder::open(joinPath(parentPath(path), "adapters.d"));
    if (!folder.ok()) return;
    const auto listed = folder->list([&](std::string_view name) {
        constexpr std::string_view kEnd = ".toml";
        if (name.ends_with(kEnd))
            known.adapters.push_back({std::string(name.substr(0, name.size() - kEnd.size())),
                                      kindOf(config::parseFile(joinPath(folder->path(), name)).root)});
        return true;
    });
    if (!listed.ok()) known.adapters.clear();
}

Known readKnown(const std::string& path) {
    Known known;
    const config::Loaded loaded = config::load(path);
    if (!loaded.config) {
        readTree(path, known);
        return known;
    }
    for (const config::Adapter& each : loaded.config->adapters)
        known.adapters.push_back({each.name, each.kind});
    for (const config::Table& each : loaded.config->tables) known.tables.push_back({each.name, each.adapter});
    for (const config::Listener& each : loaded.config->listeners)
        known.sources.push_back({each.name, "listener"});
    for (const config::Pickup& each : loaded.config->pickups) known.sources.push_back({each.name, "pickup"});
    known.sources.push_back({"submit", "mail from this machine"});
    return known;
}

// Walks the words before the last one.
class Line {
  public:
    Line(const manual::Command& program, std::string configPath, const std::vector<std::string>& words)
        : program_(program), command_(&program), configPath_(std::move(configPath)), word_(words.back()) {
        for (std::size_t i = 0; i + 1 < words.size(); ++i)
            pass(words[i], words[i + 1], i + 2 == words.size());
    }

    Candidates go() {
        if (lost_) return {};
        if (pending_ != nullptr) {
            value(*pending_, word_, "");
        } else if (const auto equals = word_.find('=');
                   !onlyArguments_ && word_.starts_with("--") && equals != std::string::npos) {
            const manual::Option* option = optionNamed(word_.substr(0, equals));
            if (option != nullptr) value(*option, word_.substr(equals + 1), word_.substr(0, equals + 1));
        } else if (!onlyArguments_ && word_.starts_with("-")) {
            options();
        } else if (!command_->commands.empty()) {
            for (const manual::Command& each : command_->commands) offer(each.name, each.summary);
        } else {
            argument();
        }
        return std::move(found_);
    }

  private:
    void pass(const std::string& word, const std::string& next, bool last) {
        if (skip_) {
            skip_ = false;
        } else if (!onlyArguments_ && word == "--") {
            onlyArguments_ = true;
        } else if (!onlyArguments_ && word.starts_with("-")) {
            passOption(word, next, last);
        } else if (const manual::Command* inner = manual::commandNamed(*command_, word)) {
            command_ = inner;
            path_ += (path_.empty() ? "" : " ") + word;
        } else if (!command_->commands.empty()) {
            lost_ = true;  // no such command: nothing fits behind it
        } else {
            arguments_.push_back(word);
        }
    }

    void passOption(const std::string& word, const std::string& next, bool last) {
        const auto equals = word.find('=');
        const manual::Option* option = optionNamed(word.substr(0, equals));
        if (option == nullptr) return;
        given_.insert(option->name);
        const bool follows = !option->value.empty() && equals == std::string::npos;
        if (option->name == "--config" && (equals != std::string::npos || !last))
            configPath_ = equals != std::string::npos ? word.substr(equals + 1) : next;
        if (follows && last) pending_ = option;
        skip_ = follows;
    }

    const manual::Option* optionNamed(const std::string& name) const {
        for (const manual::Command* command : {command_, &program_})
            for (const manual::Option& option : command->options)
                if (!option.argument && option.name == name) return &option;
        return nullptr;
    }

    void options() {
        for (const manual::Command* command : {command_, &program_}) {
            for (const manual::Option& option : command->options)
                if (!option.argument && (option.repeats || !given_.contains(option.name)))
                    if (command == command_ || (option.name != "--help" && option.name != "--version"))
                        offer(option.name, option.help);
            if (command_ == &program_) return;
        }
    }

    void argument() {
        const manual::Option* slot = nullptr;
        std::size_t at = 0;
        for (const manual::Option& option : command_->options) {
            if (!option.argument) continue;
            if (at++ == arguments_.size() || option.repeats) slot = &option;
            if (slot != nullptr) break;
        }
        if (slot != nullptr) value(*slot, word_, "");
    }

    // `typed` is what is there of the value, behind `before` of the word.
    void value(const manual::Option& option, const std::string& typed, const std::string& before) {
        const Slot* slot = slotOf(path_, option.name);
        if (slot == nullptr) return;
        std::string base = before;
        if (slot->list && typed.find(',') != std::string::npos) base += typed.substr(0, typed.rfind(',') + 1);
        fill(*slot, typed, base);
    }

    void fill(const Slot& slot, const std::string& typed, const std::string& base) {
        switch (slot.takes) {
            case Takes::Text: return;
            case Takes::Files: return files(Candidates::Also::Files, base);
            case Takes::Folders: return files(Candidates::Also::Folders, base);
            case Takes::Words:
                for (const std::string_view word : split(slot.words, ' '))
                    offer(base + std::string(word), "");
                return;
            case Takes::States:
                for (const queue::State state : queue::kAllStates)
                    offer(base + std::string(queue::stateName(state)), "");
                return;
            case Takes::Events:
                for (int i = 0; i < logEventCount(); ++i)
                    offer(base + std::string(logEventInfo(static_cast<LogEvent>(i)).id), "");
                return;
            case Takes::Pages:
                for (const manual::Page& page : manual::pages()) offer(base + page.name, page.summary);
                return;
            default: return fillFromConfiguration(slot, typed, base);
        }
    }

    void fillFromConfiguration(const Slot& slot, const std::string& typed, const std::string& base) {
        const Known known = readKnown(configPath_);  // before the kinds: it brings those of its folder
        const auto offerAll = [&](const std::vector<Candidate>& all) {
            for (const Candidate& each : all) offer(base + each.word, each.help);
        };
        switch (slot.takes) {
            case Takes::Adapters: return offerAll(known.adapters);
            case Takes::Tables: return offerAll(known.tables);
            case Takes::Sources: return offerAll(known.sources);
            case Takes::Kinds:
                for (const adapters::Kind* kind : adapters::kinds()) offer(base + kind->name, kind->summary);
                return;
            case Takes::Settings: return settings(known, typed);
            default: break;
        }
        for (const Setting* setting : settingsOf(known)) offer(setting->key, setting->help);
    }

    void files(Candidates::Also also, const std::string& before) {
        found_.also = also;
        found_.before = before;
    }

    // Of the adapter, or the kind, that the arguments name.
    std::vector<const Setting*> settingsOf(const Known& known) const {
        std::string kind = path_ == "adapter add" && arguments_.size() > 1 ? arguments_[1] : "";
        for (const Candidate& each : known.adapters)
            if (kind.empty() && !arguments_.empty() && each.word == arguments_[0]) kind = each.help;
        std::vector<const Setting*> all;
        for (const adapters::Kind* each : adapters::kinds())
            if (kind == each->name)
                for (const Setting& setting : each->settings) all.push_back(&setting);
        for (const Setting* setting : config::keysOf("adapter"))
            if (std::string_view(setting->key) != "kind") all.push_back(setting);
        return all;
    }

    void settings(const Known& known, const std::string& typed) {
        const auto equals = typed.find('=');
        for (const Setting* setting : settingsOf(known)) {
            const std::string before = std::string(setting->key) + "=";
            if (equals == std::string::npos) {
                offer(before, setting->help);
                found_.open = true;
            } else if (typed.substr(0, equals + 1) == before) {
                settingValue(*setting, before);
            }
        }
    }

    void settingValue(const Setting& setting, const std::string& before) {
        if (setting.type == SettingType::Path) return files(Candidates::Also::Files, before);
        if (setting.type == SettingType::Boolean)
            for (const char* word : {"true", "false"}) offer(before + word, "");
        for (const char* choice : setting.choices) offer(before + choice, "");
    }

    void offer(const std::string& word, const std::string& help) {
        if (word.starts_with(word_)) found_.words.push_back({word, help});
    }

    const manual::Command& program_;
    const manual::Command* command_;
    std::string configPath_;
    const std::string word_;
    std::string path_;
    std::vector<std::string> arguments_;
    std::set<std::string> given_;
    const manual::Option* pending_ = nullptr;
    bool skip_ = false, onlyArguments_ = false, lost_ = false;
    Candidates found_;
};

}  // namespace

std::span<const Slot> slots() {
    return kSlots;
}

const Slot* slotOf(std::string_view command, std::string_view name) {
    for (const std::string_view of : {command, std::string_view()})
        for (const Slot& slot : kSlots)
            if (slot.command == of && slot.name == name) return &slot;
    return nullptr;
}

Candidates candidatesFor(const manual::Command& program, std::string configPath,
                         const std::vector<std::string>& words) {
    if (words.empty()) return {};
    return Line(program, std::move(configPath), words).go();
}

}  // namespace postern::cli
