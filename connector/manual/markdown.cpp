#include "connector/manual/markdown.h"

#include <algorithm>
#include <cctype>

#include "adapters/registry.h"
#include "base/file.h"
#include "base/places.h"
#include "base/text.h"

namespace postern::manual {

namespace {

using Lines = std::vector<std::string>;
using Cells = std::vector<std::string>;

struct Block {
    enum class Kind { Paragraph, Literal, Bullets, Numbers, Table };
    Kind kind;
    Lines lines;              // Paragraph: of one text; Literal: as shown; lists: an item each
    std::vector<Cells> rows;  // Table, its head first
};

bool isFence(const std::string& line) {
    return line.starts_with("```");
}
bool isBullet(const std::string& line) {
    return line.starts_with("- ") || line.starts_with("* ");
}
// "12. text": where the text begins; 0 when it is none.
std::size_t numberEnd(const std::string& line) {
    std::size_t at = 0;
    while (at < line.size() && std::isdigit(static_cast<unsigned char>(line[at])) != 0) ++at;
    return at > 0 && line.compare(at, 2, ". ") == 0 ? at + 2 : 0;
}
bool isIndented(const std::string& line) {
    return line.starts_with("    ") || line.starts_with("\t");
}

// "| a | `b\|c` |"
Cells cellsOf(std::string_view line) {
    Cells cells(1);
    line = trim(line);
    line.remove_prefix(1);
    if (line.ends_with('|')) line.remove_suffix(1);
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '\\' && i + 1 < line.size() && line[i + 1] == '|') {
            cells.back() += line[++i];
        } else if (line[i] == '|') {
            cells.emplace_back();
        } else {
            cells.back() += line[i];
        }
    }
    for (std::string& cell : cells) cell = std::string(trim(cell));
    return cells;
}

class Blocks {
  public:
    explicit Blocks(const Lines& lines) : lines_(lines) {}

    std::vector<Block> read() {
        while (at_ < lines_.size()) {
            const std::string& line = lines_[at_];
            if (trim(line).empty() || line.starts_with("<!--")) {
                ++at_;
            } else if (isFence(line)) {
                fenced();
            } else if (isIndented(line)) {
                indented();
            } else if (line.starts_with('|')) {
                table();
            } else if (isBullet(line) || numberEnd(line) > 0) {
                list();
            } else {
                paragraph();
            }
        }
        return std::move(blocks_);
    }

  private:
    void fenced() {
        Block block{Block::Kind::Literal, {}, {}};
        for (++at_; at_ < lines_.size() && !isFence(lines_[at_]); ++at_) block.lines.push_back(lines_[at_]);
        ++at_;
        blocks_.push_back(std::move(block));
    }

    // Empty lines belong to it when more of it follows.
    void indented() {
        Block block{Block::Kind::Literal, {}, {}};
        for (; at_ < lines_.size() && (isIndented(lines_[at_]) || trim(lines_[at_]).empty()); ++at_)
            block.lines.push_back(lines_[at_].size() > 4 ? lines_[at_].substr(4) : "");
        while (trim(block.lines.back()).empty()) block.lines.pop_back();
        blocks_.push_back(std::move(block));
    }

    void table() {
        Block block{Block::Kind::Table, {}, {}};
        for (; at_ < lines_.size() && lines_[at_].starts_with('|'); ++at_)
            if (lines_[at_].find_first_not_of("|-: ") != std::string::npos || block.rows.empty())
                block.rows.push_back(cellsOf(lines_[at_]));
        blocks_.push_back(std::move(block));
    }

    // A line that is set in, or begins with no mark, goes on with its item.
    void list() {
        const bool bullets = isBullet(lines_[at_]);
        Block block{bullets ? Block::Kind::Bullets : Block::Kind::Numbers, {}, {}};
        for (; at_ < lines_.size() && !trim(lines_[at_]).empty(); ++at_) {
            const std::string& line = lines_[at_];
            const std::size_t begin = isBullet(line) ? 2 : numberEnd(line);
            if (begin > 0) {
                block.lines.push_back(line.substr(begin));
            } else {
                block.lines.back().append(" ").append(trim(line));
            }
        }
        blocks_.push_back(std::move(block));
    }

