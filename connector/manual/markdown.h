#pragma once
// The project's own documents, which are plain Markdown, as parts of manual pages: headings, paragraphs,
// lists, tables, indented and fenced blocks, literals, links. What else Markdown has is not used in them and
// comes out as it is. Thread rule: any thread.

#include <string>
#include <string_view>
#include <vector>

#include "connector/manual/mdoc.h"

namespace postern::manual {

// Where the installation has "docs/LOG.md" of its documents, say, on this system (base/places.h).
inline constexpr const char* kDocuments = "/usr/share/doc/postern";
std::string placeBelow(const char* unixPlace, std::string_view name);

// A heading of the first or second level with what stands below it.
struct Part {
    std::string title;
    int level = 0;  // 0: what stands before the first heading
    std::vector<std::string> lines;
};
std::vector<Part> partsOf(std::string_view markdown);

// Literals, strong words and links; a link that leads to another kind's document becomes the name of that
// page.
std::vector<Word> proseOf(std::string_view markdown);

// Tables of settings, whose first column is "key", are left out, and so is a last sentence that announces
// one: the page has the whole list. Nothing is written when nothing else is there: `title` (none: empty)
// comes before the rest.
void writePart(Mdoc& page, const std::vector<std::string>& lines, const std::string& title);

}  // namespace postern::manual
