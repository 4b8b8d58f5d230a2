#pragma once
// HTML cut into text and tags. Internal to this room; included by html.cpp. Thread rule: one thread.

#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace postern::mail {

// One tag, without its angle brackets.
struct Tag {
    std::string name;  // lower case
    bool closes = false;
    std::string_view rest;  // the attributes

    std::optional<std::string> attribute(std::string_view wanted) const;
};

bool isHtmlSpace(char c);

// Each search that failed is not made again, so the whole is linear.
class Tokenizer {
  public:
    explicit Tokenizer(std::string_view html) : left_(html) {}

    bool atEnd() const { return left_.empty(); }
    // Text up to the next tag; empty when a tag comes.
    std::string_view text();
    // The tag that comes, or nothing when it was a comment, a declaration or no tag after all: then `literal`
    // is what to show. REQUIRES: text() was called before, and not atEnd().
    std::optional<Tag> tag(std::string_view& literal);
    // Drops everything up to "</name"; nothing when there is none, so that no text is lost.
    void skipTo(const std::string& name);

  private:
    std::string_view take(std::size_t size);
    bool beginsTag(std::string_view text) const;
    std::optional<Tag> skipComment();
    std::size_t tagEnd();

    std::string_view left_;
    bool noMoreTags_ = false;
    bool noMoreComments_ = false;
    std::set<std::string> missing_;
};

}  // namespace postern::mail
