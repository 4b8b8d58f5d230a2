#pragma once
// A legacy name made from an Internet address by a pattern, and the address found again from the name
// (docs/ADDRESSES.md). Fields:
//
//   {local} %m   the local part, without quotes          {domain}    the domain
//   {address}    the whole address                       %e          the whole address, encapsulated
//   {node}       2:5030/123.4 of a domain that begins with p4.f123.n5030.z2; any other: refuses()
//   %g %s        given name and surname: a local part given.surname or given_surname is both; any other is
//                all surname                             %d          "given surname", or the local part
//   %i           the initial: with %i in the pattern, given.i.surname is understood too
//   %3s          the first three characters of a field   %%, {{      a percent sign, a brace
//   %rxy         in the fields behind it, x becomes y; with y the same as x it is left out
//
// An empty field takes a separator (blank . , _ -) beside it along (KB Q230331, Q258704). Sources: KB
// Q188680, Q197254, Q153270; splitting KB Q185593. Immutable. Thread rule: any thread.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace postern::addresses {

class NamePattern {
  public:
    // Invalid, with a text that says what would be right.
    static Result<NamePattern> parse(std::string_view text);

    // Why this address can have no name; empty when it can. A name without its node is somebody else's.
    std::string refuses(std::string_view address) const;

    // REQUIRES: refuses() does not; else it is empty.
    std::string expand(std::string_view address) const;

    // The address that `legacy` (in any case, with any runs of blanks) stands for, of those that the route
    // pattern `takes` takes; nothing when there is none, or more than one (KB Q171214: then a reply could go
    // astray). An empty pattern leaves the name to the adapter, which writes the address.
    std::optional<std::string> invert(std::string_view legacy, std::string_view takes) const;

    // Why no name made by this pattern can lead back; empty when names do, and invert() tells which.
    std::string oneWay(std::string_view takes) const;

  private:
    enum class Field { Literal, Local, Given, Initials, Surname, Display, Domain, Address, Capsule, Node };
    using Swaps = std::vector<std::pair<char, char>>;
    struct Piece {
        Field field = Field::Literal;
        std::string text = {};  // of a literal
        std::size_t most = 0;   // characters; 0: all
        Swaps swaps = {};
    };
    struct Parts {
        std::string local, domain, given, initials, surname;
        std::string address, node;
    };
    struct Segment {
        const Piece* piece;
        std::string text;
    };
    struct Search;

    Result<void> readBrace(std::string_view& rest);
    Result<void> readPercent(std::string_view& rest, Swaps& swaps);
    void addLiteral(char c);
    bool has(Field field) const;

    Parts partsOf(std::string_view address) const;
    void splitLocal(Parts& parts) const;
    static std::string valueOf(const Piece& piece, const Parts& parts);
    std::vector<Segment> segments(const Parts& parts) const;
    std::string addressFrom(const Search& search) const;
    void match(Search& search, std::size_t segment, std::size_t at) const;
    void consider(Search& search) const;
    void searchWith(Search& search, const Parts& shape) const;

    std::vector<Piece> pieces_;
};

}  // namespace postern::addresses
