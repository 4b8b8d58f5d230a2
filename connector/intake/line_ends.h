#pragma once
// Line ends of mail that did not come over a wire: files and pipes of this machine.

#include <string>
#include <string_view>

namespace postern::intake {

// Turns CR LF, LF and a lone CR into CR LF (KB Q98209), piece by piece. Thread rule: one thread at a time.
class LineEnds {
  public:
    // Appends to `out`.
    void feed(std::string_view piece, std::string& out);

  private:
    bool afterCr_ = false;
};

}  // namespace postern::intake
