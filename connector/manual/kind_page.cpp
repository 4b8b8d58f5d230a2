// postern-KIND(5): the settings come from the kind's table, the rest from its document and the example files.
// A kind from outside has only its table.

#include "adapters/registry.h"
#include "base/places.h"
#include "base/text.h"
#include "connector/manual/frame.h"
#include "connector/manual/markdown.h"
#include "connector/manual/settings.h"
#include "generated/kind_documents.h"
#include "generated/kind_examples.h"

namespace postern::manual {

namespace {

std::vector<Part> documentOf(std::string_view kind) {
    for (const auto& [name, text] : kKindDocuments)
        if (name == kind) return partsOf(text);
    return {};
}

std::vector<std::string> linesOf(std::string_view text) {
    std::vector<std::string> lines;
    for (const std::string_view line : split(text, '\n')) lines.emplace_back(line);
    while (!lines.empty() && lines.back().empty()) lines.pop_back();
    return lines;
}

void writeSettingsOf(Mdoc& page, const adapters::Kind& kind) {
    page.section("SETTINGS");
    std::vector<const adapters::Setting*> settings;
    for (const adapters::Setting& setting : kind.settings) settings.push_back(&setting);
    writeSettings(page, settings);
    page.paragraph(
        "Every adapter has the keys of [adapter.NAME] in postern.toml(5) besides: watchers, on_doubt, "
        "retry_first, "
        "message_size and others.");
}

// What the document says behind its first part.
void writeDetails(Mdoc& page, const std::vector<Part>& document) {
    if (document.size() < 3) return;
    page.section("DETAILS");
    for (std::size_t i = 2; i < document.size(); ++i)
        writePart(page, document[i].lines,
                  document[i].title == "Settings" ? "More on the settings" : document[i].title);
}

void writeExamples(Mdoc& page, const std::string& kind) {
    page.section("EXAMPLES");
    if (std::string_view(placeFor("/srv")) != "/srv")
        page.paragraph(
            "Paths and programs below are those of a Unix system. On Windows a path has its drive, and "
            "stands "
            "in single quotes: folder = 'D:\\Legacy\\in'.");
    for (const auto& [name, text] : kKindExamples) {
        if (text.find("kind = \"" + kind + "\"\n") == std::string_view::npos) continue;
        page.paragraph("A file in adapters.d:");
        page.literal(linesOf(text));
    }
    page.paragraph("All settings with their meanings and defaults, for a file of your own:");
    page.literal({"postern config example --kind " + kind});
}

void writeFiles(Mdoc& page, const std::string& kind, bool documented) {
    page.section("FILES");
    page.beginList("-tag -width Ds");
    page.line(".It Pa " + argument(placeBelow("/etc/postern", "adapters.d/*.toml")));
    page.flow("An adapter each.");
    if (documented) {
        page.line(".It Pa " + argument(placeBelow(kDocuments, "docs/adapters/" + kind + ".md")));
        page.flow("The same as one document, with its links.");
    }
    page.line(".It Pa " + argument(placeBelow(kDocuments, "examples/adapters")));
    page.flow("Such files, to begin with.");
    page.endList();
}

}  // namespace

std::string kindPage(const Page& self) {
    const std::string name = self.name.substr(std::string_view("postern-").size());
    const adapters::Kind& kind = *adapters::kindNamed(name);
    const std::vector<Part> document = documentOf(name);
    Mdoc page = openPage(self);
    page.section("SYNOPSIS");
    page.line(".Bd -literal");
    page.line(escaped("[adapter.NAME]", Face::Literal));
    page.line(escaped("kind = \"" + name + "\"", Face::Literal));
    for (const adapters::Setting& setting : kind.settings)
        if (setting.fallback == nullptr)
            page.line(escaped(std::string(setting.key) + " = ...", Face::Literal));
    page.line(".Ed");
    page.section("DESCRIPTION");
    if (document.size() > 1) writePart(page, document[1].lines, "");
    if (document.size() < 2) page.paragraph(sentence(kind.summary));
    writeSettingsOf(page, kind);
    writeDetails(page, document);
    writeFiles(page, name, !document.empty());
    writeExamples(page, name);
    writeSeeAlso(page, self, {{1, "postern"}, {5, "postern.toml"}, {8, "posternd"}});
    return page.take();
}

}  // namespace postern::manual
