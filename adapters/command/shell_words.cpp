#include "adapters/command/shell_words.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/text.h"

namespace postern::adapters {

namespace {

constexpr std::array<std::string_view, 14> kShells = {"sh",   "ash",  "bash",  "csh",  "dash", "fish", "ksh",
                                                      "mksh", "posh", "rbash", "rksh", "tcsh", "yash", "zsh"};

// "bash" of "/bin/bash", "bash5.2" and "bash.exe".
std::string stemOf(std::string_view word) {
    const std::string_view name = word.substr(word.find_last_of("/\\") + 1);
    return lowerAscii(name.substr(0, name.find_first_of("0123456789-.")));
}

bool isShell(std::string_view word) {
    return std::find(kShells.begin(), kShells.end(), stemOf(word)) != kShells.end();
}

// Places as ArgumentTemplate has them: {{ is a brace.
bool hasPlace(std::string_view word) {
    for (std::size_t at = 0; at < word.size(); ++at) {
        if (word[at] != '{') continue;
        if (at + 1 >= word.size() || word[at + 1] != '{') return true;
        ++at;
    }
    return false;
}

bool isOption(std::string_view word) {
    return word.size() > 1 && (word[0] == '-' || word[0] == '+');
}

// "-c", "-ec", "--command=": all that may say so.
bool asksForProgram(std::string_view word) {
    if (word.starts_with("--")) return word.starts_with("--command");
    return word[0] == '-' && word.find('c') != std::string_view::npos;
}

// "-o pipefail", "--rcfile FILE": the next word is no program either.
bool takesAnother(std::string_view word) {
    if (word.starts_with("--")) return word == "--rcfile" || word == "--init-file";
    return word.ends_with('o') || word.ends_with('O');
}

enum class Program { None, Plain, OfTheMail };

// What the shell whose arguments begin at `at` reads as its program; None: a file, or nothing.
Program programOf(const std::vector<std::string>& command, std::size_t at) {
    bool follows = false;
    for (; at < command.size(); ++at) {
        const std::string& word = command[at];
        if (word == "--") continue;
        if (!isOption(word)) {
            if (!follows) return Program::None;
            return hasPlace(word) ? Program::OfTheMail : Program::Plain;
        }
        follows = follows || asksForProgram(word);
        if (follows && hasPlace(word)) return Program::OfTheMail;
        if (takesAnother(word)) ++at;
    }
    return Program::None;
}

// The shells of Windows join what follows and read it all as a program. PowerShell's arguments of a script
// are left alone.
bool joinsAValue(const std::vector<std::string>& command, std::size_t at) {
    const std::string name = stemOf(command[at]);
    const bool powerShell = name == "powershell" || name == "pwsh";
    // "cmd" alone may be anybody's program, elsewhere than on Windows.
    const bool cmd = name == "cmd" && command[at].find_first_of(".\\:") != std::string::npos;
    if (!powerShell && !cmd) return false;
    for (++at; at < command.size(); ++at) {
        if (hasPlace(command[at])) return true;
        if (powerShell && (equalsIgnoreCase(command[at], "-file") || equalsIgnoreCase(command[at], "-f")))
            return at + 1 < command.size() && hasPlace(command[at + 1]);
    }
    return false;
}

}  // namespace

std::optional<std::string> valueInShellProgram(const std::vector<std::string>& command) {
    for (std::size_t at = 0; at < command.size(); ++at) {
        if (joinsAValue(command, at))
            return "a value of a mail in the words of " + escapeLine(command[at], 60) +
                   " would be run by it, whatever a stranger writes there. Name the program itself, or a "
                   R"(script: "powershell.exe", "-File", "tool.ps1", "{recipient}")";
        const Program program = isShell(command[at]) ? programOf(command, at + 1) : Program::None;
        if (program == Program::Plain) return std::nullopt;  // what follows are its arguments
        if (program == Program::OfTheMail)
            return "a value of a mail in the program of " + escapeLine(command[at], 60) +
                   " -c would be run by it, whatever a stranger writes there. Put it behind the program: "
                   R"("-c", "exec tool \"$1\"", "sh", "{recipient}")";
    }
    return std::nullopt;
}

}  // namespace postern::adapters
