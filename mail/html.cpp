#include "mail/html.h"

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "base/text.h"
#include "mail/entities.h"
#include "mail/html_hidden.h"
#include "mail/html_page.h"
#include "mail/html_tokens.h"
#include "mail/text.h"

namespace postern::mail {
namespace {

constexpr int kPageWidth = 72;  // of tables and quotations

// `list` has a blank around each name.
bool isOneOf(std::string_view list, std::string_view name) {
    for (auto at = list.find(name); at != std::string_view::npos; at = list.find(name, at + 1))
        if (at > 0 && list[at - 1] == ' ' && at + name.size() < list.size() && list[at + name.size()] == ' ')
            return true;
    return false;
}

bool isParagraph(std::string_view name) {
    return isOneOf(" p h3 h4 h5 h6 dl pre fieldset figure ", name);
}

bool isLine(std::string_view name) {
    return isOneOf(
        " div dt address article aside section header footer main nav center form caption thead tbody tfoot "
        "option legend figcaption body html summary details ",
        name);
}

int pixels(const Tag& tag, std::string_view name) {
    std::string value = tag.attribute(name).value_or("");
    if (value.ends_with("px")) value.resize(value.size() - 2);
    return static_cast<int>(std::clamp<std::int64_t>(parseInt(trim(value)).value_or(-1), -1, 10000));
}

// Counts who read it, or holds a place.
bool isPixel(const Tag& tag) {
    const int width = pixels(tag, "width"), height = pixels(tag, "height");
    return (width >= 0 && width <= 2) || (height >= 0 && height <= 2);
}

int spanOf(const Tag& tag, std::string_view name, int most) {
    return static_cast<int>(
        std::clamp<std::int64_t>(parseInt(trim(tag.attribute(name).value_or("1"))).value_or(1), 1, most));
}

// Without what a reader does not type: the scheme, "www." and a slash behind it.
std::string_view bareAddress(std::string_view url) {
    for (const std::string_view prefix : {"https://", "http://", "mailto:", "tel:", "www."})
        if (lowerAscii(url.substr(0, prefix.size())) == prefix) url.remove_prefix(prefix.size());
    if (url.ends_with('/')) url.remove_suffix(1);
    return url;
}

class HtmlReader {
  public:
    HtmlReader(std::string_view html, const TextTarget& target)
        : ruler_(target.charset),
          width_(target.columns > 0 ? std::min(kPageWidth, target.columns) : kPageWidth),
          in_(html),
          page_(width_, ruler_) {}

    HtmlText run(bool hidesNothing) {
        hidesNothing_ = hidesNothing;
        for (;;) {
            while (!in_.atEnd()) step();
            if (!hidden_.any()) break;
            // What never ends is not hidden: no text is lost.
            in_ = *beforeHidden_;
            hidden_.clear();
            hidesNothing_ = true;
        }
        closeLink();
        std::string text = page_.take();
        const bool isBlank = hasHidden_ && showsNothing(text);
        return {text + footnotes(), isBlank, linksLeftOut_};
    }

  private:
    void step() {
        show(in_.text());
        if (in_.atEnd()) return;
        std::string_view literal;
        if (const auto tag = in_.tag(literal)) {
            if (isSeen(*tag)) handle(*tag);
            page_.bound();
        }
        show(literal);
    }

    bool isSeen(const Tag& tag) {
        if (hidesNothing_) return true;
        const bool wasHidden = hidden_.any();
        const bool seen = hidden_.take(tag);
        if (!wasHidden && hidden_.any()) beforeHidden_ = in_;
        hasHidden_ = hasHidden_ || hidden_.any();
        return seen;
    }

    void show(std::string_view text) {
        if (hidden_.now()) return;
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
        if (isOneOf(" script style template title svg ", tag.name)) {
            if (!tag.closes) in_.skipTo(tag.name);
        } else if (tag.name == "br") {
            page_.lineBreak();
        } else if (tag.name == "hr") {
            page_.rule();
        } else if (tag.name == "a") {
            link(tag);
        } else if (tag.name == "img" || tag.name == "area") {
            image(tag);
        } else if (!handleTable(tag) && !handleList(tag)) {
            block(tag);
        }
    }

    bool handleTable(const Tag& tag) {
        if (tag.name == "table") {
            if (tag.closes)
                page_.closeTable();
            else
                page_.openTable();
        } else if (isOneOf(" tr thead tbody tfoot ", tag.name)) {
            page_.row();
        } else if (tag.name == "td" || tag.name == "th") {
            if (!tag.closes) cell(tag);
        } else {
            return false;
        }
        return true;
    }

    void cell(const Tag& tag) {
        const bool right = equalsIgnoreCase(trim(tag.attribute("align").value_or("")), "right") ||
                           styleValue(tag, "text-align") == "right";
        page_.cell(spanOf(tag, "colspan", 20), spanOf(tag, "rowspan", 1000), tag.name == "th", right);
    }