    void paragraph() {
        Block block{Block::Kind::Paragraph, {}, {}};
        for (; at_ < lines_.size(); ++at_) {
            const std::string& line = lines_[at_];
            if (trim(line).empty() || line.starts_with('|') || isBullet(line) || isFence(line)) break;
            block.lines.push_back(line);
        }
        blocks_.push_back(std::move(block));
    }

    const Lines& lines_;
    std::size_t at_ = 0;
    std::vector<Block> blocks_;
};

// Where the file of a link stands on an installed machine; documents of kinds stand in docs/adapters.
std::string installedPath(std::string_view link) {
    if (link.starts_with("../../")) return placeBelow(kDocuments, link.substr(6));
    if (link.starts_with("../")) return placeBelow(kDocuments, "docs/" + std::string(link.substr(3)));
    return placeBelow(kDocuments, "docs/adapters/" + std::string(link));
}

class Inline {
  public:
    explicit Inline(std::string_view text) : rest_(text) {}

    std::vector<Word> read() {
        while (!rest_.empty()) {
            if (rest_[0] == '`') {
                literal();
            } else if (rest_.starts_with("**")) {
                strong();
            } else if (rest_[0] == '[' && link()) {
            } else {
                const std::size_t next = rest_.find_first_of("`*[", 1);
                prose_.add(rest_.substr(0, next));
                rest_.remove_prefix(std::min(next, rest_.size()));
            }
        }
        return prose_.words();
    }

  private:
    void literal() {
        const auto ticks = std::min(rest_.find_first_not_of('`'), rest_.size());
        const auto end = rest_.find(rest_.substr(0, ticks), ticks);
        if (end == std::string_view::npos) return plain(ticks);
        const std::string_view code = rest_.substr(ticks, end - ticks);
        // Between marks, where one could not see its ends.
        const bool mark = code.size() == 1 && std::isalnum(static_cast<unsigned char>(code[0])) == 0;
        const bool quoted = code.size() > 1 && code.front() == '"' && code.back() == '"';
        const bool marked = !quoted && (mark || code.find(' ') != std::string_view::npos);
        if (marked) prose_.add("‘");
        prose_.add(code, Face::Literal);
        if (marked) prose_.add("’");
        rest_.remove_prefix(end + ticks);
    }

    void strong() {
        const auto end = rest_.find("**", 2);
        if (end == std::string_view::npos) return plain(2);
        std::string text(rest_.substr(2, end - 2));
        std::erase(text, '`');  // there is one bold only
        prose_.add(text, Face::Strong);
        rest_.remove_prefix(end + 2);
    }

    bool link() {
        const auto middle = rest_.find("](");
        const auto end = rest_.find(')', std::min(middle, rest_.size()));
        if (middle == std::string_view::npos || end == std::string_view::npos) return false;
        const std::string_view text = rest_.substr(1, middle - 1);
        if (text.find_first_of("[]") != std::string_view::npos) return false;
        tellLink(text, rest_.substr(middle + 2, end - middle - 2));
        rest_.remove_prefix(end + 1);
        return true;
    }

    void tellLink(std::string_view text, std::string_view target) {
        const std::string_view path = target.substr(0, target.find('#'));
        const std::string_view file = path.substr(path.rfind('/') + 1);
        const std::string_view kind = file.substr(0, file.rfind('.'));
        if (path == file && file.ends_with(".md") && adapters::kindNamed(kind) != nullptr) {
            prose_.add("postern-" + std::string(kind) + "(5)");
            return;
        }
        if (target.starts_with("http")) {
            prose_.add(text);
            prose_.add(" (" + std::string(target) + ")");
        } else if (path.empty()) {  // a part of the same text
            prose_.add(text);
        } else if (text.ends_with(file) || text == kind) {  // the text is the file's name
            prose_.add(installedPath(path), Face::Literal);
        } else {
            prose_.add(text);
            prose_.add(" (");
            prose_.add(installedPath(path), Face::Literal);
            prose_.add(")");
        }
    }

    void plain(std::size_t size) {
        prose_.add(rest_.substr(0, size));
        rest_.remove_prefix(size);
    }

    std::string_view rest_;
    Prose prose_;
};

