#pragma once
// The manual pages: posternd(8), postern(1), postern-sendmail(1), postern-mailq(1), postern.toml(5) and one
// for each kind of adapter, postern-KIND(5). What stands in tables comes from them: the commands, the keys,
// the kinds and their settings. The prose stands in prose/*.md beside this file, that of the kinds in
// docs/adapters. Thread rule: any thread.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connector/manual/command.h"

namespace postern::manual {

struct Page {
    std::string name;
    int section = 0;
    std::string summary;  // what it is, without a full stop
};

// What the programs say of themselves.
struct Programs {
    Command postern;
    std::vector<std::pair<int, std::string>> exits;
    Command sendmail;
    std::vector<std::pair<int, std::string>> sendmailExits;
};

std::vector<Page> pages();
// By its name, with or without "postern-" and ".5"; a page before a kind of the same name.
std::optional<Page> pageNamed(std::string_view name);
// In mdoc(7).
std::string pageText(const Page& page, const Programs& programs);

}  // namespace postern::manual
