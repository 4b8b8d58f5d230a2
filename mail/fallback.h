#pragma once
// What a character becomes where a code page lacks it: facts of Unicode, in tables that never change.
// Used by code_page.cpp only. Thread rule: pure functions.

#include <span>
#include <string_view>

namespace postern::mail {

// Canonical pairs of Latin, Greek and Cyrillic letters: whole = base + mark, sorted by `whole`.
struct Composed {
    char16_t whole, base, mark;
};
std::span<const Composed> composedLetters();

char32_t baseLetter(char32_t whole);             // 0 when it is no composed letter
char32_t kinLetter(char32_t letter);             // of the same alphabet, taken where it is missing; or 0
char32_t compose(char32_t base, char32_t mark);  // 0 when the two make no letter of the table

// ASCII text that says the same, or nothing.
std::string_view fallbackText(char32_t character);

// Invisible, and dropped where it can not be written: marks, joiners, selectors, soft hyphen, byte-order
// mark, bidirectional formatting.
bool isIgnorable(char32_t character);
bool isCombiningMark(char32_t character);
bool isBidiControl(char32_t character);
bool isUnseen(char32_t character);  // a blank of any kind but line ends, or isIgnorable()

}  // namespace postern::mail