    bool handleList(const Tag& tag) {
        if (tag.name == "ul" || tag.name == "ol") {
            if (tag.closes)
                page_.close(HtmlPage::Box::List);
            else
                page_.openList(tag.name == "ol", startOf(tag));
        } else if (tag.name == "li") {
            if (tag.closes)
                page_.close(HtmlPage::Box::Item);
            else
                page_.item();
        } else if (tag.name == "dd" || tag.name == "dt") {
            page_.close(HtmlPage::Box::Indent);
            if (tag.name == "dd" && !tag.closes) page_.open(HtmlPage::Box::Indent);
        } else {
            if (tag.name == "dl") page_.close(HtmlPage::Box::Indent);
            return false;
        }
        return true;
    }

    static int startOf(const Tag& tag) {
        const auto start = parseInt(trim(tag.attribute("start").value_or("1")));
        return static_cast<int>(std::clamp<std::int64_t>(start.value_or(1), 0, 1000000));
    }

    void block(const Tag& tag) {
        if (tag.name == "h1" || tag.name == "h2") {
            if (tag.closes)
                page_.endHeading(tag.name == "h1" ? '=' : '-');
            else
                page_.beginHeading();
        } else if (tag.name == "blockquote") {
            quotation(tag);
        } else if (tag.name == "pre") {
            page_.paragraph();
            pre_ = std::max(0, pre_ + (tag.closes ? -1 : 1));
        } else if (isParagraph(tag.name)) {
            paragraph(tag);
        } else if (isLine(tag.name)) {
            page_.endLine();
        }
    }

    // Some programs write every line as a paragraph without room around it.
    void paragraph(const Tag& tag) {
        if (!tag.closes) {
            const std::string name = lowerAscii(tag.attribute("class").value_or(""));
            isTight_ =
                tag.name == "p" && (name.starts_with("mso") || styleValue(tag, "margin").starts_with('0'));
        }
        if (isTight_)
            page_.endLine();
        else
            page_.paragraph();
        if (tag.closes) isTight_ = false;
    }

    // Without a border it only moves its text to the right.
    void quotation(const Tag& tag) {
        const bool isIndent = !tag.closes && styleValue(tag, "border").starts_with("none");
        if (!tag.closes) {
            if (quotations_.size() < kMostQuotations) quotations_.push_back(isIndent);
            page_.open(isIndent ? HtmlPage::Box::Indent : HtmlPage::Box::Quote);
            return;
        }
        const bool wasIndent = !quotations_.empty() && quotations_.back();
        if (!quotations_.empty()) quotations_.pop_back();
        page_.close(wasIndent ? HtmlPage::Box::Indent : HtmlPage::Box::Quote);
    }

    void image(const Tag& tag) {
        if (isPixel(tag)) return;
        const auto alt = tag.attribute("alt");
        std::string shown(trim(alt.value_or("")));
        if (!alt && inLink_) shown = "image";  // or the link would be lost
        if (shown.empty()) return;
        page_.text("[" + shown + "]");
        remember("[" + shown + "]");
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
        if (!leadsOutside() || text.empty() || bareAddress(text) == bareAddress(href_)) return;
        if (!numbers_.contains(href_)) {
            constexpr std::size_t kMostFootnotes = 1000;
            if (urls_.size() >= kMostFootnotes) {
                ++linksLeftOut_;
                return;
            }
            const bool isMail = lowerAscii(std::string_view(href_).substr(0, 7)) == "mailto:";
            urls_.push_back(isMail ? href_.substr(7) : href_);
            numbers_[href_] = urls_.size();
        }
        page_.mark(" [" + std::to_string(numbers_[href_]) + "]");
    }

    bool leadsOutside() const {
        const std::string scheme = lowerAscii(std::string_view(href_).substr(0, 8));
        return scheme.starts_with("http://") || scheme.starts_with("https://") ||
               scheme.starts_with("mailto:") || scheme.starts_with("ftp://") || scheme.starts_with("tel:") ||
               scheme.starts_with("file:");
    }

    std::string footnotes() const {
        std::string out;
        for (std::size_t i = 0; i < urls_.size(); ++i) {
            HtmlPage line(width_, ruler_);
            line.text(urls_[i]);
            out += (i == 0 ? "\n[" : "[") + std::to_string(i + 1) + "] " + line.take();
        }
        return out;
    }

    static constexpr std::size_t kMostQuotations = 64;

    const Ruler ruler_;
    const int width_;
    Tokenizer in_;
    HtmlPage page_;
    int pre_ = 0;
    bool isTight_ = false;
    Hidden hidden_;
    std::optional<Tokenizer> beforeHidden_;
    bool hidesNothing_ = false, hasHidden_ = false;
    std::vector<bool> quotations_;  // whether each open one is an indent
    bool inLink_ = false;
    std::string href_, linkText_;
    std::vector<std::string> urls_;
    std::map<std::string, std::size_t> numbers_;
    std::size_t linksLeftOut_ = 0;
};

}  // namespace

HtmlText readHtml(std::string_view html, const TextTarget& target) {
    HtmlText read = HtmlReader(html, target).run(false);
    if (read.hiddenIsShown) {
        read = HtmlReader(html, target).run(true);
        read.hiddenIsShown = !showsNothing(read.text);
    }
    read.text = normalizeLines(read.text);
    return read;
}

std::string htmlToText(std::string_view html, const TextTarget& target) {
    return readHtml(html, target).text;
}

}  // namespace postern::mail
