#pragma once
// Writes mdoc(7), the language of manual pages, so that mandoc and groff show each text as it is: nothing of
// a text is read as a command, an escape or a font. What comes out is US-ASCII in short lines. Thread rule:
// any thread.

#include <string>
#include <string_view>
#include <vector>

namespace postern::manual {

enum class Face { Plain, Literal, Strong };

// `text` for the middle of a line. Literal text keeps its quotes and hyphens when it is copied from the
// screen. UTF-8 in; what is none, and control characters, become '?' and blanks.
std::string escaped(std::string_view text, Face face = Face::Plain);
// One argument of a macro, literal: never read as a macro or a delimiter, in quotes where it has blanks.
std::string argument(std::string_view text);

// What stands between two blanks of a prose, or the name of a page in it.
struct Word {
    std::string shown;                       // escaped, with its fonts
    std::string plain;                       // the same without
    std::string page, section, behind = {};  // of a page: "postern", "1" and the "," that follows it
};

// Makes words of pieces of text that may touch each other: "(", literal "to", ")".
class Prose {
  public:
    void add(std::string_view text, Face face = Face::Plain);
    std::vector<Word> words();  // and begins anew

  private:
    void endWord();
    struct Piece {
        std::string text;
        Face face;
    };
    std::vector<Piece> word_;
    std::vector<Word> words_;
};

class Mdoc {
  public:
    // `date` as in "November 22, 2026".
    Mdoc(std::string_view name, int section, std::string_view date);

    void line(std::string_view macros);  // one line of macros, its arguments made with argument()
    void section(std::string_view title);
    void subsection(std::string_view title);
    void paragraph(std::vector<Word> words);  // with a blank line before it where one belongs
    void paragraph(std::string_view plain);
    void flow(const std::vector<Word>& words);  // the text of an item of a list, or behind a macro
    void flow(std::string_view plain);
    void literal(const std::vector<std::string>& lines);  // as they are, set in
    // Items of a list are line(".It ...") and what follows; lists nest.
    void beginList(std::string_view kind);  // "-bullet", "-tag -width Ds"
    void endList();

    std::string take() { return std::move(text_); }

  private:
    std::string text_;
    bool afterText_ = false;  // a paragraph needs its blank line
};

}  // namespace postern::manual
