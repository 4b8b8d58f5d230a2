#pragma once
// What all manual pages have: their heads, prose of their own, statuses, and where to read on.
// Thread rule: any thread.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connector/manual/mdoc.h"
#include "connector/manual/pages.h"

namespace postern::manual {

Mdoc openPage(const Page& page);  // with NAME

// The part `title` of prose/NAME.md, or of the same file for this system (prose/windows), where there is one:
// as a section, or what stands below one.
void writeProse(Mdoc& page, std::string_view name, const std::string& title, bool heading = true);

void writeExits(Mdoc& page, const std::vector<std::pair<int, std::string>>& exits);

struct Reference {
    int section;
    std::string name;
    auto operator<=>(const Reference&) const = default;
};
// In the order that readers expect; `self` is left out.
void writeSeeAlso(Mdoc& page, const Page& self, std::vector<Reference> others);

// One sentence: a capital letter before, a full stop behind.
std::string sentence(std::string text);

// Each kind of page.
std::string kindPage(const Page& page);
std::string configPage(const Page& page);
std::string posternPage(const Page& page, const Programs& programs);
std::string posterndPage(const Page& page);
std::string sendmailPage(const Page& page, const Programs& programs);
std::string mailqPage(const Page& page);

}  // namespace postern::manual
