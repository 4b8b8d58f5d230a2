#pragma once
// File names that a legacy system can hold. They come from strangers: nothing of a path survives.
// Thread rule: functions are pure; a NameSet belongs to one thread.

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace postern::mail {

// The last component of any path style, without control or bidi characters, separators, ":", leading dots or
// trailing dots and blanks; at most `limit` bytes, cut before the extension and on a character border.
// Empty when nothing is left. "a?b" keeps its "?" replaced by "_", as do * < > | and the double quote.
std::string safeFileName(std::string_view utf8, std::size_t limit = 255);

// "NAME.EXT" for DOS: transliterated, upper case, A-Z 0-9 _ - $ ~ and nothing else, base of 1..8 and
// extension of 0..3 characters, never a device name. Not unique: see NameSet.
std::string dosName(std::string_view utf8);

// CON, PRN, AUX, NUL, COM1-9, LPT1-9, CLOCK$, with or without an extension, in any case.
bool isDosDevice(std::string_view name);

// How the files of one message may be named on the target.
struct NameRule {
    bool dos = false;               // "NAME.EXT"; otherwise long names of at most
    std::size_t limit = 255;        // bytes in `charset`; at least 16
    std::string charset = "utf-8";  // as fromUtf8() takes it
    std::string forbidden = {};     // US-ASCII characters that become "_" as well (KB Q190557)
};

// The names of one message's attachments, kept apart by case-insensitive comparison. The same names in the
// same order always give the same result (KB Q190297).
class NameSet {
  public:
    explicit NameSet(NameRule rule) : rule_(std::move(rule)) {}

    // "LONGFILE.TXT", then "LONGFI~1.TXT"; "report.txt", then "report~1.txt". UTF-8 that the charset holds
    // without loss; what it lacks became "_".
    std::string add(std::string_view utf8);

    // Of all names so far, as Encoded counts: characters that the charset lacks (US-ASCII for DOS), and those
    // written in another way. What a rule of names forbids, cuts or writes in capitals is in neither.
    int lost() const { return lost_; }
    int changed() const { return changed_; }

  private:
    std::string fitting(std::string_view utf8);
    std::string numbered(std::string_view name, int number) const;
    std::string cutTo(std::string_view utf8, std::size_t limit) const;

    NameRule rule_;
    int lost_ = 0, changed_ = 0;
    std::set<std::string> taken_;  // without regard to case
    // How many numbers of a length were tried, by the name with the first of them. Different names are one
    // when they are cut for it, so no candidate is made twice: linear, whatever the names are.
    std::map<std::string, int> used_;
};

}  // namespace postern::mail
