// postern completion, complete: what a shell needs to complete command lines. The shells' files only ask;
// what fits is found here, from the same grammar as the help.

#include <ostream>

#include <CLI/CLI.hpp>

#include "base/text.h"
#include "connector/cli/candidates.h"
#include "connector/cli/grammar.h"
#include "generated/shell_completion.h"

namespace postern::cli {

namespace {

int printFile(const Run& run, const std::string& shell) {
    for (const auto& [name, text] : kShellCompletion) {
        if (name != shell) continue;
        run.console.out << text;
        return kExitDone;
    }
    run.complain("\"" + shell + "\" is none of bash, zsh, fish");
    return kExitUsage;
}

struct Question {
    std::string shell, breaks;
    std::vector<std::string> words;
};

// bash breaks words at "=" and ":" too: "--state=held" comes as three.
std::vector<std::string> unbroken(const std::vector<std::string>& words, const std::string& breaks) {
    const auto isBreak = [&](const std::string& word) {
        return !word.empty() && word.find_first_not_of("=:@") == std::string::npos &&
               word.find_first_not_of(breaks) == std::string::npos;
    };
    std::vector<std::string> whole;
    bool glue = false;
    for (const std::string& word : words) {
        const bool separator = isBreak(word);
        if ((glue || separator) && !whole.empty()) {
            whole.back() += word;
        } else {
            whole.push_back(word);
        }
        glue = separator;
    }
    return whole;
}

// For bash a word begins behind the last of its breaks, and is put into the line as it is.
std::string forBash(const std::string& word, const std::string& typed, const std::string& breaks) {
    std::size_t begin = 0;
    for (std::size_t i = 0; i < typed.size(); ++i)
        if (std::string_view("=:@").find(typed[i]) != std::string_view::npos &&
            breaks.find(typed[i]) != std::string::npos)
            begin = i + 1;
    std::string out;
    for (const char c : word.substr(begin)) {
        const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                           static_cast<signed char>(c) < 0 ||
                           std::string_view("_-+./=:@,%").find(c) != std::string_view::npos;
        out += (plain ? "" : "\\") + std::string(1, c);
    }
    return out;
}

// zsh's _describe parts word and help at the first ":".
std::string forZsh(const Candidate& each) {
    std::string out;
    for (const char c : each.word) out += (c == ':' || c == '\\' ? "\\" : "") + std::string(1, c);
    return each.help.empty() ? out : out + ":" + each.help;
}

// The first line says what the others are: words, words without a blank behind, or that names of files fit.
int complete(const Run& run, Question question) {
    if (question.shell == "bash") question.words = unbroken(question.words, question.breaks);
    Run other{run.console, run.configPath};
    const Candidates found = candidatesFor(Grammar(other).facts(), run.configPath, question.words);
    std::ostream& out = run.console.out;
    if (found.also != Candidates::Also::Nothing) {
        out << (found.also == Candidates::Also::Files ? "files\n" : "folders\n") << found.before << "\n";
        return kExitDone;
    }
    out << (found.open ? "open\n" : "words\n");
    for (const Candidate& each : found.words) {
        if (each.word.find_first_of("\n\t") != std::string::npos) continue;
        const std::string help = escapeLine(each.help, 200);
        if (question.shell == "bash") {
            out << forBash(each.word, question.words.back(), question.breaks) << "\n";
        } else if (question.shell == "zsh") {
            out << forZsh({each.word, help}) << "\n";
        } else {
            out << each.word << (help.empty() ? "" : "\t") << help << "\n";
        }
    }
    return kExitDone;
}

}  // namespace

Carry setupCompletion(CLI::App& command, Run& run) {
    const auto shell = std::make_shared<std::string>();
    command.add_option("SHELL", *shell, "Which one: bash, zsh or fish")->required();
    command.footer(
        "Prints a file for the shell to read; packages install them, so that nothing is to be done. By hand: "
        "source <(postern completion bash)");
    return [&run, shell] { return printFile(run, *shell); };
}

Carry setupComplete(CLI::App& command, Run& run) {
    const auto question = std::make_shared<Question>();
    command.add_option("SHELL", question->shell, "Which shell asks")->required();
    command.add_option("--breaks", question->breaks, "Where it breaks words");
    command.add_option("WORD", question->words, "The words, behind --, up to the one to complete");
    return [&run, question] { return complete(run, *question); };
}

}  // namespace postern::cli
