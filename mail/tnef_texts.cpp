#include "mail/tnef_texts.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace postern::mail {
namespace {

// What a text says, without how it is laid out: no blanks, no marks, no capitals.
std::string keyOf(std::string_view utf8) {
    std::string key;
    for (std::size_t i = 0; i < utf8.size(); ++i) {
        const char c = utf8[i];
        if (utf8.substr(i, 2) == "\xc2\xa0")
            ++i;
        else if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80)
            key += c;
        else if (c >= 'A' && c <= 'Z')
            key += lowerAscii(c);
    }
    return key;
}

}  // namespace

void TnefTexts::add(int message, TnefMessage& unpacked) {
    if (!trim(unpacked.text).empty()) outer_.push_back({message, std::move(unpacked.text)});
    for (TnefMessage& inner : unpacked.messages) addInner(inner);
}

void TnefTexts::addInner(TnefMessage& inner) {
    std::string text = "----- Message inside this message -----\n";
    if (!inner.from.empty()) text += "From: " + inner.from + "\n";
    if (!inner.subject.empty()) text += "Subject: " + inner.subject + "\n";
    inner_.push_back(text + (inner.text.empty() ? "" : "\n" + inner.text));
    for (TnefMessage& deeper : inner.messages) addInner(deeper);
}

// Of each part, and of all parts of a message together.
std::vector<TnefTexts::Key> TnefTexts::ownKeys(std::string_view page) const {
    std::vector<Key> keys;
    for (const Range& range : own_) {
        std::string key = keyOf(page.substr(range.begin, range.end - range.begin));
        if (key.empty()) continue;
        const auto whole = std::find_if(keys.begin(), keys.end(),
                                        [&](const Key& known) { return known.message == range.message; });
        if (whole == keys.end())
            keys.push_back({range.message, key});
        else
            whole->key += key;
        keys.push_back({range.message, std::move(key)});
    }
    return keys;
}

std::vector<TnefTexts::Shown> TnefTexts::take(std::string_view page) {
    std::vector<Shown> shown;
    const std::vector<Key> keys = outer_.empty() ? std::vector<Key>() : ownKeys(page);
    for (Outer& outer : outer_) {
        const std::string key = keyOf(outer.text);
        bool isSaid = false, hasOwn = false;
        for (const Key& known : keys) {
            if (known.message != outer.message) continue;
            hasOwn = true;
            isSaid = isSaid || (!key.empty() && known.key.starts_with(key));
        }
        if (isSaid) continue;
        if (hasOwn) outer.text.insert(0, "----- Text of winmail.dat -----\n\n");
        shown.push_back({std::move(outer.text), hasOwn, !hasOwn && trim(page).empty()});
    }
    for (std::string& text : inner_) shown.push_back({std::move(text), false, false});
    return shown;
}

}  // namespace postern::mail
