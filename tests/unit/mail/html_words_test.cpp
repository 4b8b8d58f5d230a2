// What a browser would show is in the text: every word of HTML that is made up from tables inside each other,
// with cells over several rows and columns, lists, quotations and paragraphs.
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "mail/text.h"

namespace postern::mail {
namespace {

class Writer {
  public:
    explicit Writer(unsigned seed) : random_(seed) {}

    std::string page() {
        blocks(0);
        return std::move(out_);
    }
    int words() const { return words_; }

  private:
    static constexpr int kEnough = 400;

    int pick(int most) { return std::uniform_int_distribution<int>(0, most)(random_); }
    bool oneIn(int count) { return pick(count - 1) == 0; }

    void word() { out_ += "w" + std::to_string(words_++) + "z"; }

    void line() {
        for (int i = pick(oneIn(10) ? 30 : 3); i >= 0; --i) {
            word();
            out_ += ' ';
        }
    }

    void blocks(int depth) {
        for (int i = pick(3); i >= 0 && words_ < kEnough; --i) block(depth);
    }

    void block(int depth) {
        static constexpr const char* kTags[] = {"p",  "div", "li", "blockquote", "h1",
                                                "h2", "pre", "dd", "ul"};
        const int kind = pick(depth < 4 ? 14 : 6);
        if (kind > 9) return table(depth);
        if (kind > 6) {
            const std::string tag = kTags[static_cast<std::size_t>(pick(8))];
            out_ += "<" + tag + ">";
            blocks(depth + 1);
            if (!oneIn(6)) out_ += "</" + tag + ">";
            return;
        }
        line();
        if (kind < 4) out_ += "<br>";
        if (kind == 0) out_ += "<br>";
    }

    void span(const char* name, int most) {
        if (oneIn(4)) out_ += std::string(" ") + name + "=" + std::to_string(pick(most));
    }

    void table(int depth) {
        out_ += "<table>";
        if (oneIn(6)) line();
        for (int row = pick(6); row >= 0; --row) {
            if (!oneIn(8)) out_ += oneIn(6) ? "<thead>" : "<tr>";
            const bool isHeader = oneIn(5);
            for (int cell = pick(oneIn(20) ? 90 : 4); cell > 0; --cell) {
                out_ += isHeader ? "<th" : "<td";
                span("rowspan", 4);
                span("colspan", 25);
                out_ += '>';
                if (!oneIn(6)) blocks(depth + 1);
                if (oneIn(3)) out_ += "</td>";
            }
            if (oneIn(2)) out_ += "</tr>";
        }
        if (!oneIn(12)) out_ += "</table>";
    }

    std::mt19937 random_;
    std::string out_;
    int words_ = 0;
};

std::set<std::string> wordsOf(const std::string& text) {
    std::set<std::string> words;
    for (auto at = text.find('w'); at != std::string::npos; at = text.find('w', at + 1))
        words.insert(text.substr(at, text.find('z', at) - at));
    return words;
}

TEST(HtmlWords, AllOfThemAreInTheText) {
    for (unsigned seed = 0; seed < 400; ++seed) {
        Writer writer(seed);
        const std::string html = writer.page();
        const TextTarget target{seed % 2 == 0 ? "utf-8" : "cp437", seed % 3 == 0 ? 40 : 0};
        const auto words = wordsOf(htmlToText(html, target));
        for (int i = 0; i < writer.words(); ++i)
            ASSERT_TRUE(words.contains("w" + std::to_string(i))) << "w" << i << ", seed " << seed << "\n"
                                                                 << html;
    }
}

TEST(HtmlWords, CellOfSeveralRowsIsShownToItsEnd) {
    const std::pair<const char*, const char*> cases[] = {
        {"<table><tr><td>Item A<td rowspan=2>LINE1<br>LINE2<br>LINE3 pay to account 12345</tr>"
         "<tr><td>Item B</tr></table>",
         "Item A  LINE1\n\nItem B  LINE2\n        LINE3 pay to account 12345\n"},
        // More rows than there are.
        {"<table><tr><td>a<td rowspan=9>1<br>2<br>3</table>", "a  1\n   2\n   3\n"},
        {"<table><tr><th>a<th rowspan=2>1<br>2<br>3<tr><th>b</table>", "a  1\n-  -\nb  2\n   3\n"},
        // The next group begins in its own row.
        {"<table><tr><td>a<td rowspan=2>1<br>2<tr><td>b<tr><td>c<td rowspan=2>3<br>4<tr><td>d</table>",
         "a  1\nb  2\nc  3\nd  4\n"},
        // Behind a cell of two columns.
        {"<table><tr><td colspan=2>ab<td rowspan=2>1<br>2<tr><td>c<td>d</table>", "ab    1\nc  d  2\n"},
        // Nothing is made up where nothing is left.
        {"<table><tr><td>a<td rowspan=2>1<tr><td>b<br>c</table>", "a  1\n\nb\nc\n"},
    };
    for (const auto& [html, want] : cases) EXPECT_EQ(htmlToText(html), want) << html;
}

// Rows are laid out in groups; a cell that reaches over a group's end is not cut there.
TEST(HtmlWords, CellOfManyRowsIsShownToItsEnd) {
    std::string html = "<table><tr><td>first<td rowspan=1000>";
    for (int i = 0; i < 900; ++i) html += "w" + std::to_string(i) + "z<br>";
    for (int i = 0; i < 2500; ++i)
        html += "<tr><td>row" + (i % 500 == 0 ? "<td rowspan=900>1<br>2<br>last" + std::to_string(i) : "");
    const std::string text = htmlToText(html + "</table>");
    for (int i = 0; i < 900; ++i) ASSERT_NE(text.find("w" + std::to_string(i) + "z"), std::string::npos) << i;
    for (int i = 0; i < 2500; i += 500)
        ASSERT_NE(text.find("last" + std::to_string(i)), std::string::npos) << i;
}

// More than is kept for being laid out.
TEST(HtmlWords, NothingOfAVeryLongTableIsLost) {
    const std::pair<const char*, const char*> cases[] = {{"<table>", "<tr><td>cell<td>"},
                                                         {"<blockquote><ul>", "<li>"},
                                                         {"<table><tr><td>", "<br>"},
                                                         {"<h1>", "<br>"}};
    for (const auto& [begin, piece] : cases) {
        std::string html = begin;
        for (int i = 0; i < 120'000; ++i) html += piece + ("w" + std::to_string(i) + "z");
        EXPECT_EQ(120'000U, wordsOf(htmlToText(html)).size()) << begin;
    }
}

}  // namespace
}  // namespace postern::mail
