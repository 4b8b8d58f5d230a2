#include "connector/manual/pages.h"

#include <algorithm>
#include <cctype>

#include "adapters/registry.h"
#include "base/places.h"
#include "base/text.h"
#include "connector/config/keys.h"
#include "connector/manual/frame.h"
#include "connector/manual/markdown.h"
#include "connector/manual/settings.h"
#include "connector/version.h"
#include "generated/manual_prose.h"

namespace postern::manual {

namespace {

constexpr std::string_view kPrefix = "postern-";

// Those of the programs and the file, by hand; the kinds' follow.
struct Fixed {
    const char* name;
    int section;
    const char* summary;
};
constexpr Fixed kFixed[] = {
    {"postern", 1, "look after the Postern mail gateway"},
    {"postern-mailq", 1, "list the queue of Postern as mailq does"},
    {"postern-sendmail", 1, "give a mail to Postern as sendmail does"},
    {"postern.toml", 5, "configuration of the Postern mail gateway"},
    {"posternd", 8, "gateway from Internet mail to legacy mail systems"},
};

// The sections of the file, in its order.
struct Section {
    const char* name;
    const char* written;
    const char* about;
};
constexpr Section kSections[] = {
    {"", "The top of the file", "What concerns all of it, above the first section."},
    {"listener", "[[listener]]: addresses mail comes in by", "One for each address."},
    {"pickup", "[[pickup]]: folders mail is taken from",
     "One for each folder that programs put mail into as files."},
    {"adapter", "[adapter.NAME]: ways out",
     "One for each way out, or a file adapters.d/NAME.toml with the same keys at its top. Each kind adds "
     "settings of "
     "its own, which its page has."},
    {"reports", "[reports]: who is told what became of a mail",
     "Delivery reports, as RFC 3461 and RFC 3464 have them."},
    {"http", "[http]: the page of the operators", "Web page, JSON interface and metrics."},
    {"chat", "[chat]: the queue in any IRC client", "Events as they happen, and commands."},
    {"table", "[[table]]: files of address pairs", "One for each file. Tables are asked before the routes."},
    {"rule", "[[rule]]: policy on mail coming in",
     "Rules are read from the top: the first all of whose conditions hold "
     "decides."},
    {"route", "[[route]]: who gets what",
     "Routes are read from the top: the first whose pattern takes a recipient decides, and a "
     "recipient "
     "that no route takes is refused."},
};

void writeKinds(Mdoc& page) {
    page.section("KINDS OF ADAPTERS");
    page.beginList("-tag -width Ds");
    for (const adapters::Kind* kind : adapters::kinds()) {
        page.line(".It Cm " + argument("kind = \"" + std::string(kind->name) + "\""));
        page.flow(sentence(kind->summary) + " See postern-" + kind->name + "(5).");
    }
    page.endList();
}

}  // namespace

std::vector<Page> pages() {
    std::vector<Page> all;
    for (const Fixed& each : kFixed) all.push_back({each.name, each.section, each.summary});
    for (const adapters::Kind* kind : adapters::kinds())
        all.push_back(
            {std::string(kPrefix) + kind->name, 5, std::string("Postern adapter: ") + kind->summary});
    return all;
}

std::optional<Page> pageNamed(std::string_view name) {
    const std::vector<Page> all = pages();
    for (const std::string& prefix : {std::string(), std::string(kPrefix)})
        for (const Page& page : all) {
            const std::string whole = page.name + "." + std::to_string(page.section);
            if (prefix + std::string(name) == page.name || prefix + std::string(name) == whole) return page;
        }
    return std::nullopt;
}

std::string pageText(const Page& page, const Programs& programs) {
    if (page.name == "postern") return posternPage(page, programs);
    if (page.name == "posternd") return posterndPage(page);
    if (page.name == "postern-sendmail") return sendmailPage(page, programs);
    if (page.name == "postern-mailq") return mailqPage(page);
    return page.name == "postern.toml" ? configPage(page) : kindPage(page);
}

std::string configPage(const Page& self) {
    Mdoc page = openPage(self);
    page.section("SYNOPSIS");
    page.line(".Pa " + argument(placeFor("/etc/postern/postern.toml")));
    page.line(".br");
    page.line(".Pa " + argument(placeFor("/etc/postern/adapters.d/*.toml")));
    writeProse(page, self.name, "DESCRIPTION");
    page.section("KEYS");
    for (const Section& section : kSections) {
        page.subsection(section.written);
        page.paragraph(section.about);
        writeSettings(page, config::keysOf(section.name));
    }
    writeKinds(page);
    writeProse(page, self.name, "FILES");
    writeProse(page, self.name, "EXAMPLES");
    std::vector<Reference> others = {{1, "postern"}, {8, "posternd"}};
    for (const Page& each : pages())
        if (each.section == 5) others.push_back({5, each.name});
    writeSeeAlso(page, self, std::move(others));
    return page.take();
}

Mdoc openPage(const Page& self) {
    Mdoc page(self.name, self.section, kReleased);
    page.section("NAME");
    page.line(".Nm " + argument(self.name));
    page.line(".Nd " + escaped(self.summary));
    return page;
}

void writeProse(Mdoc& page, std::string_view name, const std::string& title, bool heading) {
    for (const auto& [file, text] : kManualProse) {
        if (file != name) continue;
        bool inside = false, found = false;
        for (const Part& part : partsOf(text)) {
            if (part.level == 1) inside = part.title == title;
            found = found || inside;
            if (!inside) continue;
            if (part.level == 1 && heading) page.section(title);
            writePart(page, part.lines, part.level == 2 ? part.title : "");
        }
        if (found) return;
    }
}

void writeExits(Mdoc& page, const std::vector<std::pair<int, std::string>>& exits) {
    page.beginList("-tag -width 3n -offset indent -compact");
    for (const auto& [status, meaning] : exits) {
        page.line(".It " + std::to_string(status));
        page.flow(sentence(meaning));
    }
    page.endList();
}

void writeSeeAlso(Mdoc& page, const Page& self, std::vector<Reference> others) {
    std::erase_if(others, [&](const Reference& each) { return each.name == self.name; });
    std::sort(others.begin(), others.end());
    page.section("SEE ALSO");
    for (std::size_t i = 0; i < others.size(); ++i)
        page.line(".Xr " + others[i].name + " " + std::to_string(others[i].section) +
                  (i + 1 < others.size() ? " ," : ""));
}

std::string sentence(std::string text) {
    if (text.empty()) return text;
    const bool setting = text.substr(0, text.find(' ')).find('=') != std::string::npos;  // "key=value"
    if (!setting) text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
    if (!text.ends_with('.') && !text.ends_with(':')) text += '.';
    return text;
}

}  // namespace postern::manual
