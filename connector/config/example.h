#pragma once
// Example files, made from the tables of keys (keys.h) and of the kinds' settings (adapters/registry.h): each
// key with its meaning, its choices and its default. load() takes them as they are. Thread rule: any thread.

#include <string>
#include <string_view>

#include "adapters/registry.h"

namespace postern::config {

// The whole file, with every key; its adapter is a maildir.
std::string example();
// A file adapters.d/NAME.toml with every setting of the kind and every key common to all kinds.
std::string example(const adapters::Kind& kind);

// `text`, of a List one value a line, as it stands in a file: with quotes and brackets.
std::string writtenValue(adapters::SettingType type, std::string_view text);
// A setting's default in that form; of one that must be given, an example.
std::string writtenDefault(std::string_view kind, const adapters::Setting& setting);

}  // namespace postern::config
