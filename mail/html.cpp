#include <algorithm>
#include <map>
#include <vector>

#include "base/text.h"
#include "mail/entities.h"
#include "mail/html_tokens.h"
#include "mail/text.h"

namespace postern::mail {
namespace {

enum class Layout { Inline, Line, Paragraph };

Layout layoutOf(std::string_view name) {
    static constexpr std::string_view kParagraphs =
        " p h1 h2 h3 h4 h5 h6 ul ol dl blockquote pre table fieldset figure ";
    static constexpr std::string_view kLines =
        " div tr li dt dd address article aside section header footer main nav center form caption thead "
        "tbody "
        "tfoot option legend figcaption body html title ";
    const std::string wanted = ' ' + std::string(name) + ' ';
    if (kParagraphs.find(wanted) != std::string_view::npos) return Layout::Paragraph;
    return kLines.find(wanted) != std::string_view::npos ? Layout::Line : Layout::Inline;
}

// Lines of text with their indentation and quote marks; blanks collapse, breaks are due, not written at once.
class Page {
  public:
    void text(std::string_view words) {
        while (!words.empty()) {
            std::size_t size = 0;
            while (size < words.size() && !isHtmlSpace(words[size])) ++size;
            if (size > 0) run(words.substr(0, size));
            words.remove_prefix(size);
            if (words.empty()) return;
            space_ = true;
            words.remove_prefix(1);
        }
    }
    void preformatted(std::string_view words) {
        for (const char c : words) {
            if (c == '\n') {
                lineBreak();
            } else if (c == ' ') {
                begin();
                out_ += c;
            } else if (c != '\r') {
                character(c);
            }
        }
    }
    // What an entity stands for is text even when it is a blank.
    void literal(std::string_view words) {
        if (!words.empty()) run(words);
    }
    void atLeast(int breaks) { due_ = std::max(due_, breaks); }
    void lineBreak() {
        ++due_;
        due_ = std::min(due_, 3);
        hasText_ = false;
    }
    void cell() {
        if (hasText_ && due_ == 0) tab_ = true;
    }
    void bullet(const std::string& mark, int indent) {
        atLeast(1);
        bullet_ = std::string(static_cast<std::size_t>(2 * std::min(indent, kDeepest)), ' ') + mark;
    }
    void quote(int change) { quotes_ = std::max(0, quotes_ + change); }
    std::string take() {
        if (!out_.empty()) out_ += '\n';
        return std::move(out_);
    }

  private:
    static constexpr int kDeepest = 8;  // indentation beyond this is not shown: output stays linear

    void begin() {
        if (due_ > 0 || out_.empty()) {
            if (!out_.empty()) out_.append(static_cast<std::size_t>(due_), '\n');
            for (int i = 0; i < std::min(quotes_, kDeepest); ++i) out_ += "> ";
            out_ += bullet_;
            bullet_.clear();
            space_ = tab_ = false;
        }
        due_ = 0;
    }
    void character(char c) { run({&c, 1}); }
    void run(std::string_view word) {
        begin();
        if (tab_)
            out_ += '\t';
        else if (space_ && hasText_)
            out_ += ' ';
        space_ = tab_ = false;
        hasText_ = true;
        out_ += word;
    }

    std::string out_, bullet_;
    int due_ = 0;
    int quotes_ = 0;
    bool hasText_ = false;  // in this line
    bool space_ = false, tab_ = false;
};

class HtmlReader {
  public:
    explicit HtmlReader(std::string_view html) : in_(html) {}

    std::string run() {
        while (!in_.atEnd()) {
            show(in_.text());
            if (in_.atEnd()) break;
            std::string_view literal;
            if (const auto tag = in_.tag(literal)) handle(*tag);
            show(literal);
        }
        closeLink();
        footnotes();
        return page_.take();
    }

  private:
    struct List {
        bool numbered = false;
        int next = 1;
    };

    void show(std::string_view text) {
        while (!text.empty()) {
            if (text.front() == '&') {
                entity(text);
                continue;
            }
            const auto plain = std::min(text.find('&'), text.size());
            words(text.substr(0, plain));
            text.remove_prefix(plain);
        }
    }

    void words(std::string_view text) {
        if (pre_ > 0)
            page_.preformatted(text);
        else
            page_.text(text);
        remember(text);
    }

    void entity(std::string_view& text) {
        std::string character;
        takeEntity(text, character);
        if (character == "\xc2\xa0") character = " ";  // a no-break space would be lost on most code pages
        if (character.size() == 1 && static_cast<unsigned char>(character[0]) < 0x20) character = " ";
        page_.literal(character);
        remember(character);
    }

    void remember(std::string_view text) {
        constexpr std::size_t kEnough = 2048;
        if (inLink_ && linkText_.size() < kEnough) linkText_ += text;
    }

