// The pages of the programs: postern(1), posternd(8), postern-sendmail(1), postern-mailq(1).

#include <algorithm>

#include "base/text.h"
#include "connector/manual/frame.h"
#include "connector/posternd_options.h"

namespace postern::manual {

namespace {

constexpr std::string_view kFilters = "Filters";

std::string optionTag(const Option& option) {
    std::string tag = ".It " + std::string(option.argument ? "Ar " : "Fl Fl ");
    tag += argument(option.argument ? option.name : option.name.substr(2));
    if (!option.value.empty()) tag += " Ar " + argument(option.value);
    if (option.repeats) tag += " ...";
    return tag;
}

void writeOptions(Mdoc& page, const std::vector<Option>& options, std::string_view group) {
    const auto inGroup = [&](const Option& each) { return each.group == group && each.name != "--help"; };
    if (std::none_of(options.begin(), options.end(), inGroup)) return;
    page.beginList("-tag -width Ds -compact");
    for (const Option& option : options) {
        if (!inGroup(option)) continue;
        page.line(optionTag(option));
        const bool wanted = option.required && !option.argument;
        page.flow(sentence(option.help) + (wanted ? " It must be given." : ""));
    }
    page.endList();
}

bool hasGroup(const Command& command, std::string_view group) {
    return std::any_of(command.options.begin(), command.options.end(),
                       [&](const Option& each) { return each.group == group; });
}

// "queue move [option ...] [filter ...] ADAPTER [ITEM ...]"
std::string commandTag(const std::string& path, const Command& command) {
    std::string tag = ".It Ic " + argument(path);
    const bool options = std::any_of(command.options.begin(), command.options.end(), [](const Option& each) {
        return !each.argument && each.name != "--help" && each.group != kFilters;
    });
    if (options) tag += " Oo Ar option ... Oc";
    if (hasGroup(command, kFilters)) tag += " Oo Ar filter ... Oc";
    for (const Option& option : command.options) {
        if (!option.argument) continue;
        const std::string name = "Ar " + argument(option.name) + (option.repeats ? " ..." : "");
        tag += option.required ? " " + name : " Oo " + name + " Oc";
    }
    return tag;
}

void writeCommand(Mdoc& page, const std::string& path, const Command& command) {
    page.line(commandTag(path, command));
    page.flow(sentence(command.summary));
    if (!command.footer.empty()) page.paragraph(command.footer);
    writeOptions(page, command.options, "Arguments");
    writeOptions(page, command.options, "Options");
    std::vector<std::string> told = {"Arguments", "Options", std::string(kFilters)};
    for (const Option& option : command.options) {
        if (std::find(told.begin(), told.end(), option.group) != told.end()) continue;
        told.push_back(option.group);
        page.paragraph(option.group + ", exactly one of these:");
        writeOptions(page, command.options, option.group);
    }
}

void writeCommands(Mdoc& page, const Command& program) {
    page.section("COMMANDS");
    for (const Command& group : program.commands) {
        if (group.commands.empty()) continue;
        page.subsection(group.name + ": " + group.summary);
        page.beginList("-tag -width Ds");
        for (const Command& command : group.commands)
            writeCommand(page, group.name + " " + command.name, command);
        page.endList();
    }
    page.subsection("All other commands");
    page.beginList("-tag -width Ds");
    for (const Command& command : program.commands)
        if (command.commands.empty()) writeCommand(page, command.name, command);
    page.endList();
}

// They are the same wherever they are.
void writeFilters(Mdoc& page, const std::string& name, const Command& program) {
    for (const Command& group : program.commands)
        for (const Command& command : group.commands) {
            if (!hasGroup(command, kFilters)) continue;
            page.section("CHOOSING ITEMS");
            writeProse(page, name, "CHOOSING ITEMS", false);
            page.line(".Pp");
            return writeOptions(page, command.options, kFilters);
        }
}

void writeServiceOption(Mdoc& page, const PosterndOption& option) {
    const std::string value = option.argument == nullptr ? "" : " Ar " + argument(option.argument);
    const std::string letter =
        option.letter == nullptr ? "" : "Fl " + argument(option.letter) + value + " , ";
    page.line(".It " + letter + "Fl Fl " + argument(option.name) + value);
    page.flow(sentence(option.help));
}

// "-i, -oi" or "-F NAME"
std::string lettersTag(const Option& option) {
    std::string tag = ".It";
    bool first = true;
    for (const std::string_view word : split(option.name, ' ')) {
        const std::string_view letters = trim(word);
        tag += (first ? " Fl " : " , Fl ") + argument(letters.substr(1, letters.find(',') - 1));
        first = false;
    }
    return tag + (option.value.empty() ? "" : " Ar " + argument(option.value));
}

}  // namespace

std::string posternPage(const Page& self, const Programs& programs) {
    const Command& program = programs.postern;
    Mdoc page = openPage(self);
    page.section("SYNOPSIS");
    page.line(".Nm");
    page.line(".Op Fl Fl config Ar FILE");
    page.line(".Op Fl Fl json");
    page.line(".Ar command");
    page.line(".Op Ar argument ...");
    writeProse(page, self.name, "DESCRIPTION");
    page.section("OPTIONS");
    page.paragraph("These are taken in any place:");
    page.line(".Pp");
    writeOptions(page, program.options, "Options");
    writeFilters(page, self.name, program);
    writeCommands(page, program);
    for (const char* title : {"OUTPUT", "ENVIRONMENT", "FILES"}) writeProse(page, self.name, title);
    page.section("EXIT STATUS");
    writeExits(page, programs.exits);
    writeProse(page, self.name, "EXAMPLES");
    writeSeeAlso(page, self,
                 {{1, "postern-mailq"}, {1, "postern-sendmail"}, {5, "postern.toml"}, {8, "posternd"}});
    return page.take();
}

std::string posterndPage(const Page& self) {
    Mdoc page = openPage(self);
    page.section("SYNOPSIS");
    page.line(".Nm");
    page.line(".Op Fl Fl config Ar FILE");
    writeProse(page, self.name, "DESCRIPTION");
    page.section("OPTIONS");
    page.beginList("-tag -width Ds");
    for (const PosterndOption& option : kPosterndOptions) writeServiceOption(page, option);
    for (const PosterndOption& option : kPosterndInherited) writeServiceOption(page, option);
    page.endList();
    for (const char* title : {"SIGNALS", "LOG", "ENVIRONMENT", "FILES"}) writeProse(page, self.name, title);
    page.section("EXIT STATUS");
    std::vector<std::pair<int, std::string>> exits;
    for (const PosterndExit& exit : kPosterndExits) exits.emplace_back(exit.status, exit.meaning);
    writeExits(page, exits);
    writeProse(page, self.name, "EXAMPLES");
    writeSeeAlso(page, self, {{1, "postern"}, {1, "postern-sendmail"}, {5, "postern.toml"}});
    return page.take();
}

std::string sendmailPage(const Page& self, const Programs& programs) {
    Mdoc page = openPage(self);
    page.section("SYNOPSIS");
    page.line(".Nm");
    page.line(".Op Ar option ...");
    page.line(".Ar recipient ...");
    page.line(".Nm");
    page.line(".Fl t");
    page.line(".Op Ar option ...");
    page.line(".Op Ar recipient ...");
    writeProse(page, self.name, "DESCRIPTION");
    page.section("OPTIONS");
    page.beginList("-tag -width Ds");
    for (const Option& option : programs.sendmail.options) {
        page.line(lettersTag(option));
        page.flow(sentence(option.help));
    }
    page.endList();
    page.paragraph(programs.sendmail.footer);
    for (const char* title : {"ENVIRONMENT", "FILES"}) writeProse(page, self.name, title);
    page.section("EXIT STATUS");
    writeExits(page, programs.sendmailExits);
    page.paragraph("Nothing is stored when one recipient is refused.");
    writeProse(page, self.name, "EXAMPLES");
    writeSeeAlso(page, self, {{1, "postern"}, {1, "postern-mailq"}, {5, "postern.toml"}, {8, "posternd"}});
    return page.take();
}

std::string mailqPage(const Page& self) {
    Mdoc page = openPage(self);
    page.section("SYNOPSIS");
    page.line(".Nm");
    page.line(".Op Fl C Ar FILE");
    for (const char* title : {"DESCRIPTION", "EXIT STATUS"}) writeProse(page, self.name, title);
    writeSeeAlso(page, self, {{1, "postern"}, {1, "postern-sendmail"}, {8, "posternd"}});
    return page.take();
}

}  // namespace postern::manual
