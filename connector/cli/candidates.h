#pragma once
// How the words of a command line could go on: commands, options and their values, from the same grammar as
// the help. Asked by the shells at each press of a key: it reads the configuration's files and nothing else,
// and has no errors. Thread rule: any thread.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "connector/manual/command.h"

namespace postern::cli {

struct Candidate {
    std::string word;  // the whole word, with what was typed of it
    std::string help;
};

struct Candidates {
    enum class Also { Nothing, Files, Folders };
    std::vector<Candidate> words;
    Also also = Also::Nothing;  // names of files may stand behind `before`
    std::string before;         // what of the word is no file's name: "--output=", "folder="
    bool open = false;          // no blank behind a word: its value follows
};

// What stands in the place of an option's value, or of an argument.
enum class Takes {
    Text,
    Words,
    Files,
    Folders,
    Adapters,
    Kinds,
    States,
    Tables,
    Sources,
    Events,
    Settings,
    Keys,
    Pages
};
struct Slot {
    std::string_view command;  // "queue list"; "" for every one
    std::string_view name;     // "--adapter", "ITEM"
    Takes takes = Takes::Text;
    std::string_view words = {};  // Words: with blanks between
    bool list = false;            // several, with commas between
};
// Every value and argument of the grammar has its line in this table; a test sees to it.
std::span<const Slot> slots();
const Slot* slotOf(std::string_view command, std::string_view name);  // nullptr when it has none

// `words` are those behind the program's name; the last one is the one to complete and may be empty.
Candidates candidatesFor(const manual::Command& program, std::string configPath,
                         const std::vector<std::string>& words);

}  // namespace postern::cli