    void handle(const Tag& tag) {
        if (!tag.closes && (tag.name == "script" || tag.name == "style" || tag.name == "template")) {
            in_.skipTo(tag.name);
        } else if (tag.name == "title") {
            if (!tag.closes) in_.skipTo(tag.name);
        } else if (tag.name == "br") {
            page_.lineBreak();
        } else if (tag.name == "hr") {
            page_.atLeast(1);
            page_.literal("----------------------------------------");
            page_.atLeast(1);
        } else if (tag.name == "a") {
            link(tag);
        } else if (tag.name == "img" || tag.name == "area") {
            image(tag);
        } else if (tag.name == "td" || tag.name == "th") {
            page_.cell();
        } else {
            block(tag);
        }
    }

    void block(const Tag& tag) {
        const Layout layout = layoutOf(tag.name);
        if (layout == Layout::Inline) return;
        const bool inList = tag.name == "ul" || tag.name == "ol";
        const bool isNested = inList && lists_.size() > (tag.closes ? 1U : 0U);
        page_.atLeast(layout == Layout::Paragraph && !isNested ? 2 : 1);
        if (tag.name == "blockquote") page_.quote(tag.closes ? -1 : 1);
        if (tag.name == "pre") pre_ = std::max(0, pre_ + (tag.closes ? -1 : 1));
        if (inList) list(tag);
        if (tag.name == "li" && !tag.closes) item();
    }

    void list(const Tag& tag) {
        constexpr std::size_t kMost = 64;
        if (tag.closes && deeper_ > 0)
            --deeper_;
        else if (tag.closes && !lists_.empty())
            lists_.pop_back();
        else if (!tag.closes && lists_.size() < kMost)
            lists_.push_back({tag.name == "ol", startOf(tag)});
        else if (!tag.closes)
            ++deeper_;
    }

    static int startOf(const Tag& tag) {
        const auto start = parseInt(trim(tag.attribute("start").value_or("1")));
        return static_cast<int>(std::clamp<std::int64_t>(start.value_or(1), 0, 1000000));
    }

    void item() {
        const int indent = static_cast<int>(lists_.size()) - 1;
        const bool numbered = !lists_.empty() && lists_.back().numbered;
        page_.bullet(numbered ? std::to_string(lists_.back().next++) + ". " : "* ", std::max(0, indent));
    }

    void image(const Tag& tag) {
        const std::string alt(trim(tag.attribute("alt").value_or("")));
        if (!alt.empty()) showPlain("[" + alt + "]");
    }

    void showPlain(const std::string& text) {
        page_.text(text);
        remember(text);
    }

    void link(const Tag& tag) {
        closeLink();
        if (tag.closes) return;
        href_ = trim(tag.attribute("href").value_or(""));
        inLink_ = true;
    }

    // A link whose text is its address needs no footnote, and what leads nowhere outside has none.
    void closeLink() {
        if (!inLink_) return;
        inLink_ = false;
        const std::string text(trim(linkText_));
        linkText_.clear();
        std::string_view shown = href_;
        if (lowerAscii(shown.substr(0, 7)) == "mailto:") shown.remove_prefix(7);
        if (!leadsOutside() || text == href_ || text == shown || text.empty()) return;
        if (href_ == "http://" + text || href_ == "https://" + text) return;
        if (!numbers_.contains(href_)) {
            constexpr std::size_t kMostFootnotes = 1000;
            if (urls_.size() >= kMostFootnotes) return;
            urls_.push_back(std::string(shown));
            numbers_[href_] = urls_.size();
        }
        page_.literal(" [" + std::to_string(numbers_[href_]) + "]");
    }

    bool leadsOutside() const {
        const std::string scheme = lowerAscii(std::string_view(href_).substr(0, 8));
        return scheme.starts_with("http://") || scheme.starts_with("https://") ||
               scheme.starts_with("mailto:") || scheme.starts_with("ftp://");
    }

    void footnotes() {
        page_.quote(-1000000);
        for (std::size_t i = 0; i < urls_.size(); ++i) {
            page_.atLeast(i == 0 ? 2 : 1);
            page_.literal("[" + std::to_string(i + 1) + "] ");
            page_.text(urls_[i]);
        }
    }

    Tokenizer in_;
    Page page_;
    int pre_ = 0;
    int deeper_ = 0;  // lists opened beyond the ones we keep
    std::vector<List> lists_;
    bool inLink_ = false;
    std::string href_, linkText_;
    std::vector<std::string> urls_;
    std::map<std::string, std::size_t> numbers_;
};

}  // namespace

std::string htmlToText(std::string_view html) {
    return normalizeLines(HtmlReader(html).run());
}

}  // namespace postern::mail
