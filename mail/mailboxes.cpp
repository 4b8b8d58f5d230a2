#include "mail/mailboxes.h"

#include <algorithm>

#include "base/text.h"
#include "mail/header.h"

namespace postern::mail {
namespace {

// Runs of blanks become one (KB Q216492), none at the ends.
std::string collapsed(std::string_view text) {
    std::string out;
    for (const char c : trim(text))
        if (c != ' ' || out.empty() || out.back() != ' ') out += c;
    return out;
}

// "@a,@b:u@c" to "u@c".
std::string_view withoutRoute(std::string_view address) {
    if (address.empty() || address.front() != '@') return address;
    const auto colon = address.find(':');
    return colon == std::string_view::npos ? address : trim(address.substr(colon + 1));
}

class Scanner {
  public:
    Scanner(std::string_view text, std::size_t limit) : text_(text), limit_(limit) {}

    std::vector<Mailbox> run() {
        while (at_ < text_.size() && found_.size() < limit_) step();
        endMailbox();
        endGroup();
        if (found_.size() > limit_) found_.resize(limit_);
        return std::move(found_);
    }

  private:
    void step() {
        switch (text_[at_]) {
            case '"': quotedString(); break;
            case '(': comment(); break;
            case '<': bracketed(); break;
            case '[': literal(); break;
            case ',': ++at_, endMailbox(); break;
            case ';': ++at_, endMailbox(), endGroup(); break;
            case ':': colon(); break;
            default: plain(text_[at_++]);
        }
    }

    void plain(char c) {
        if (hasBrackets_ && c != ' ' && c != '\t') guessed_ = true;
        plain_ += c;
        phrase_ += c;
    }

    void quotedString() {
        plain_ += text_[at_++];
        for (; at_ < text_.size(); ++at_) {
            const char c = text_[at_];
            plain_ += c;
            if (c == '"') {
                ++at_;
                return;
            }
            if (c == '\\' && at_ + 1 < text_.size()) plain_ += text_[++at_];
            phrase_ += text_[at_];
        }
    }

    // Nesting is counted. The first comment may serve as a name; all are taken out (KB Q152432, Q231748).
    void comment() {
        std::string inside;
        int depth = 0;
        for (; at_ < text_.size(); ++at_) {
            const char c = text_[at_];
            if (c == '(' && depth++ == 0) continue;
            if (c == ')' && --depth == 0) break;
            if (c == '\\' && at_ + 1 < text_.size()) ++at_;
            inside += text_[at_];
        }
        if (at_ < text_.size()) ++at_;
        if (comment_.empty()) comment_ = std::move(inside);
        phrase_ += ' ';
    }

    void bracketed() {
        bool inQuotes = false;
        std::string inside;
        for (++at_; at_ < text_.size(); ++at_) {
            const char c = text_[at_];
            if (c == '"') inQuotes = !inQuotes;
            if (c == '>' && !inQuotes) break;
            inside += c;
        }
        if (at_ < text_.size()) ++at_;
        if (!hasBrackets_) address_ = withoutRoute(trim(inside));
        guessed_ = guessed_ || hasBrackets_;
        hasBrackets_ = true;
    }

    void literal() {
        const auto end = std::min(text_.find(']', at_), text_.size() - 1);
        const std::string_view all = text_.substr(at_, end + 1 - at_);
        plain_ += all;
        phrase_ += all;
        at_ = end + 1;
    }

    // The name of a group; inside one, or behind an address, it is a character like others: no nesting.
    void colon() {
        ++at_;
        if (inGroup_ || hasBrackets_ || plain_.find('@') != std::string::npos) {
            plain_ += ':';
            phrase_ += ':';
            return;
        }
        inGroup_ = true;
        group_ = collapsed(decodeText(phrase_));
        groupStart_ = found_.size();
        clear();
    }

    void endGroup() {
        if (inGroup_ && found_.size() == groupStart_) found_.push_back({group_ + ":;", ""});
        inGroup_ = false;
    }

    void endMailbox() {
        Mailbox box;
        if (hasBrackets_)
            box = {phrase_, address_, guessed_};
        else
            box = withoutBrackets();
        box.name = collapsed(decodeText(box.name));
        box.address = std::string(trim(decodeText(box.address)));
        if (box.name.empty() && !box.address.empty()) box.name = collapsed(decodeText(comment_));
        if (!box.name.empty() || !box.address.empty()) found_.push_back(std::move(box));
        clear();
    }

    // `u@d`, `"a b"@d`, `Some Name u@d`, or no address at all.
    Mailbox withoutBrackets() const {
        const std::string_view text = trim(plain_);
        if (text.find('@') == std::string_view::npos) return {phrase_, ""};
        if (text.front() == '"') return quotedLocal(text);
        const auto blank = text.find_last_of(" \t");
        if (blank == std::string_view::npos) return {"", std::string(text)};
        const std::string_view last = text.substr(blank + 1);
        if (last.find('@') == std::string_view::npos || last.front() == '@') return {"", std::string(text)};
        return {std::string(text.substr(0, blank)), std::string(last), true};
    }

    // What begins with a quote is an address only if "@" follows the closing one.
    Mailbox quotedLocal(std::string_view text) const {
        if (text.find("\"@", 1) == std::string_view::npos) return {phrase_, ""};
        return {"", std::string(text)};
    }

    void clear() {
        plain_.clear();
        phrase_.clear();
        comment_.clear();
        address_.clear();
        hasBrackets_ = false;
        guessed_ = false;
    }

    std::string_view text_;
    std::size_t limit_;
    std::size_t at_ = 0;
    std::vector<Mailbox> found_;

    std::string plain_;   // as written, without comments
    std::string phrase_;  // with quotes taken off
    std::string comment_, address_;
    bool hasBrackets_ = false;
    bool guessed_ = false;
    bool inGroup_ = false;
    std::string group_;
    std::size_t groupStart_ = 0;
};

}  // namespace

std::vector<Mailbox> parseMailboxes(std::string_view value, std::size_t limit) {
    const std::string text = unfold(value);
    return Scanner(text, limit).run();
}

int groupDepth(std::string_view value) {
    int depth = 0, deepest = 0, comments = 0;
    bool inQuotes = false, inLiteral = false;
    for (std::size_t i = 0; i < value.size(); ++i) {
        const char c = value[i];
        if (c == '\\')
            ++i;
        else if (inQuotes || (c == '"' && comments == 0))
            inQuotes = c != '"' || !inQuotes;
        else if (c == '(')
            ++comments;
        else if (c == ')')
            comments = std::max(0, comments - 1);
        else if (comments == 0 && (c == '[' || c == ']'))
            inLiteral = c == '[';
        else if (comments == 0 && !inLiteral && c == ':')
            deepest = std::max(deepest, ++depth);
        else if (comments == 0 && !inLiteral && c == ';')
            depth = std::max(0, depth - 1);
    }
    return deepest;
}

}  // namespace postern::mail