std::string joined(const Lines& lines) {
    std::string all;
    for (const std::string& line : lines) all.append(all.empty() ? "" : " ").append(line);
    return all;
}

bool listsKeys(const Block& block) {
    return block.kind == Block::Kind::Table && block.rows.front().front() == "key";
}

// Drops lists of settings, and the sentence that leads to one: "The ones to know:".
std::vector<Block> withoutKeys(std::vector<Block> blocks) {
    std::vector<Block> kept;
    for (Block& block : blocks) {
        if (!listsKeys(block)) {
            kept.push_back(std::move(block));
        } else if (!kept.empty() && kept.back().kind == Block::Kind::Paragraph) {
            if (kept.back().lines.back().ends_with(':')) kept.pop_back();
        }
    }
    return kept;
}

// What the columns are, where the table says it of more than the first.
void writeHead(Mdoc& page, const Cells& head) {
    if (head.size() < 2 || head[0].empty() || head[1].empty()) return;
    std::string text = "**" + head[0] + "**:";
    for (std::size_t column = 1; column < head.size(); ++column)
        text += (column > 1 ? "; " : " ") + head[column];
    page.paragraph(proseOf(text));
}

// A tag for the first column; of several others each says what it is.
void writeTable(Mdoc& page, const std::vector<Cells>& rows) {
    const Cells& head = rows.front();
    writeHead(page, head);
    page.beginList("-tag -width Ds");
    for (std::size_t i = 1; i < rows.size(); ++i) {
        std::string tag;
        for (const Word& word : proseOf(rows[i].front()))
            tag += " \\&" + (word.page.empty() ? word.shown : escaped(word.plain));
        page.line(".It No" + (tag.empty() ? " \\&" : tag));
        std::string text;
        for (std::size_t column = 1; column < rows[i].size(); ++column) {
            const std::string& cell = rows[i][column];
            if (cell.empty()) continue;
            const bool named = head.size() > 2 && column < head.size() && !head[column].empty();
            text += (text.empty() ? "" : " ") + (named ? head[column] + ": " : "") + cell;
            if (column + 1 < rows[i].size() && !text.ends_with('.')) text += ".";
        }
        page.flow(proseOf(text));
    }
    page.endList();
}

void writeList(Mdoc& page, const Lines& items, bool bullets) {
    page.beginList(bullets ? "-bullet" : "-enum");
    for (const std::string& item : items) {
        page.line(".It");
        page.flow(proseOf(item));
    }
    page.endList();
}

void writeBlock(Mdoc& page, const Block& block) {
    switch (block.kind) {
        case Block::Kind::Paragraph: return page.paragraph(proseOf(joined(block.lines)));
        case Block::Kind::Literal: return page.literal(block.lines);
        case Block::Kind::Table: return writeTable(page, block.rows);
        case Block::Kind::Bullets: return writeList(page, block.lines, true);
        case Block::Kind::Numbers: return writeList(page, block.lines, false);
    }
}

}  // namespace

std::string placeBelow(const char* unixPlace, std::string_view name) {
    std::string path = placeFor(unixPlace);
    for (const std::string_view part : split(name, '/')) path = joinPath(path, std::string(part));
    return path;
}

std::vector<Part> partsOf(std::string_view markdown) {
    std::vector<Part> parts(1);
    bool fenced = false;
    for (const std::string_view line : split(markdown, '\n')) {
        if (line.starts_with("```")) fenced = !fenced;
        const int level = fenced                     ? 0
                          : line.starts_with("# ")   ? 1
                          : line.starts_with("## ")  ? 2
                          : line.starts_with("### ") ? 2
                                                     : 0;
        if (level > 0) {
            parts.push_back({std::string(trim(line.substr(line.find(' ')))), level, {}});
        } else {
            parts.back().lines.emplace_back(line);
        }
    }
    return parts;
}

std::vector<Word> proseOf(std::string_view markdown) {
    return Inline(markdown).read();
}

void writePart(Mdoc& page, const std::vector<std::string>& lines, const std::string& title) {
    const std::vector<Block> blocks = withoutKeys(Blocks(lines).read());
    if (blocks.empty()) return;
    if (!title.empty()) page.subsection(title);
    for (const Block& block : blocks) writeBlock(page, block);
}

}  // namespace postern::manual
