#pragma once
// What a carrier must be able to take for some bytes to pass. Internal to this room.
// Thread rule: one thread.

#include <cstdint>
#include <string_view>

#include "base/source.h"
#include "mail/window.h"

namespace postern::mail {

struct LineFacts {
    bool eightBit = false;
    bool nul = false;
    bool bareCr = false, bareLf = false;
    std::int64_t longest = 0;  // bytes of the longest line, without its end

    bool binary() const { return nul || bareCr || bareLf; }
};

// Bytes in pieces, cut anywhere.
class LineMeter {
  public:
    void add(std::string_view bytes);
    LineFacts finish();

  private:
    void carriageReturns(std::string_view bytes);
    void lines(std::string_view bytes);

    LineFacts facts_;
    std::int64_t column_ = 0;
    bool lastWasCr_ = false;
};

LineFacts lineFacts(std::string_view bytes);
// Of the bytes [begin, end) of the window's source.
Result<LineFacts> lineFacts(Window& window, std::int64_t begin, std::int64_t end);

}  // namespace postern::mail
